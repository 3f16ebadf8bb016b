/** Images without a registry: archives written here and imported into our containerd. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { imageArchive } from './archive.ts';
import { binaryPath } from './binaries.ts';
import { ctr, pauseImage } from './containerd.ts';
import { clusterPath } from './state.ts';

/** Name without tag of the image that tests deploy. */
const workloadImage = 'serin.test/workload';

/** All tags are the same program: templates differ by image without a build for each. */
export const workloadTags: readonly string[] = Array.from({ length: 60 }, (_, index) => `v${index + 1}`);

async function importImage(program: 'workload' | 'pause', tags: string[]): Promise<void> {
  const archive = clusterPath('images', `${program}.tar`);
  writeFileSync(archive, imageArchive({ program, binary: readFileSync(binaryPath(program)), tags }));
  await ctr(['images', 'import', archive]);
  rmSync(archive);
}

/** Imports both images, once per built version of their programs. */
export async function importImages(): Promise<void> {
  const marker = clusterPath('images', 'imported');
  const version = binaryPath('workload');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === version) return;
  await importImage('pause', [pauseImage]);
  await importImage(
    'workload',
    workloadTags.map((tag) => `${workloadImage}:${tag}`),
  );
  writeFileSync(marker, version);
}
