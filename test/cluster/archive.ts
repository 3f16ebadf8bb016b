/** A docker-archive written by hand: one layer with one static program is all an image takes. */
import { createHash } from 'node:crypto';

interface Entry {
  name: string;
  content: Buffer;
  mode: number;
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
  bytes.write('0', 156);
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
  /** All names under which the image is imported. */
  tags: string[];
}

/** The archive that `ctr images import` reads. The same program always gives the same image, to the byte. */
export function imageArchive({ program, binary, tags }: ImageContent): Buffer {
  const layer = tar([{ name: program, content: binary, mode: 0o755 }]);
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: [`/${program}`], User: '65532:65532', WorkingDir: '/' },
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
