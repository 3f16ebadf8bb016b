import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { Allowance, readBytes } from './body-bytes.ts';

const mebibyte = 1024 * 1024;
const bodyOf = (parts: Iterable<Buffer>) => Readable.from(parts) as Dispatcher.ResponseData['body'];
const some = (bytes: number) => bodyOf(Array.from({ length: bytes / 4096 }, () => Buffer.alloc(4096, 'x')));

test('a body is read whole, also in pieces of one byte', async () => {
  const text = 'an answer '.repeat(20_000);
  const read = await readBytes(
    bodyOf([...Buffer.from(text)].map((byte) => Buffer.of(byte))),
    mebibyte,
    new Allowance(0),
  );
  expect(read).toEqual({ kind: 'whole', text });
});

test('a body beyond its limit is read no further, and its beginning is known', async () => {
  let sent = 0;
  function* endless(): Generator<Buffer> {
    for (;;) {
      sent += 4096;
      yield Buffer.alloc(4096, 'x');
    }
  }
  const read = await readBytes(bodyOf(endless()), 10_000, new Allowance(0));
  expect(read).toEqual({ kind: 'tooLarge', text: 'x'.repeat(8192) });
  expect(sent).toBeLessThan(200_000);
});

test('large bodies share an allowance, and give it back', async () => {
  const allowance = new Allowance(3 * mebibyte);
  expect(await readBytes(some(3 * mebibyte), 8 * mebibyte, allowance)).toMatchObject({ kind: 'whole' });
  expect(await readBytes(some(8 * mebibyte), 8 * mebibyte, allowance)).toEqual({ kind: 'noRoom' });
  expect(allowance.take(3 * mebibyte)).toBe(true);
  // Small ones have their own room, whatever the large ones take.
  expect(await readBytes(some(mebibyte), 8 * mebibyte, allowance)).toMatchObject({ kind: 'whole' });
});

test('a body that breaks off rejects, and gives back what it took', async () => {
  const allowance = new Allowance(2 * mebibyte);
  function* broken(): Generator<Buffer> {
    yield Buffer.alloc(2 * mebibyte);
    throw new Error('other side closed');
  }
  await expect(readBytes(bodyOf(broken()), 8 * mebibyte, allowance)).rejects.toThrow('other side closed');
  expect(allowance.take(2 * mebibyte)).toBe(true);
});
