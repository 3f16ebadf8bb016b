import { stripVTControlCharacters } from 'node:util';
import type { RolloutStatus } from '../api/rollout-status.ts';
import { checkout } from '../cli/trial.ts';
import { type Terminal, terminalOn } from '../cli/terminal.ts';
import { ManualClock } from '../kube/manual-clock.ts';
import type { Sight } from './story.ts';
import { View } from './view.ts';

const braked: RolloutStatus = {
  phase: 'Braked',
  reason: 'Braked',
  verdict: 'Doubt',
  message: 'The new version fails 20 % of requests, 41 of 207; the old one 0 %; evidence 120 : 1. '.repeat(2).trim(),
  stable: { uid: 'u', name: 'checkout-1', hash: 'aaa', image: 'shop/checkout:v2', since: '2026-01-01T00:00:00Z' },
  canary: { hash: 'bbb', image: 'shop/checkout:v3', weight: 1, replicas: 2, ready: 2, step: 1, steps: 3 },
};

function sight(status: RolloutStatus | undefined = braked, canaryPercent = 1): Sight {
  const versions = new Map([
    ['v2', { good: 800, bad: 0, firstBadMs: undefined, lastAnswerMs: 2 }],
    ['v3', { good: 9, bad: 41, firstBadMs: 1, lastAnswerMs: 2 }],
  ]);
  return {
    rollout: checkout(status),
    counts: { sent: 12_345, heldBack: 0, answered: 12_340, refused: 2, versions, troubles: new Map() },
    canaryPercent,
    versions: new Map([
      ['aaa', 'v2'],
      ['bbb', 'v3'],
    ]),
  };
}

function shown(isTTY: boolean, columns = 80): { terminal: Terminal; written: string[] } {
  const written: string[] = [];
  const stream = { isTTY, columns, write: (text: string) => written.push(text) };
  return { written, terminal: terminalOn({ out: stream, err: stream, env: { TERM: 'xterm' } }) };
}

describe('on a terminal', () => {
  test('it shows both versions with their share, what the judge says, and what became of requests', () => {
    const { terminal, written } = shown(true);
    new View(terminal, new ManualClock()).show(sight());
    const text = stripVTControlCharacters(written.join(''));
    expect(text).toMatch(/stable\s+v2\s+#{30}\s+99%\s+800 answers\s+0 failed/);
    expect(text).toMatch(/canary\s+v3\s+#\.{29}\s+1%\s+50 answers\s+41 failed/);
    expect(text).toContain('Braked');
    expect(text).toContain('verdict Doubt');
    expect(text).toContain('fails 20 % of requests, 41 of 207');
    expect(text).toContain('requests 12,345   lost 2');
  });

  test('no line is wider than the terminal, so that each picture covers the one before', () => {
    const { terminal, written } = shown(true, 60);
    const clock = new ManualClock();
    const view = new View(terminal, clock);
    view.show(sight());
    const lines = stripVTControlCharacters(written.join('')).split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
    view.end();
    expect(written.at(-1)).toBe(`\u001B[${lines.length - 1}F\u001B[J`);
  });

  test('during the handover all requests are on the new version, whatever the route is called', () => {
    const { terminal, written } = shown(true);
    new View(terminal, new ManualClock()).show(sight({ ...braked, phase: 'Promoting', reason: 'Promoting' }, 0));
    expect(stripVTControlCharacters(written.join(''))).toMatch(/canary\s+v3\s+#{30}\s+100%/);
  });

  test('it is drawn anew only after a while', async () => {
    const { terminal, written } = shown(true);
    const clock = new ManualClock();
    const view = new View(terminal, clock);
    for (let times = 0; times < 10; times += 1) {
      view.show(sight());
      await clock.advance(100);
    }
    expect(written).toHaveLength(4);
  });
});

describe('in a pipe', () => {
  test('it is one line a change, without colours and without movement', () => {
    const { terminal, written } = shown(false);
    const view = new View(terminal, new ManualClock());
    view.chapter('Release of v3.');
    view.show(sight());
    view.show(sight());
    view.show(sight({ ...braked, phase: 'RollingBack' }));
    view.end();
    const text = written.join('');
    expect(text).toBe(stripVTControlCharacters(text));
    expect(text.trimEnd().split('\n')).toHaveLength(3);
    expect(text).toContain('  0 s  Release of v3.');
  });
});
