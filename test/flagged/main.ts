/**
 * The application whose new code is behind a feature flag, as tests deploy it: it asks a real Unleash through its SDK, and
 * fails in the flagged code path as it is told to. To load and Prometheus it looks as the Go workload does. It must never
 * read the flag's state from anywhere but the SDK.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFlag } from './flag.ts';
import { Metrics } from './metrics.ts';
import { readSettings } from './settings.ts';

const settings = readSettings(process.env);
const metrics = new Metrics();
const flag = startFlag(settings, (what) => console.error(what));
let isDraining = false;

/** Which code runs is decided by the flag; the errors of the new code are part of the version. */
function errorRateNow(): number {
  return flag.isOn() ? Math.max(settings.errorRate, settings.flaggedErrorRate) : settings.errorRate;
}

function answerUser(request: IncomingMessage, response: ServerResponse, beganAt: number): void {
  const isOn = flag.isOn();
  const code = Math.random() < errorRateNow() ? 500 : 200;
  response.setHeader('x-version', settings.version);
  response.setHeader('x-pod', hostname());
  response.setHeader('x-flag', isOn ? 'on' : 'off');
  metrics.observe(code, request.method ?? 'GET', (performance.now() - beganAt) / 1000);
  response.writeHead(code).end(code === 200 ? 'OK\n' : 'Internal Server Error\n');
}

const server = createServer((request, response) => {
  const beganAt = performance.now();
  request.resume();
  if (isDraining) response.setHeader('connection', 'close');
  if (request.url === '/healthz') response.writeHead(flag.isReady() ? 200 : 503).end();
  else if (request.url === '/metrics')
    response.setHeader('content-type', 'text/plain; version=0.0.4; charset=utf-8').end(metrics.text());
  else answerUser(request, response, beganAt);
});
// A gateway keeps connections for a minute and more: it has to be the one that ends them.
server.keepAliveTimeout = 120_000;
server.listen(8080);

/** Everything is answered while gateways hear of the pod's end, so that no request is lost. */
async function drain(): Promise<void> {
  isDraining = true;
  await sleep(settings.drainMs);
  server.close();
  server.closeIdleConnections();
  await sleep(1000);
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void drain());
