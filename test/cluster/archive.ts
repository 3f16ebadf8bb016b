/** A docker-archive written by hand: one layer with a program, and what it needs beside it, is all an image takes. */
import { createHash } from 'node:crypto';

interface Entry {
  name: string;
  content: Buffer;
  mode: number;
  isDirectory?: boolean;
}

const block = 512;

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}

/** One ustar header; the checksum is computed with its own field filled with blanks. */
function header(entry: Entry): Buffer {
  const bytes = Buffer.alloc(block);
  bytes.write(entry.name, 0, 100);
  bytes.write(octal(entry.mode, 8), 100);
  bytes.write(octal(0, 8), 108);
  bytes.write(octal(0, 8), 116);
  bytes.write(octal(entry.content.length, 12), 124);
  bytes.write(octal(0, 12), 136);
  bytes.write('        ', 148);
  bytes.write(entry.isDirectory === true ? '5' : '0', 156);
  bytes.write('ustar\x0000', 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}

function tar(entries: Entry[]): Buffer {
  const chunks = entries.flatMap((entry) => {
    const padding = Buffer.alloc((block - (entry.content.length % block)) % block);
    return [header(entry), entry.content, padding];
  });
  return Buffer.concat([...chunks, Buffer.alloc(2 * block)]);
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

export interface ImageContent {
  /** Name of the program's file in the root directory of the image. */
  program: string;
  binary: Buffer;
  /** Words after the program's name; none for a program that is one file. */
  args?: readonly string[];
  /** What the program needs beside it: path in the image (without the first slash) and content. */
  files?: ReadonlyMap<string, Buffer>;
  /** All names under which the image is imported. */
  tags: string[];
}

/** Directories come before what is in them, readable by everybody: those that an unpacker makes by itself are not. */
function entriesOf(files: ReadonlyMap<string, Buffer>): Entry[] {
  const directories = new Set<string>();
  for (const path of files.keys()) {
    const parts = path.split('/').slice(0, -1);
    for (const [index] of parts.entries()) directories.add(`${parts.slice(0, index + 1).join('/')}/`);
  }
  const made = [...directories].map((name) => ({ name, content: Buffer.alloc(0), mode: 0o755, isDirectory: true }));
  return [...made, ...[...files].map(([name, content]) => ({ name, content, mode: 0o755 }))];
}

/** The archive that `ctr images import` reads. The same program always gives the same image, to the byte. */
export function imageArchive({ program, binary, args = [], files = new Map(), tags }: ImageContent): Buffer {
  const layer = tar([{ name: program, content: binary, mode: 0o755 }, ...entriesOf(files)]);
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: [`/${program}`, ...args], User: '65532:65532', WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    history: [{ created_by: 'serin test cluster' }],
  };
  const configText = Buffer.from(JSON.stringify(config));
  const configName = `${sha256(configText)}.json`;
  const manifest = [{ Config: configName, RepoTags: tags, Layers: ['layer.tar'] }];
  return tar([
    { name: configName, content: configText, mode: 0o644 },
    { name: 'layer.tar', content: layer, mode: 0o644 },
    { name: 'manifest.json', content: Buffer.from(JSON.stringify(manifest)), mode: 0o644 },
  ]);
}
