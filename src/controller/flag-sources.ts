/** Decides which FlagSource a Rollout means, and reads it into what the flag targets are told; it never contacts one. */
import { parseDurationMs, parseSpanMs } from '../api/duration.ts';
import { flagSourceDefaults, type FlagSourceSpec, flagSourceSpecSchema } from '../api/flag-source.ts';
import type { FlagBackend, FlagSourceOf, HttpBackend } from '../flags/source.ts';
import { Secret } from '../signals/secret.ts';
import { firstIssue, isCertificate } from './metric-sources.ts';
import type { KnownCredential, SourceDemands } from './source-access.ts';
import type { FlagSource } from './stores.ts';

export type NamedFlagSource =
  /** It is not there or cannot be used; the sentence says which and whose move it is. */
  | { readonly kind: 'missing'; readonly sentence: string }
  | {
      readonly kind: 'found';
      readonly demands: SourceDemands;
      /** With the credentials that are demanded, in their order. */
      readonly withCredentials: (credentials: readonly KnownCredential[]) => FlagSourceOf;
    };

/** Which of them is kept so short that a hanging backend is given up, and so long that flagd sees a changed file. */
const withinMs = { least: 1_000, most: 300_000 } as const;
const requestMs = { least: 500, most: 10_000 } as const;

export function flagSourceOf(sources: readonly FlagSource[], name: string): NamedFlagSource {
  const named = sources.find(({ metadata }) => metadata.name === name);
  if (named === undefined)
    return {
      kind: 'missing',
      sentence: `FlagSource ${name} does not exist; the platform team creates it, or correct the name in the Rollout.`,
    };
  const parsed = flagSourceSpecSchema.safeParse(named.spec);
  if (!parsed.success) return unusable(name, firstIssue(parsed.error.issues));
  const why = whyUnusable(parsed.data);
  return why === undefined ? found(name, parsed.data) : unusable(name, why);
}

function found(name: string, spec: FlagSourceSpec): NamedFlagSource {
  const verifyWithinMs = verifyMsOf(spec);
  return {
    kind: 'found',
    demands: { secretRefs: secretRefsOf(spec), caBundle: serverOf(spec)?.caBundle, namespaces: spec.namespaces },
    withCredentials: (credentials) => ({ name, verifyWithinMs, backend: backendOf(spec, credentials) }),
  };
}

function secretRefsOf({ unleash, flipt, http }: FlagSourceSpec): SourceDemands['secretRefs'] {
  return [unleash?.auth, unleash?.clientAuth, flipt?.auth, http?.auth].flatMap((auth) => auth?.secretRef ?? []);
}

function backendOf(spec: FlagSourceSpec, credentials: readonly KnownCredential[]): FlagBackend {
  const { featureFlag, flagdFile, unleash, flipt, http } = spec;
  if (featureFlag !== undefined) {
    const { overrideName, overrideSuffix = flagSourceDefaults.overrideSuffix } = featureFlag;
    return { kind: 'featureFlag', overrideSuffix, ...(overrideName === undefined ? {} : { overrideName }) };
  }
  if (flagdFile !== undefined) {
    const { configMap, key, delay = flagSourceDefaults.fileDelay } = flagdFile;
    return { kind: 'flagdFile', configMap, key, delayMs: parseDurationMs(delay) };
  }
  if (unleash !== undefined) return unleashBackend(unleash, credentials);
  if (flipt !== undefined) return fliptBackend(flipt, credentials);
  if (http !== undefined) return httpBackend(http, credentials);
  throw new Error('a FlagSource without a backend passed its schema');
}

function unleashBackend(
  unleash: NonNullable<FlagSourceSpec['unleash']>,
  [auth, clientAuth]: readonly KnownCredential[],
): FlagBackend {
  return {
    kind: 'unleash',
    ...remote(unleash),
    project: unleash.project ?? flagSourceDefaults.project,
    environment: unleash.environment,
    auth: demanded(auth).parts,
    clientAuth: demanded(clientAuth).parts,
  };
}

function fliptBackend(flipt: NonNullable<FlagSourceSpec['flipt']>, [auth]: readonly KnownCredential[]): FlagBackend {
  return {
    kind: 'flipt',
    ...remote(flipt),
    environment: flipt.environment ?? flagSourceDefaults.fliptEnvironment,
    namespace: flipt.namespace ?? flagSourceDefaults.fliptNamespace,
    ...(auth === undefined ? {} : { auth: auth.parts }),
  };
}

function httpBackend(http: NonNullable<FlagSourceSpec['http']>, [credential]: readonly KnownCredential[]): HttpBackend {
  const { auth, readBack, write, restore, variants = [] } = http;
  return {
    kind: 'http',
    timeoutMs: timeoutMsOf(http),
    ...trust(http),
    ...(auth === undefined
      ? {}
      : {
          auth: {
            header: auth.header ?? flagSourceDefaults.header,
            value: headerValue(demanded(credential), auth.scheme),
          },
        }),
    write: httpWrite(write),
    ...(restore === undefined ? {} : { restore: httpWrite(restore) }),
    readBack: {
      method: readBack.method ?? flagSourceDefaults.readBackMethod,
      url: readBack.url,
      headers: readBack.headers ?? [],
      value: readBack.value,
      ...(readBack.body === undefined ? {} : { body: readBack.body }),
      ...(readBack.changeId === undefined ? {} : { changeId: readBack.changeId }),
    },
    variants: variants.map(({ name, write: written, read }) => ({
      name,
      ...(written === undefined ? {} : { write: written }),
      ...(read === undefined ? {} : { read }),
    })),
  };
}

function httpWrite({
  method,
  url,
  headers = [],
  body,
  success,
}: NonNullable<FlagSourceSpec['http']>['write']): HttpBackend['write'] {
  return {
    method,
    url,
    headers,
    success: success ?? flagSourceDefaults.success,
    ...(body === undefined ? {} : { body }),
  };
}

/** A user and a password are always sent as Basic. */
function headerValue({ parts, authorization }: KnownCredential, scheme: string = flagSourceDefaults.scheme): Secret {
  if (parts.kind === 'basic') return authorization;
  return scheme === 'none' ? parts.token : new Secret(`${scheme} ${parts.token.reveal()}`);
}

interface Server {
  readonly timeout?: string | undefined;
  readonly caBundle?: string | undefined;
}

function serverOf({ unleash, flipt, http }: FlagSourceSpec): (Server & { readonly address?: string }) | undefined {
  return unleash ?? flipt ?? http;
}

function remote(server: Server & { readonly address: string }) {
  return { address: server.address.replace(/\/+$/, ''), timeoutMs: timeoutMsOf(server), ...trust(server) };
}

function trust({ caBundle }: Server) {
  return caBundle === undefined ? {} : { caBundle };
}

function timeoutMsOf({ timeout = flagSourceDefaults.timeout }: Server): number {
  return parseSpanMs(timeout);
}

function verifyMsOf({ verify, flagdFile }: FlagSourceSpec): number {
  const usual = flagdFile === undefined ? flagSourceDefaults.verifyWithin : flagSourceDefaults.verifyFileWithin;
  return parseDurationMs(verify?.within ?? usual);
}

/** What no pattern of the API server sees. */
function whyUnusable(spec: FlagSourceSpec): string | undefined {
  const server = serverOf(spec);
  const within = verifyMsOf(spec);
  if (within < withinMs.least || within > withinMs.most)
    return `spec.verify.within: ${spec.verify?.within} is not between 1s and 5m`;
  if (server === undefined) return undefined;
  const ms = timeoutMsOf(server);
  if (ms < requestMs.least || ms > requestMs.most)
    return `spec: timeout ${server.timeout} is not between 500ms and 10s`;
  if (server.address !== undefined && !URL.canParse(server.address)) return `spec: ${server.address} is no address`;
  if (server.caBundle !== undefined && !isCertificate(server.caBundle))
    return 'spec: caBundle holds no certificate that can be read (PEM, "-----BEGIN CERTIFICATE-----")';
  return undefined;
}

function demanded(credential: KnownCredential | undefined): KnownCredential {
  if (credential === undefined) throw new Error('a FlagSource was opened without the credential that it demands');
  return credential;
}

function unusable(name: string, why: string): NamedFlagSource {
  return { kind: 'missing', sentence: `FlagSource ${name} cannot be used: ${why}; the platform team corrects it.` };
}
