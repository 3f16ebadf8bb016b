/** What Serin does to one flag in a file that people write, and what it leaves of the file. */
import { ManualClock } from '../kube/manual-clock.ts';
import { flagdFileTarget } from './flagd-file.ts';
import { failure, FlagsInMemory, never, off } from './flags-in-memory.ts';
import type { FlagChange, FlagTarget } from './target.ts';

const file = `{
    "$schema": "https://flagd.dev/schema/v0/flags.json",
    "flags": {
        "new-pricing": {
            "state": "ENABLED",
            "variants": { "on": true, "off": false },
            "defaultVariant": "on",
            "targeting": { "if": [{ "$ref": "everybody" }, "on", "off"] }
        },
        "other": { "state": "ENABLED", "variants": { "a": 1, "b": 2 }, "defaultVariant": "a" }
    },
    "$evaluators": { "everybody": { "==": [1, 1] } }
}
`;

const clock = new ManualClock();

function memoryWith(text = file): FlagsInMemory {
  const memory = new FlagsInMemory();
  memory.put('configmaps', 'flags', { data: { 'flags.json': text, notes: 'ours' } });
  return memory;
}

function targetOn(memory: FlagsInMemory, delayMs = 0): FlagTarget {
  const backend = { kind: 'flagdFile', configMap: 'flags', key: 'flags.json', delayMs } as const;
  return flagdFileTarget({ name: 'file', verifyWithinMs: 10_000, backend }, backend, { kube: memory.kube, clock });
}

async function changed(memory: FlagsInMemory, change: FlagChange = off): Promise<string> {
  const { previous } = await targetOn(memory).plan(change, never);
  await targetOn(memory).apply(change, previous, never);
  return previous;
}

function textOf(memory: FlagsInMemory): string {
  return (memory.get('configmaps', 'flags') as unknown as { data: Record<string, string> }).data['flags.json'] ?? '';
}

/** A person writes the file anew. */
function edit(memory: FlagsInMemory, change: (flag: Record<string, unknown>) => object): void {
  const document = JSON.parse(textOf(memory));
  document.flags['new-pricing'] = change(document.flags['new-pricing']);
  memory.put('configmaps', 'flags', { data: { 'flags.json': JSON.stringify(document) } });
}

describe('a flag in a file', () => {
  test('is turned off for everybody, and nothing else of the file changes', async () => {
    const memory = memoryWith();
    await changed(memory);
    const written = JSON.parse(textOf(memory));
    expect(written.flags['new-pricing']).toEqual({
      state: 'ENABLED',
      variants: { on: true, off: false },
      defaultVariant: 'off',
      metadata: { serinChange: off.id, serinAt: expect.stringMatching(/^\d{4}-.*Z$/) },
    });
    delete written.flags['new-pricing'];
    const before = JSON.parse(file);
    delete before.flags['new-pricing'];
    expect(written).toEqual(before);
    expect(Object.keys(written)).toEqual(['$schema', 'flags', '$evaluators']);
    expect(textOf(memory)).toMatch(/^\{\n {4}"\$schema"[\s\S]*\}\n$/);
    expect(memory.get('configmaps', 'flags')).toMatchObject({ data: { notes: 'ours' } });
    expect(await targetOn(memory).verify(off, never)).toMatchObject({ served: true });
  });

  test('counts as served only when the nodes have had the time to bring the file', async () => {
    const memory = memoryWith();
    await changed(memory);
    expect(await targetOn(memory, 120_000).verify(off, never)).toMatchObject({
      served: false,
      sentence: expect.stringContaining('may need 120s more'),
    });
    await clock.advance(120_000);
    expect(await targetOn(memory, 120_000).verify(off, never)).toMatchObject({ served: true });
  });

  test('is turned back to what it was, with its rules', async () => {
    const memory = memoryWith();
    const previous = await changed(memory);
    expect(await targetOn(memory).revert(off, previous, never)).toBe('reverted');
    expect(JSON.parse(textOf(memory))).toEqual(JSON.parse(file));
    expect(await targetOn(memory).revert(off, previous, never)).toBe('reverted');
    expect(memory.writes()).toHaveLength(2);
  });

  test('is served to a share, with the rules of the file for the others', async () => {
    const memory = memoryWith();
    const half: FlagChange = { ...off, percent: 50 };
    const previous = await changed(memory, half);
    expect(await targetOn(memory).verify(half, never)).toMatchObject({ served: true });
    expect(await targetOn(memory).revert(half, previous, never)).toBe('reverted');
    expect(JSON.parse(textOf(memory))).toEqual(JSON.parse(file));
  });

  test.each([
    ['another default', (flag: object) => ({ ...flag, defaultVariant: 'on' })],
    ['rules', (flag: object) => ({ ...flag, targeting: { if: [true, 'on'] } })],
    ['no mark of Serin', (flag: object) => ({ ...flag, metadata: {} })],
    ['disabled', (flag: object) => ({ ...flag, state: 'DISABLED' })],
  ])('that a person has changed since (%s) is left alone', async (_what, their) => {
    const memory = memoryWith();
    const previous = await changed(memory);
    edit(memory, their);
    const before = textOf(memory);
    expect(await targetOn(memory).revert(off, previous, never)).toBe('keptByOthers');
    expect(textOf(memory)).toBe(before);
  });

  test('whose other parts a person has changed is turned back in ours alone', async () => {
    const memory = memoryWith();
    const previous = await changed(memory);
    edit(memory, (flag) => ({
      ...flag,
      variants: { on: true, off: false, half: false },
      metadata: { ...Object(flag['metadata']), team: 'shop' },
    }));
    expect(await targetOn(memory).revert(off, previous, never)).toBe('reverted');
    expect(JSON.parse(textOf(memory)).flags['new-pricing']).toEqual({
      state: 'ENABLED',
      variants: { on: true, off: false, half: false },
      defaultVariant: 'on',
      targeting: { if: [{ $ref: 'everybody' }, 'on', 'off'] },
      metadata: { team: 'shop' },
    });
  });

  test('is written once, also when the answer was lost', async () => {
    const memory = memoryWith();
    const { previous } = await targetOn(memory).plan(off, never);
    memory.after = ({ method }) => {
      if (method !== 'GET') throw failure('Timeout');
    };
    await expect(targetOn(memory).apply(off, previous, never)).rejects.toMatchObject({ code: 'unreachable' });
    memory.after = () => {};
    await targetOn(memory).apply(off, previous, never);
    expect(memory.writes()).toHaveLength(1);
  });

  test('that somebody changed between reading and writing is left alone', async () => {
    const memory = memoryWith();
    const { previous } = await targetOn(memory).plan(off, never);
    edit(memory, (flag) => ({ ...flag, targeting: { if: [true, 'on'] } }));
    await expect(targetOn(memory).apply(off, previous, never)).rejects.toMatchObject({ code: 'refused' });
    expect(memory.writes()).toEqual([]);
  });
});

test.each([
  ['no file at all', 'flags: {}', 'invalid'],
  ['a file without the flag', '{"flags":{}}', 'notFound'],
  ['a flag without variants', '{"flags":{"new-pricing":{"state":"ENABLED"}}}', 'invalid'],
  ['a flag without the variant', '{"flags":{"new-pricing":{"state":"ENABLED","variants":{"on":true}}}}', 'notFound'],
])('%s is refused in words', async (_what, text, code) => {
  await expect(targetOn(memoryWith(text)).plan(off, never)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(/ConfigMap shop\/flags.*;.*\.$/),
  });
});
