/** Turns every failure of talking to the API server into one typed error that says whose move it is; it never shows bodies, headers or credentials. */
import { DeadlineExceeded } from './deadline.ts';
import { LineTooLong } from './lines.ts';

export type KubeErrorCode =
  | 'NotFound'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Invalid'
  | 'Forbidden'
  | 'Unauthorized'
  | 'Gone'
  | 'TooManyRequests'
  | 'Unavailable'
  | 'Timeout'
  | 'Network'
  | 'Aborted'
  | 'Unexpected';

/** `now`: the same call may be made again at once (after re-reading, for a Conflict). `never`: only another request can succeed. */
export type RetryClass = 'now' | 'backoff' | 'never';

/** One field that the API server named as the reason. */
export interface KubeErrorCause {
  readonly field?: string;
  readonly reason?: string;
  readonly message?: string;
}

export interface KubeErrorFacts {
  readonly code: KubeErrorCode;
  readonly retry: RetryClass;
  readonly httpStatus?: number;
  /** `status.reason` of the API server, such as `AlreadyExists` or `FieldManagerConflict`. */
  readonly reason?: string;
  readonly causes?: readonly KubeErrorCause[];
  /** How long the server asked to wait, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** Thrown by everything in this folder that talks to the API server. */
export class KubeError extends Error {
  override readonly name = 'KubeError';
  readonly code: KubeErrorCode;
  readonly retry: RetryClass;
  readonly httpStatus: number | undefined;
  readonly reason: string | undefined;
  readonly causes: readonly KubeErrorCause[];
  readonly retryAfterMs: number | undefined;

  constructor(message: string, facts: KubeErrorFacts) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = facts.code;
    this.retry = facts.retry;
    this.httpStatus = facts.httpStatus;
    this.reason = facts.reason;
    this.causes = facts.causes ?? [];
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** True for a KubeError of one of these codes. */
export function isKubeError(error: unknown, ...codes: readonly KubeErrorCode[]): error is KubeError {
  return error instanceof KubeError && (codes.length === 0 || codes.includes(error.code));
}

/** What an error needs to know of a request. */
interface Tried {
  readonly method: string;
  readonly path: string;
  readonly action?: string;
}

/** The error for an answer that is not a success. Only the `message`, `reason` and `causes` of a Status object are used. */
export function errorOfAnswer(
  tried: Tried,
  httpStatus: number,
  body: string,
  retryAfter: string | undefined,
): KubeError {
  const status = statusIn(body);
  const causes = (status?.details?.causes ?? []).slice(0, 20);
  const retryAfterMs = retryAfterOf(retryAfter, status?.details?.retryAfterSeconds);
  const said = status?.message ?? `HTTP ${httpStatus}`;
  return new KubeError(`${actionOf(tried)}: the API server refused: ${said.slice(0, 1000)}`, {
    ...classOf(httpStatus, status?.reason, causes),
    httpStatus,
    causes,
    ...(status?.reason === undefined ? {} : { reason: status.reason }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** The error for a Status object inside a watch. */
export function errorOfStatus(tried: Tried, status: unknown): KubeError {
  const code = typeof status === 'object' && status !== null && 'code' in status ? Number(status.code) : 500;
  return errorOfAnswer(tried, code, JSON.stringify(status), undefined);
}

/** The error for anything thrown on the way: a KubeError stays itself; `signal` is the caller's. */
export function errorOfFailure(tried: Tried, error: unknown, signal?: AbortSignal): KubeError {
  if (error instanceof KubeError) return error;
  const action = actionOf(tried);
  const doubt = tried.method === 'GET' ? '' : '; whether it took effect is unknown';
  if (error instanceof DeadlineExceeded) {
    return new KubeError(`${action}: ${error.message} from the API server${doubt}`, {
      code: 'Timeout',
      retry: 'backoff',
      cause: error,
    });
  }
  if (signal?.aborted) {
    return new KubeError(`${action}: given up because the caller stopped${doubt}`, {
      code: 'Aborted',
      retry: 'never',
      cause: error,
    });
  }
  if (error instanceof LineTooLong) {
    return new KubeError(`${action}: ${error.message}`, { code: 'Unexpected', retry: 'backoff', cause: error });
  }
  const why = error instanceof Error ? ('code' in error ? String(error.code) : error.message) : String(error);
  return new KubeError(`${action}: cannot talk to the API server (${why})${doubt}`, {
    code: 'Network',
    retry: 'backoff',
    cause: error,
  });
}

export function actionOf(tried: Tried): string {
  return tried.action ?? `${tried.method} ${tried.path}`;
}

/** By HTTP status; what is not listed is unexpected and tried again with patience. */
const classes: Readonly<Record<number, { readonly code: KubeErrorCode; readonly retry: RetryClass }>> = {
  400: { code: 'Invalid', retry: 'never' },
  401: { code: 'Unauthorized', retry: 'backoff' },
  403: { code: 'Forbidden', retry: 'never' },
  404: { code: 'NotFound', retry: 'never' },
  409: { code: 'Conflict', retry: 'now' },
  410: { code: 'Gone', retry: 'now' },
  413: { code: 'Invalid', retry: 'never' },
  415: { code: 'Invalid', retry: 'never' },
  422: { code: 'Invalid', retry: 'never' },
  429: { code: 'TooManyRequests', retry: 'backoff' },
  500: { code: 'Unavailable', retry: 'backoff' },
  502: { code: 'Unavailable', retry: 'backoff' },
  503: { code: 'Unavailable', retry: 'backoff' },
  504: { code: 'Timeout', retry: 'backoff' },
};

function classOf(httpStatus: number, reason: string | undefined, causes: readonly KubeErrorCause[]) {
  if (reason === 'AlreadyExists') return { code: 'AlreadyExists', retry: 'never' } as const;
  // Another manager owns a field: reading again changes nothing, a person or `force` must decide.
  if (causes.some((cause) => cause.reason === 'FieldManagerConflict'))
    return { code: 'Conflict', retry: 'never' } as const;
  return classes[httpStatus] ?? ({ code: 'Unexpected', retry: 'backoff' } as const);
}

interface StatusObject {
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes?: readonly KubeErrorCause[]; readonly retryAfterSeconds?: number };
}

/** A Status object, or nothing: what is not one may be anybody's page and is not shown. */
function statusIn(body: string): StatusObject | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return isStatus(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isStatus(value: unknown): value is StatusObject {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'Status';
}

function retryAfterOf(header: string | undefined, inStatus: number | undefined): number | undefined {
  const seconds = header !== undefined && /^\d+$/.test(header) ? Number(header) : inStatus;
  return seconds === undefined || !Number.isFinite(seconds) || seconds <= 0 ? undefined : seconds * 1000;
}
