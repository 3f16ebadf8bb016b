/** Cuts a stream of bytes into lines as they arrive, at the reader's pace; it never holds more than one line of bounded size. */

/** Thrown when one line is longer than allowed. */
export class LineTooLong extends Error {
  override readonly name = 'LineTooLong';
}

/** Yields each non-empty line without its newline; an unfinished last line is dropped, since half an event is none. */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<string, void, void> {
  let pieces: Buffer[] = [];
  let heldBytes = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      if (heldBytes + end - start > maxBytes) throw new LineTooLong(`a line is longer than ${maxBytes} bytes`);
      pieces.push(bytes.subarray(start, end));
      const line = Buffer.concat(pieces).toString('utf8');
      pieces = [];
      heldBytes = 0;
      start = end + 1;
      if (line.length > 0) yield line;
    }
    heldBytes += bytes.length - start;
    if (heldBytes > maxBytes) throw new LineTooLong(`a line is longer than ${maxBytes} bytes`);
    if (start < bytes.length) pieces.push(bytes.subarray(start));
  }
}
