/** Every object that the documentation shows is one that the API server takes, with no field that it would not know. */
import { isMap, isScalar, parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { kindDeclarations } from '../../src/api/crd.ts';
import { rolloutSpecSchema } from '../../src/api/rollout.ts';
import { readScenario } from '../../src/simulation/release/scenario.ts';
import { blocks, pagesIn } from './pages.ts';

const examples = pagesIn('examples', '.yaml');
const shown = [...examples, ...blocks.filter(({ language }) => language === 'yaml')];

/** Kinds of others that pages show, by the version in which they are served. */
const neighbours: Readonly<Record<string, readonly string[]>> = {
  v1: ['ConfigMap', 'Namespace', 'Secret', 'Service', 'ServiceAccount'],
  'apps/v1': ['Deployment'],
  'autoscaling/v2': ['HorizontalPodAutoscaler'],
  'core.openfeature.dev/v1beta1': ['FeatureFlag', 'FeatureFlagSource'],
  'gateway.networking.k8s.io/v1': ['Gateway', 'HTTPRoute'],
  'kustomize.config.k8s.io/v1beta1': ['Kustomization'],
  'policy/v1': ['PodDisruptionBudget'],
  'rbac.authorization.k8s.io/v1': ['ClusterRole', 'ClusterRoleBinding', 'Role', 'RoleBinding'],
};

interface Shown {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly name?: string; readonly generateName?: string };
  readonly spec?: unknown;
}

test.each(shown.map(({ path, text }) => [path, text]))(
  '%s: every object is one that the API server takes',
  (_, text) => {
    const documents = parseAllDocuments(text);
    expect(documents.length).toBeGreaterThan(0);
    for (const document of documents) {
      expect(document.errors).toEqual([]);
      const object: Shown = document.toJS();
      if (object.kind === undefined && object.spec === undefined) expectScenario(text);
      else if (object.kind === undefined) expectPartOfRollout(object);
      else if (object.apiVersion?.startsWith('serin.dev/') === true) expectOurs(object);
      else expect(neighbours[object.apiVersion ?? '']).toContain(object.kind);
    }
  },
);

function expectOurs({ apiVersion, kind, metadata, spec }: Shown): void {
  expect(apiVersion).toBe('serin.dev/v1alpha1');
  expect(metadata?.name ?? metadata?.generateName).toMatch(/^[a-z]/);
  const declaration = kindDeclarations.find(({ resource }) => resource.kind === kind);
  expect(declaration?.resource.kind).toBe(kind);
  // The API server fills in who acts, so a page leaves it out.
  const stamped = kind === 'RolloutAction' ? { by: 'somebody', ...Object(spec) } : spec;
  expect(declaration?.spec.safeParse(stamped).error?.issues).toBeUndefined();
}

/** What `serin simulate` plays is no object of a cluster: it has neither kind nor spec. */
function expectScenario(text: string): void {
  expect(readScenario(text).perSecond).toBeGreaterThan(0);
}

/** A block without a kind shows part of a Rollout, from `spec:` on. */
function expectPartOfRollout(part: Shown): void {
  expect(Object.keys(part)).toEqual(['spec']);
  const least = {
    targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'checkout' },
    traffic: { service: 'checkout', routes: [{ kind: 'HTTPRoute', name: 'checkout' }] },
  };
  expect(rolloutSpecSchema.safeParse({ ...least, ...Object(part.spec) }).error?.issues).toBeUndefined();
}

test('the example with everything has every field that a Rollout has', () => {
  const example = examples.find(({ path }) => path.endsWith('rollout-with-everything.yaml'));
  const object: Shown | undefined = parseAllDocuments(example?.text ?? '')[0]?.toJS();
  expect(fieldsOf(object?.spec)).toEqual(
    fieldsOfSchema(z.toJSONSchema(rolloutSpecSchema, { io: 'input', unrepresentable: 'any' })),
  );
});

test('the first Rollout has eight lines, wherever it is shown', () => {
  const firsts = shown.filter(({ text }) => isFirstRollout(text));
  expect(firsts.length).toBeGreaterThanOrEqual(2);
  for (const { text } of firsts) expect(text.trimEnd().split('\n')).toHaveLength(8);
});

/** A Rollout behind a route with nothing but what it needs for that. */
function isFirstRollout(text: string): boolean {
  const [first, ...more] = parseAllDocuments(text);
  if (first === undefined || more.length > 0 || !isMap(first.contents)) return false;
  const spec: unknown = first.get('spec');
  const keys = isMap(spec) ? spec.items.map(({ key }) => (isScalar(key) ? key.value : undefined)) : [];
  return first.get('kind') === 'Rollout' && keys.join() === 'targetRef,traffic' && text.includes('routes:');
}

/** Paths of fields, lists left out: "strategy.steps.weight". */
function fieldsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return unique(value.flatMap((item) => fieldsOf(item, path)));
  if (typeof value !== 'object' || value === null) return [path];
  return unique(
    Object.entries(value).flatMap(([name, inner]) => fieldsOf(inner, path === '' ? name : `${path}.${name}`)),
  );
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}

function fieldsOfSchema(schema: object, path = ''): string[] {
  const { properties, items }: JsonSchema = schema;
  if (items !== undefined) return fieldsOfSchema(items, path);
  if (properties === undefined) return [path];
  return unique(
    Object.entries(properties).flatMap(([name, inner]) =>
      fieldsOfSchema(inner, path === '' ? name : `${path}.${name}`),
    ),
  );
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)].toSorted();
}
