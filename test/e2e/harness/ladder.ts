/** What an onlooker sees of a release with a flag: when harm was found, when the canary got nothing any more, and how it is made sound. */
import { setTimeout as sleep } from 'node:timers/promises';
import { routeWrites } from './audit.ts';
import { untilEnded } from './release.ts';
import type { Scene } from './scene.ts';

/** When harm was judged in this release and the ladder begun; where that was too short to be seen, when the brake went on. */
export function harmSeenAtMs(scene: Scene, fromMs: number): number | undefined {
  const since = scene.watcher.history.filter(({ atMs }) => atMs >= fromMs);
  const ladder = since.find(({ ladderSinceMs }) => ladderSinceMs !== undefined && ladderSinceMs >= fromMs);
  return ladder?.ladderSinceMs ?? since.find(({ phase }) => phase === 'Braked' || phase === 'RollingBack')?.atMs;
}

/** When the API server had the write that took the last of the canary's requests away. */
export function weightZeroAtMs(scene: Scene, fromMs: number): number | undefined {
  return routeWrites(scene.audit()).find(
    ({ atMs, canaryPercent }, index, all) =>
      atMs >= fromMs && canaryPercent === 0 && (all[index - 1]?.canaryPercent ?? 0) > 0,
  )?.atMs;
}

/** Releases a version without a fault, whatever its flag says: what served before may fail when the flag is turned on. */
export async function releaseSound(scene: Scene): Promise<void> {
  const { name, ...next } = scene.nextVersion();
  await scene.git.release(next);
  const ending = await untilEnded(scene, name, 300_000);
  if (ending.kind !== 'promoted') throw new Error(`the sound version ${name} was rolled back: ${ending.message}`);
}

/** What the flag is some seconds after it became what was expected, or at the end of the time that it had for it. */
export async function flagAfter({ stage }: Scene, expected: 'on' | 'off', withinMs: number): Promise<'on' | 'off'> {
  const now = async () => ((await stage.flag.isOn()) ? 'on' : 'off');
  for (const endMs = Date.now() + withinMs; Date.now() < endMs && (await now()) !== expected; ) await sleep(250);
  await sleep(5000);
  return now();
}
