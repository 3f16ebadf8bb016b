/**
 * A mutating webhook of the tests' own, as digest writers and injectors are in real clusters: the API server calls it after all
 * mutating policies. It runs in the test's process, with the API server's own certificate, and sees one namespace.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Serving, Stage } from './stage.ts';

type Patch = readonly { readonly op: 'replace' | 'add'; readonly path: string; readonly value: unknown }[];

interface Requests {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly string[];
}

/** Starts answering requests about a namespace's objects with a JSON patch; the returned function ends it. Needs `webhooks`. */
export async function startWebhook(
  { server, namespace, serving }: Stage,
  requests: Requests,
  patchOf: (deployment: unknown) => Patch,
): Promise<() => Promise<void>> {
  if (serving === undefined) throw new Error('the API server of this cluster cannot call a webhook on this machine');
  const { certificate, key } = serving;
  const listener = createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, (request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const review = JSON.parse(text);
      const patch = Buffer.from(JSON.stringify(patchOf(review.request.object))).toString('base64');
      const answer = { uid: review.request.uid, allowed: true, patchType: 'JSONPatch', patch };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ apiVersion: review.apiVersion, kind: review.kind, response: answer }));
    });
  });
  const address = await new Promise<AddressInfo>((resolve, reject) => {
    listener.on('error', reject).listen(0, '127.0.0.1', () => resolve(Object(listener.address())));
  });
  const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
  await server.ask('POST', path, configuration(namespace, requests, address.port, serving));
  return async () => {
    await server.ask('DELETE', `${path}/${namespace}`);
    listener.closeAllConnections();
    await new Promise((resolve) => listener.close(resolve));
  };
}

function configuration(namespace: string, requests: Requests, port: number, { ca }: Serving) {
  const webhook = {
    name: 'mutator.serin.test',
    clientConfig: { url: `https://127.0.0.1:${port}/`, caBundle: Buffer.from(ca).toString('base64') },
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    rules: [requests],
    failurePolicy: 'Fail',
    reinvocationPolicy: 'IfNeeded',
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: namespace },
    webhooks: [webhook],
  };
}
