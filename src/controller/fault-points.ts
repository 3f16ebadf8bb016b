/**
 * Ends the process by SIGKILL directly before or after its N-th write of a release, so that tests can stop the operator
 * at every line of every sequence. A test facility: it does nothing unless SERIN_FAULT_POINT asks for it.
 */
import type { KubeRequest, WriteHook } from '../kube/transport.ts';

export interface FaultPoint {
  readonly when: 'before' | 'after';
  /** Counted from 1. `before` counts the writes that are about to be sent, `after` those that succeeded. */
  readonly write: number;
}

/** Reads `before:3` or `after:12`; undefined when nothing is asked. Throws a RangeError with the accepted form. */
export function readFaultPoint(text: string | undefined): FaultPoint | undefined {
  if (text === undefined || text === '') return undefined;
  const found = /^(before|after):([1-9][0-9]{0,5})$/.exec(text);
  if (found === null)
    throw new RangeError(`SERIN_FAULT_POINT is "${text}"; write before:N or after:N with N counted from 1.`);
  return { when: found[1] === 'before' ? 'before' : 'after', write: Number(found[2]) };
}

/** `die` must not return; the default kills this process as `kill -9` would. */
export function faultHook(point: FaultPoint, die: () => void = killSelf): WriteHook {
  const seen = { before: 0, after: 0 };
  const pass = (when: 'before' | 'after', request: KubeRequest): void => {
    if (!isReleaseWrite(request)) return;
    seen[when]++;
    if (when === point.when && seen[when] === point.write) die();
  };
  return { before: (request) => pass('before', request), after: (request) => pass('after', request) };
}

/** The Lease and Events belong to no release: counting them would make N depend on the time of day. */
export function isReleaseWrite(request: Pick<KubeRequest, 'path'>): boolean {
  return !/^\/apis?\/[^/]+(\/[^/]+)?(\/namespaces\/[^/]+)?\/(leases|events)(\/[^/]+)?$/.test(request.path);
}

function killSelf(): void {
  process.kill(process.pid, 'SIGKILL');
  // Should the signal take a moment: nothing more may leave this process.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
