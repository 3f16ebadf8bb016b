/** Reads the credential in a Secret that a source names. What it says about a Secret never holds anything of its content. */
import { Secret } from '../signals/secret.ts';

/** A Secret (core/v1), as far as it is read. */
export interface SecretObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

export type Credential =
  | {
      readonly kind: 'known';
      /** As the header of that name has it. */
      readonly authorization: Secret;
      readonly parts: CredentialParts;
    }
  /** To be put after "Secret …: ". */
  | { readonly kind: 'wrong'; readonly why: string };

/** As they stand in the Secret. */
type CredentialParts =
  | { readonly kind: 'token'; readonly token: Secret }
  | { readonly kind: 'basic'; readonly username: string; readonly password: Secret };

const mostBytes = 8 * 1024;

export function credentialIn({ type, data = {} }: SecretObject): Credential {
  // Such a token is an account of the cluster's, and no address of anybody may be sent it.
  if (type?.startsWith('kubernetes.io/service-account-token') === true)
    return wrong('it is the token of an account of this cluster, which is never sent to a server that somebody names');
  if (data['token'] !== undefined) return bearer(textOf(data['token']));
  if (data['username'] !== undefined && data['password'] !== undefined)
    return basic(textOf(data['username']), textOf(data['password']));
  return wrong('it has neither the key token nor the keys username and password');
}

function bearer(token: string | undefined): Credential {
  if (token === undefined || !/^[!-~]+$/.test(token))
    return wrong('its token is empty, longer than 8 KiB, or holds characters that no header can carry');
  return {
    kind: 'known',
    authorization: new Secret(`Bearer ${token}`),
    parts: { kind: 'token', token: new Secret(token) },
  };
}

function basic(username: string | undefined, password: string | undefined): Credential {
  if (username === undefined || password === undefined || username === '' || /[:\p{Cc}]/u.test(username))
    return wrong('its username is empty or holds a colon, or one of the two is longer than 8 KiB');
  return {
    kind: 'known',
    authorization: new Secret(`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`),
    parts: { kind: 'basic', username, password: new Secret(password) },
  };
}

/** Without the line break that an editor or `echo` leaves at its end. */
function textOf(base64: string): string | undefined {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length > mostBytes ? undefined : bytes.toString('utf8').replace(/[\r\n]+$/, '');
}

function wrong(why: string): Credential {
  return { kind: 'wrong', why };
}
