/** Talks to the pods of the application on their control port: this is how an incident hits all versions alike. */
import type { Scene } from './scene.ts';

const controlPort = 8081;

/** While `incident` lasts every pod of the scene, also one that starts meanwhile, fails this part of its requests. */
export async function failEverywhere(scene: Scene, errorRate: number, incident: Promise<unknown>): Promise<void> {
  const touched = new Set<string>();
  const hit = async () => {
    for (const address of addressesOf(scene).filter((one) => !touched.has(one))) {
      if (await setErrorRate(address, errorRate)) touched.add(address);
    }
  };
  await hit();
  const timer = setInterval(() => void hit(), 200);
  await incident;
  clearInterval(timer);
  await Promise.all([...touched].map((address) => setErrorRate(address, 0)));
}

function addressesOf(scene: Scene): string[] {
  return scene.watcher.pods
    .filter((pod) => pod.status?.phase === 'Running' && pod.metadata.deletionTimestamp === undefined)
    .flatMap((pod) => pod.status?.podIP ?? []);
}

/** False when the pod does not answer: it is starting or ending. */
async function setErrorRate(address: string, errorRate: number): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(1000);
    const body = JSON.stringify({ errorRate });
    const answer = await fetch(`http://${address}:${controlPort}/_control`, { method: 'POST', body, signal });
    return answer.ok;
  } catch {
    return false;
  }
}
