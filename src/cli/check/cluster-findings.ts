/** Looks at what the cluster itself offers: versions, kinds, admission policies. It says nothing about one workload. */
import {
  API_GROUP,
  API_VERSION,
  metricSourceKind,
  releaseRecordKind,
  rolloutActionKind,
  rolloutKind,
} from '../../api/kinds.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isKubeError } from '../../kube/errors.ts';
import type { KubeObject, ResourceKind } from '../../kube/resources.ts';
import { type Finding, findingsOf, install } from './finding.ts';

const { ok, warn, fail, unknown } = findingsOf('cluster');

const admission = { group: 'admissionregistration.k8s.io', version: 'v1', namespaced: false } as const;

/** The policies of deploy/policies: the name of each, by what it does to a write. */
export const shippedPolicies = {
  mutating: ['serin-attach', 'serin-guard', 'serin-pin', 'serin-stamp'],
  validating: [
    'serin-anchor',
    'serin-dry-run-only',
    'serin-pause-guard',
    'serin-stamp',
    'serin-status',
    'serin-tenancy-actions',
    'serin-tenancy-rollouts',
    'serin-warn',
  ],
} as const;

/** What of the API server other findings depend on. */
export interface Features {
  readonly mutatingPolicies: boolean;
  readonly validatingPolicies: boolean;
  readonly serinKinds: boolean;
  readonly httpRoutes: boolean;
}

export async function clusterFindings(
  client: KubeClient,
): Promise<{ readonly features: Features; readonly findings: readonly Finding[] }> {
  const [version, policies, serin, gateway] = await Promise.all([
    versionOf(client),
    resourcesOf(client, `${admission.group}/${admission.version}`),
    resourcesOf(client, `${API_GROUP}/${API_VERSION}`),
    resourcesOf(client, 'gateway.networking.k8s.io/v1'),
  ]);
  const features: Features = {
    mutatingPolicies: policies.has('mutatingadmissionpolicies'),
    validatingPolicies: policies.has('validatingadmissionpolicies'),
    serinKinds: serin.has(rolloutKind.plural),
    httpRoutes: gateway.has('httproutes'),
  };
  const findings = [
    ok(`The API server is Kubernetes ${version}.`),
    guardFinding(features),
    kindsFinding(serin),
    ...(await policyFindings(client, features)),
    gatewayFinding(features),
  ];
  return { features, findings };
}

async function versionOf({ transport }: KubeClient): Promise<string> {
  const { gitVersion } = await transport.request<{ gitVersion?: string }>({
    method: 'GET',
    path: '/version',
    action: 'ask the API server for its version',
  });
  return gitVersion ?? 'of an unknown version';
}

/** Plural names of what a group and version serve; none when the API server does not know it. */
async function resourcesOf({ transport }: KubeClient, groupVersion: string): Promise<ReadonlySet<string>> {
  try {
    const { resources = [] } = await transport.request<{ resources?: readonly { readonly name: string }[] }>({
      method: 'GET',
      path: `/apis/${groupVersion}`,
      action: `ask what ${groupVersion} has`,
    });
    return new Set(resources.map(({ name }) => name));
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return new Set();
    throw error;
  }
}

function guardFinding({ mutatingPolicies, validatingPolicies }: Features): Finding {
  if (mutatingPolicies)
    return ok('It has MutatingAdmissionPolicy v1: a new template is held in the write that brings it.');
  if (validatingPolicies)
    return ok(
      'It has no MutatingAdmissionPolicy v1 (Kubernetes 1.36), so Serin keeps attached Deployments paused instead; kubectl rollout undo does not work on those, serin abort and Git do.',
    );
  return warn(
    'It has no ValidatingAdmissionPolicy v1 (Kubernetes 1.30): nothing keeps others from resuming what Serin has paused; a cluster admin upgrades.',
  );
}

function kindsFinding(serin: ReadonlySet<string>): Finding {
  const kinds = [rolloutKind, rolloutActionKind, releaseRecordKind, metricSourceKind];
  const missing = kinds.filter(({ plural }) => !serin.has(plural)).map(({ kind }) => kind);
  if (missing.length === 0) return ok("Serin's kinds are installed.");
  return fail(`The cluster does not know ${missing.join(', ')}: ${install}.`);
}

function gatewayFinding({ httpRoutes }: Features): Finding {
  return httpRoutes
    ? ok('It has the Gateway API: weights are shares of the requests of an HTTPRoute.')
    : warn(
        'It has no HTTPRoute (Gateway API v1), so a release can only go by the share of the pods; the platform team installs a gateway that serves it.',
      );
}

async function policyFindings(client: KubeClient, features: Features): Promise<readonly Finding[]> {
  const wanted = [
    ...(features.mutatingPolicies ? [{ type: 'Mutating', names: shippedPolicies.mutating }] : []),
    ...(features.validatingPolicies ? [{ type: 'Validating', names: shippedPolicies.validating }] : []),
  ];
  if (wanted.length === 0) return [];
  try {
    const looks = await Promise.all(wanted.map(({ type, names }) => lookAt(client, type, names)));
    return policyVerdict(
      looks.flatMap(({ missing }) => missing),
      looks.flatMap(({ unbound }) => unbound),
    );
  } catch (error) {
    if (!isKubeError(error, 'Forbidden')) throw error;
    return [unknown('You may not list admission policies, so whether those of Serin are in force is not known.')];
  }
}

async function lookAt(client: KubeClient, type: string, names: readonly string[]) {
  const [policies, bindings] = await Promise.all([
    client.list(kindOf(`${type}AdmissionPolicy`, 'policies')),
    client.list(kindOf(`${type}AdmissionPolicyBinding`, 'policybindings')),
  ]);
  const present = new Set(policies.items.map(({ metadata }) => metadata.name));
  const bound = new Set(bindings.items.map(policyBoundBy));
  return {
    missing: names.filter((name) => !present.has(name)),
    unbound: names.filter((name) => present.has(name) && !bound.has(name)),
  };
}

function kindOf(kind: string, ending: 'policies' | 'policybindings'): ResourceKind {
  const stem = kind.replace(/Policy(Binding)?$/, '').toLowerCase();
  return { ...admission, kind, plural: `${stem}${ending}` };
}

function policyBoundBy(binding: KubeObject): string {
  const spec = binding['spec'] as { readonly policyName?: string } | undefined;
  return spec?.policyName ?? '';
}

function policyVerdict(missing: readonly string[], unbound: readonly string[]): readonly Finding[] {
  const findings: Finding[] = [];
  if (missing.length > 0)
    findings.push(fail(`Admission policies are missing (${[...new Set(missing)].join(', ')}): ${install}.`));
  if (unbound.length > 0)
    findings.push(
      fail(`Admission policies are there but bound to nothing (${[...new Set(unbound)].join(', ')}): ${install}.`),
    );
  return findings.length > 0 ? findings : [ok("Serin's admission policies are installed and bound.")];
}
