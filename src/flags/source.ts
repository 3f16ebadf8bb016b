/** Owns what a flag target is told about its source: the FlagSource in plain words, with defaults filled in and credentials resolved. */
import type { Secret } from '../signals/secret.ts';

export interface FlagSourceOf {
  /** Name of the FlagSource, for sentences and for the domain of the read-back. */
  readonly name: string;
  readonly verifyWithinMs: number;
  readonly backend: FlagBackend;
}

export type FlagBackend = FeatureFlagBackend | FlagdFileBackend | UnleashBackend | HttpBackend | FliptBackend;

/** FeatureFlag objects of the OpenFeature operator, in the namespace of the Rollout. */
export interface FeatureFlagBackend {
  readonly kind: 'featureFlag';
  /** The override is called after the FeatureFlag that defines the flag, a dash and this. */
  readonly overrideSuffix: string;
  /** Instead: one override of this name for all of the namespace. */
  readonly overrideName?: string;
}

/** A flagd file in one key of a ConfigMap, in the namespace of the Rollout. */
export interface FlagdFileBackend {
  readonly kind: 'flagdFile';
  readonly configMap: string;
  readonly key: string;
  /** From a write until every flagd has read it: how long the nodes need. */
  readonly delayMs: number;
}

/** A server that is called. */
interface Remote {
  /** Base URL, http or https, without credentials, query or a slash at its end. */
  readonly address: string;
  /** How long one request may take. */
  readonly timeoutMs: number;
  /** PEM of the authorities to trust instead of the public ones; whoever makes the dispatcher uses it. */
  readonly caBundle?: string;
}

export interface UnleashBackend extends Remote {
  readonly kind: 'unleash';
  readonly project: string;
  readonly environment: string;
  /** Writes flags: an admin or service account token. */
  readonly auth: FlagCredential;
  /** Reads what the fleet reads: a client (backend) token of the environment. */
  readonly clientAuth: FlagCredential;
}

export interface FliptBackend extends Remote {
  readonly kind: 'flipt';
  readonly environment: string;
  readonly namespace: string;
  readonly auth?: FlagCredential;
}

export interface HttpBackend {
  readonly kind: 'http';
  readonly timeoutMs: number;
  readonly caBundle?: string;
  /** Sent with every request, to the hosts that stand in the URLs and nowhere else. */
  readonly auth?: { readonly header: string; readonly value: Secret };
  readonly write: HttpWrite;
  /** Puts back what the read-back gave before. Absent: `write` with the former value. */
  readonly restore?: HttpWrite;
  readonly readBack: HttpReadBack;
  /** What variants are called by the server, where that is not their name. */
  readonly variants: readonly HttpVariant[];
}

/** Texts with placeholders such as `$(flag)`: `flagPlaceholders` in src/api/flag-http.ts. */
export interface HttpWrite {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly body?: string;
  /** Status codes that mean accepted. */
  readonly success: readonly number[];
}

export interface HttpReadBack {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly body?: string;
  /** JSON pointer (RFC 6901) with placeholders, to what is served. */
  readonly value: string;
  /** JSON pointer to where the change id comes back, if the server can carry one. */
  readonly changeId?: string;
}

export interface HttpVariant {
  readonly name: string;
  /** What `$(value)` stands for in a write. Default: the name. */
  readonly write?: string;
  /** What the read-back gives, as text. Default: what is written. */
  readonly read?: string;
}

/** As it stands in a Secret. */
export type FlagCredential =
  | { readonly kind: 'token'; readonly token: Secret }
  | { readonly kind: 'basic'; readonly username: string; readonly password: Secret };
