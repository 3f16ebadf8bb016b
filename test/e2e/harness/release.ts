/** Follows one release from the apply to its end, as people would who look at the Rollout; it decides what counts as the end. */
import type { Scene } from './scene.ts';
import type { StatusMoment } from './observe.ts';
import { versionOf } from './observe.ts';

export interface Ending {
  readonly kind: 'promoted' | 'rolledBack';
  readonly message: string;
  readonly atMs: number;
}

/** How the release of this version ended, if it has. */
export function endingOf(scene: Scene, version: string): Ending | undefined {
  const { status } = scene.watcher;
  if (status.journal?.attempt !== undefined) return undefined;
  const set = scene.watcher.setOf(version);
  if (set === undefined) return undefined;
  const hash = set.metadata.labels?.['pod-template-hash'];
  const message = status.message ?? '';
  if (status.phase === 'Idle' && status.stable?.uid === set.metadata.uid)
    return { kind: 'promoted', message, atMs: Date.now() };
  const isRejected = status.quarantined?.some((one) => one.hash === hash) === true;
  if (status.phase === 'RolledBack' && isRejected) return { kind: 'rolledBack', message, atMs: Date.now() };
  return undefined;
}

/** Waits for the end. Throws with what was seen when there is none in time. */
export function untilEnded(scene: Scene, version: string, withinMs: number): Promise<Ending> {
  return scene.watcher.until(`the release of ${version} to end`, () => endingOf(scene, version), withinMs);
}

/** Waits until the version is at this stage (and step, from 0). A release that ends before is an error at once. */
export function untilStage(scene: Scene, version: string, stage: string, step: number | undefined, withinMs: number) {
  const what = `${version} to be at stage ${stage}${step === undefined ? '' : `, step ${step + 1}`}`;
  return scene.watcher.until(
    what,
    () => {
      const ending = endingOf(scene, version);
      if (ending !== undefined)
        throw new Error(`${version} was ${ending.kind} while the story waited for ${what}: ${ending.message}`);
      const attempt = scene.watcher.status.journal?.attempt;
      return attempt?.stage === stage && (step === undefined || attempt.step === step) && isAbout(scene, version);
    },
    withinMs,
  );
}

/** Waits until the route sends this percentage to the canary. */
export function untilWeight(scene: Scene, weightPercent: number, withinMs: number): Promise<unknown> {
  const { watcher } = scene;
  return watcher.until(
    `the canary to have ${weightPercent}%`,
    () => watcher.status.canary?.weight === weightPercent,
    withinMs,
  );
}

/** The live template is of this version, so an attempt that runs is its own (or ends to make room for it). */
function isAbout(scene: Scene, version: string): boolean {
  const { deployment } = scene.watcher;
  const set = scene.watcher.setOf(version);
  const hash = set?.metadata.labels?.['pod-template-hash'];
  const attempt = scene.watcher.status.journal?.attempt;
  if (deployment === undefined || versionOf(deployment.spec.template.spec) !== version) return false;
  return set === undefined ? attempt?.stage === 'begin' : attempt?.hash === hash;
}

/** What status showed from a moment on. */
export function momentsSince(scene: Scene, fromMs: number, toMs = Number.POSITIVE_INFINITY): StatusMoment[] {
  return scene.watcher.history.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
}
