/**
 * Ends the process by SIGKILL directly before or after its N-th write of a release, or its N-th change of a flag, so that
 * tests can stop the operator at every line of every sequence. A test facility: it does nothing unless SERIN_FAULT_POINT asks for it.
 */
import type { FlagWriteHook } from './flags.ts';
import type { KubeRequest, WriteHook } from '../kube/transport.ts';

export interface FaultPoint {
  readonly when: 'before' | 'after';
  /** Writes to the API server, or calls of a flag backend that may write. Default: to the API server. */
  readonly of?: 'release' | 'flag';
  /** Counted from 1. `before` counts the writes that are about to be sent, `after` those that succeeded. */
  readonly write: number;
}

/** Reads `before:3`, `after:12` or `before-flag:1`; undefined when nothing is asked. Throws a RangeError with the accepted form. */
export function readFaultPoint(text: string | undefined): FaultPoint | undefined {
  if (text === undefined || text === '') return undefined;
  const found = /^(before|after)(-flag)?:([1-9][0-9]{0,5})$/.exec(text);
  if (found === null)
    throw new RangeError(
      `SERIN_FAULT_POINT is "${text}"; write before:N or after:N, before-flag:N or after-flag:N, with N counted from 1.`,
    );
  return {
    when: found[1] === 'before' ? 'before' : 'after',
    ...(found[2] === undefined ? {} : { of: 'flag' }),
    write: Number(found[3]),
  };
}

/** `die` must not return; the default kills this process as `kill -9` would. */
export function faultHook(point: FaultPoint, die: () => void = killSelf): WriteHook {
  const pass = point.of === 'flag' ? () => undefined : passing(point, die);
  const passRelease = (when: FaultPoint['when'], request: KubeRequest): void => {
    if (isReleaseWrite(request)) pass(when);
  };
  return { before: (request) => passRelease('before', request), after: (request) => passRelease('after', request) };
}

/** The same around calls of flag backends. */
export function flagFaultHook(point: FaultPoint, die: () => void = killSelf): FlagWriteHook {
  const pass = point.of === 'flag' ? passing(point, die) : () => undefined;
  return { before: () => pass('before'), after: () => pass('after') };
}

function passing(point: FaultPoint, die: () => void): (when: FaultPoint['when']) => void {
  const seen = { before: 0, after: 0 };
  return (when) => {
    seen[when]++;
    if (when === point.when && seen[when] === point.write) die();
  };
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
