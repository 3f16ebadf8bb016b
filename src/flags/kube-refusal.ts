/** Decides what a refusal of the API server means for a change of a flag, and how often a lost race is run again. */
import { isKubeError, type KubeError, type KubeErrorCode } from '../kube/errors.ts';
import { FlagError, type FlagErrorCode } from './flag-error.ts';

/** Among several writers one wins each time; to lose so often is no chance. */
const mostTries = 8;

/** Runs `ask`; what the API server refuses becomes a FlagError that begins with `what`. The reason of `signal` stays itself. */
export async function ofCluster<T>(what: string, ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    signal.throwIfAborted();
    throw isKubeError(error) ? refusal(what, error) : error;
  }
}

/** As `ofCluster`, for a guarded write. False: somebody else was faster, and nothing was written. */
export function written(what: string, write: () => Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  return ofCluster(
    what,
    async () => {
      try {
        await write();
        return true;
      } catch (error) {
        if (isKubeError(error, 'Conflict', 'AlreadyExists')) return false;
        throw error;
      }
    },
    signal,
  );
}

/** Reads and writes again while others are faster. */
export async function untilWritten(what: string, attempt: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < mostTries; tries += 1) if (await attempt()) return;
  throw new FlagError(
    'unreachable',
    `${what}: others changed the object ${mostTries} times in between; Serin tries again.`,
  );
}

function refusal(what: string, error: KubeError): FlagError {
  const { code, whose } = meaning(error);
  const retry = error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs };
  return new FlagError(code, `${what}: ${error.message}; ${whose}.`, { ...retry, cause: error });
}

interface Meaning {
  readonly code: FlagErrorCode;
  readonly whose: string;
}

const meanings: Partial<Record<KubeErrorCode, Meaning>> = {
  Forbidden: { code: 'denied', whose: 'the platform team gives the operator the right' },
  Unauthorized: { code: 'denied', whose: 'the platform team gives the operator the right' },
  NotFound: { code: 'notFound', whose: 'whoever owns it creates it' },
  TooManyRequests: { code: 'rateLimited', whose: 'Serin tries again' },
  Invalid: { code: 'refused', whose: 'whoever owns the object, or the policy that refused it, looks into it' },
};

function meaning({ code, retry }: KubeError): Meaning {
  return meanings[code] ?? { code: retry === 'never' ? 'refused' : 'unreachable', whose: 'Serin tries again' };
}
