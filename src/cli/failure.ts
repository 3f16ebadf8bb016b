/** Turns whatever went wrong into one line that says whose move it is, and an exit code; it never shows a stack or a credential. */
import { EXIT } from '../api/reasons.ts';
import { KubeError } from '../kube/errors.ts';

/** Something the program itself refuses or could not do. The message is a sentence without a capital, for after "error: ". */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.error) {
    super(message);
    this.exitCode = exitCode;
  }
}

export interface Failure {
  readonly line: string;
  readonly exitCode: number;
}

/** `programName` is how the user called it: "serin" or "kubectl serin". */
export function failureOf(error: unknown, programName: string): Failure {
  if (error instanceof CliError) return { line: `error: ${error.message}`, exitCode: error.exitCode };
  if (error instanceof KubeError) return failureOfKube(error, programName);
  return { line: `error: ${error instanceof Error ? error.message : String(error)}`, exitCode: EXIT.error };
}

function failureOfKube(error: KubeError, programName: string): Failure {
  const words = serverWords(error);
  switch (error.code) {
    case 'NotFound':
      return {
        line: fromServer(error, `${words}; ${absenceHint(words, programName)}`),
        exitCode: EXIT.notFoundOrForbidden,
      };
    case 'Forbidden':
      return { line: fromServer(error, words), exitCode: EXIT.notFoundOrForbidden };
    case 'Unauthorized':
      return { line: `error: ${notLoggedIn(error)}`, exitCode: EXIT.error };
    case 'Network':
    case 'Timeout':
      return {
        line: `Unable to connect to the server: ${error.message}; check the cluster and --context`,
        exitCode: EXIT.error,
      };
    case 'Invalid':
      return { line: fromServer(error, `${words}${stampHint(error)}`), exitCode: EXIT.error };
    case 'AlreadyExists':
    case 'Conflict':
    case 'Gone':
    case 'TooManyRequests':
    case 'Unavailable':
      return { line: fromServer(error, `${words}; try again`), exitCode: EXIT.error };
    case 'Aborted':
    case 'Unexpected':
      return { line: fromServer(error, words), exitCode: EXIT.error };
    default:
      return error.code satisfies never;
  }
}

/** What the API server itself said, without what was tried: kubectl prints it so. */
function serverWords(error: KubeError): string {
  const [, said] = error.message.split(': the API server refused: ');
  return said ?? error.message;
}

function fromServer(error: KubeError, words: string): string {
  return `Error from server (${error.reason ?? error.code}): ${words}`;
}

const rollouts = 'rollouts.serin.dev';

function absenceHint(words: string, programName: string): string {
  if (words.includes('could not find the requested resource'))
    return 'this cluster does not know Rollouts: install the CRDs with kubectl apply --server-side -f crds';
  const [, resource = rollouts] = /^(\S+) "[^"]+" not found/.exec(words) ?? [];
  const listing = resource === rollouts ? `${programName} get` : `kubectl get ${resource}`;
  return `see which there are with ${listing} -A`;
}

function notLoggedIn(error: KubeError): string {
  return error.httpStatus === undefined
    ? error.message
    : 'You must be logged in to the server (Unauthorized); log in again or check the credentials of the context';
}

/** `by` is filled in by an admission policy; where that is missing the schema refuses the object. */
function stampHint(error: KubeError): string {
  const isStamp = error.causes.some((cause) => cause.field === 'spec.by') || error.message.includes('spec.by');
  return isStamp ? '; the policy that fills in who asked is missing: the platform team installs deploy/policies' : '';
}
