// Says why no whole answer came from a metric source, by the codes of Node and undici, and what to look at. It never
// shows more than the error's own first line.
import { shown } from './said.ts';

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_UNTRUSTED',
]);

/** The rest of a sentence that begins with the source; without its full stop. */
export function whyUnreachable(error: unknown, kind: 'MetricSource' | 'FlagSource' = 'MetricSource'): string {
  const code = codeOf(error);
  const words = wordsOf(error);
  if (code === 'ECONNREFUSED')
    return 'cannot be reached: it refuses connections; nothing listens at this address, or it is starting';
  if (code === 'ENOTFOUND') return `cannot be reached: its name is not known (${words}); correct the address`;
  if (code === 'EAI_AGAIN')
    return `cannot be reached: its name cannot be looked up now (${words}); see the DNS of the cluster`;
  if (untrusted.has(code))
    return `has a certificate that Serin does not trust (${words}); set caBundle of the ${kind} to its authority, or NODE_EXTRA_CA_CERTS of the operator`;
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return 'cannot be reached: it does not speak TLS at this address; an address without TLS begins with http://';
  if (nameOf(error) === 'HTTPParserError')
    return 'cannot be reached: what answers at this address does not speak HTTP; check scheme and port';
  if (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH')
    return `broke off before its answer was whole (${words}); see its logs, or those of the proxy before it`;
  return `cannot be reached: ${words}`;
}

function codeOf(error: unknown): string {
  const { code } = Object(error) as { readonly code?: unknown };
  if (typeof code === 'string') return code;
  const inner = innerOf(error);
  return inner === undefined ? '' : codeOf(inner);
}

function nameOf(error: unknown): string {
  return String(Object(error).name);
}

function wordsOf(error: unknown): string {
  const { message } = Object(error) as { readonly message?: unknown };
  if (typeof message === 'string' && message !== '') return shown(message);
  const inner = innerOf(error);
  return inner === undefined ? 'the connection failed' : wordsOf(inner);
}

/** Several addresses of one name fail as one error, and an error may have a cause. */
function innerOf(error: unknown): unknown {
  const { errors, cause } = Object(error) as { readonly errors?: unknown; readonly cause?: unknown };
  return Array.isArray(errors) ? errors[0] : cause;
}
