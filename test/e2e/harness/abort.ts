/** Aborts a release as a person does: one RolloutAction. */
import { rolloutActionKind } from '../../../src/api/kinds.ts';
import type { Scene } from './scene.ts';
import { shopName } from './shop.ts';

/** Asks for it; the answer and the way back are for the operator, which need not run at this moment. */
export async function abort(scene: Scene, version: string): Promise<void> {
  const revision = scene.watcher.setOf(version)?.metadata.labels?.['pod-template-hash'];
  if (revision === undefined) throw new Error(`${version} has no ReplicaSet that could be aborted`);
  const spec = { rollout: shopName, action: 'abort', revision, by: 'admin' };
  const metadata = { generateName: `${shopName}-abort-`, namespace: scene.namespace };
  await scene.ground.admin.create(rolloutActionKind, { metadata, spec });
}
