import { type Answer, SERIN, pathTo } from '../../test/policies/api-server.ts';
import { change, edits, required, right, stamped, valid, wrong } from '../../test/policies/objects.ts';
import { everyMaximal, maximal } from '../../test/policies/sample.ts';
import { openStage } from '../../test/policies/stage.ts';
import { customResourceDefinition, kindDeclarations } from './crd.ts';
import type { StructuralSchema } from './structural.ts';

const apiVersion = 'serin.dev/v1alpha1';
const CREATOR = 'somebody';
const asCreator = { as: CREATOR, groups: ['system:masters'] };
const stage = openStage('crd');
const { namespace } = stage;

stage.describe('the API server with the generated CRDs', () => {
  beforeAll(async () => {
    await asked().ask('POST', pathOf('Rollout'), objectOf('Rollout', 'shop'));
  });

  test.each(Object.keys(valid))('accepts the least that a %s can be', async (kind) => {
    expect(await create(objectOf(kind))).toMatchObject({ status: 201, warnings: [] });
  });

  test.each(right)('accepts a %s with %s = %j', async (kind, path, value) => {
    expect(await create(change(objectOf(kind), path, value))).toMatchObject({ status: 201 });
  });

  test.each(wrong)('refuses a %s with %s = %j', async (kind, path, value, message) => {
    const answer = await create(change(objectOf(kind), path, value));
    expect(answer.status).toBe(422);
    expect(answer.body.message).toMatch(message);
  });

  test.each(Object.entries(required).flatMap(([kind, paths]) => paths.map((path) => [kind, path] as const)))(
    'refuses a %s without %s, unless it is stamped',
    async (kind, path) => {
      const whole = objectOf(kind, 'full', maximalSpecOf(kind, path));
      const place = placeIn(whole, path);
      const answer = await create(change(whole, place, undefined));
      if (path === stamped) expect(answer.status).toBe(201);
      else expect(answer.body.message).toContain(`${place}: Required value`);
    },
  );

  test.each(edits)('refuses to edit %s %s from %j to %j', async (kind, path, from, to, message) => {
    const name = `edited-${kind.toLowerCase()}`;
    const stored = await asked().ask('POST', pathOf(kind), change(objectOf(kind, name), path, from));
    expect(stored.status).toBe(201);
    const answer = await asked().ask('PUT', `${pathOf(kind)}/${name}`, change(stored.body, path, to));
    expect(answer.status).toBe(422);
    expect(answer.body.message).toMatch(message);
  });

  test('has a wrong object in this table for each of its rules', () => {
    const messages = definitions().flatMap(([, schema]) => rulesOf(schema).map(({ message }) => message));
    const expected = [...wrong.map((row) => row[3]), ...edits.map((row) => row[4])];
    expect(messages.length).toBeGreaterThan(0);
    expect(messages.filter((message) => !expected.some((pattern) => pattern.test(message)))).toEqual([]);
  });

  test('has every required field of every spec in this table', () => {
    const declared = Object.fromEntries(definitions().map(([kind, schema]) => [kind, new Set(requiredPaths(schema))]));
    const listed = Object.fromEntries(Object.entries(required).map(([kind, paths]) => [kind, new Set(paths)]));
    expect(declared).toEqual(listed);
  });

  test.each(kindDeclarations.map((kind) => [kind.resource.kind, kind] as const))(
    'keeps every field that Serin or a user can write in a %s',
    async (kind, declaration) => {
      const name = 'maximal';
      const by = kind === 'RolloutAction' ? { by: CREATOR } : {};
      const [spec, ...others] = everyMaximal(declaration.spec).map((way) => ({ ...Object(way), ...by }));
      for (const [nth, other] of others.entries()) {
        const path = `${pathOf(kind)}?dryRun=All&fieldValidation=Strict`;
        const kept = await asked().ask('POST', path, objectOf(kind, `${name}-${nth}`, other), asCreator);
        expect(kept).toMatchObject({ status: 201 });
        expect(kept.body['spec']).toEqual(other);
      }
      const object = objectOf(kind, name, spec);
      const created = await asked().ask('POST', `${pathOf(kind)}?fieldValidation=Strict`, object, asCreator);
      expect(created).toMatchObject({ status: 201, body: { spec } });
      expect(created.body['spec']).toEqual(spec);
      if (declaration.status === undefined) return;
      const status = maximal(declaration.status);
      const path = `${pathOf(kind)}/${name}/status?fieldValidation=Strict`;
      expect(await asked().ask('PATCH', path, replacing(status), bySerin)).toMatchObject({ status: 200 });
      const { body } = await asked().ask('GET', `${pathOf(kind)}/${name}`);
      expect(body['status']).toEqual(status);
      expect(body['spec']).toEqual(spec);
    },
  );

  test.each(statusFields())('refuses a status of %s without %s', async (kind, path) => {
    const declaration = kindDeclarations.find(({ resource }) => resource.kind === kind);
    if (declaration?.status === undefined) throw new Error(`${kind} has no status`);
    const name = 'maximal';
    const { body } = await asked().ask('GET', `${pathOf(kind)}/${name}`);
    const full = { ...body, status: maximal(declaration.status) };
    const { status } = Object(change(full, path, undefined));
    const answer = await asked().ask('PATCH', `${pathOf(kind)}/${name}/status?dryRun=All`, replacing(status), bySerin);
    expect(answer.body.message).toContain(`${path}: Required value`);
  });

  test.each(Object.keys(valid))(
    'refuses an unknown field of %s when asked to be strict, and drops it otherwise',
    async (kind) => {
      const typo = change(objectOf(kind), 'spec.wieght', 5);
      const strict = await asked().ask('POST', `${pathOf(kind)}?dryRun=All&fieldValidation=Strict`, typo);
      expect(strict.status).toBe(400);
      expect(strict.body.message).toContain('unknown field "spec.wieght"');
      const lenient = await asked().ask('POST', `${pathOf(kind)}?dryRun=All&fieldValidation=Ignore`, typo);
      expect(lenient.status).toBe(201);
      expect(lenient.body['spec']).not.toHaveProperty('wieght');
    },
  );

  test('shows the columns that people look for', async () => {
    const narrow = await asked().kubectl(['get', 'srn', '-n', namespace]);
    expect(narrow.output).toMatch(/^NAME +PHASE +STEP +WEIGHT +STABLE +CANARY +VERDICT +AGE\n/);
    const wide = await asked().kubectl(['get', 'srn', '-n', namespace, '-o', 'wide']);
    expect(wide.output).toMatch(/AGE +MESSAGE\n/);
    expect((await asked().kubectl(['get', 'serin', '-n', namespace, '-o', 'name'])).output).toContain(
      'rollout.serin.dev/shop',
    );
    expect((await asked().kubectl(['get', 'srr', '-n', namespace])).code).toBe(0);
  });
});

const bySerin = { as: SERIN, type: 'json-patch' } as const;

/** The whole status at once, with the one verb that Serin has. */
function replacing(status: unknown) {
  return [{ op: 'add', path: '/status', value: status }];
}

function asked() {
  return stage.server;
}

function create(object: unknown): Promise<Answer> {
  const { kind } = Object(object);
  return asked().ask('POST', `${pathOf(kind)}?dryRun=All&fieldValidation=Strict`, object);
}

function pathOf(kind: string): string {
  const resource = kindDeclarations.map((declaration) => declaration.resource).find((known) => known.kind === kind);
  if (resource === undefined) throw new Error(`${kind} is not one of Serin's kinds`);
  return pathTo(apiVersion, resource.plural, resource.namespaced ? namespace : undefined);
}

function objectOf(kind: string, name = 'tried', spec: unknown = valid[kind]) {
  return { apiVersion, kind, metadata: { name: isOfCluster(kind) ? `${namespace}-${name}` : name }, spec };
}

function isOfCluster(kind: string): boolean {
  return kindDeclarations.some(({ resource }) => resource.kind === kind && !resource.namespaced);
}

/** The entries of a list exclude each other's fields: the first one that has the field stands for all. */
function placeIn(object: unknown, path: string): string {
  const [head = '', ...tail] = path.split('[0]');
  if (tail.length === 0) return path;
  const list: unknown = head
    .split('.')
    .filter((key) => key !== '')
    .reduce((at: unknown, key) => Object(at)[key], object);
  const rest = tail.join('[0]');
  const entries = Array.isArray(list) ? list : [];
  const index = entries.findIndex((entry) => hasPath(entry, rest));
  return `${head}[${index}]${placeIn(entries[index], rest)}`;
}

function hasPath(object: unknown, path: string): boolean {
  const keys = path.split(/[.[\]]+/).filter((key) => key !== '');
  return keys.reduce((at: unknown, key) => (at === undefined ? undefined : Object(at)[key]), object) !== undefined;
}

/** Of the ways to fill the spec in, the first that has the field. */
function maximalSpecOf(kind: string, path: string): unknown {
  const declaration = kindDeclarations.find(({ resource }) => resource.kind === kind);
  if (declaration === undefined) throw new Error(`${kind} is not one of Serin's kinds`);
  const ways = everyMaximal(declaration.spec);
  const plain = path.split('[0]')[0] ?? '';
  const spec = Object(ways.find((way) => hasPath({ spec: way }, plain)) ?? ways[0]);
  return kind === 'RolloutAction' ? { ...spec, rollout: 'shop' } : spec;
}

function definitions(): [string, StructuralSchema][] {
  return kindDeclarations.map((kind) => {
    const root = customResourceDefinition(kind).spec.versions[0]?.schema.openAPIV3Schema ?? {};
    const { status: _status, ...properties } = root.properties ?? {};
    return [kind.resource.kind, { ...root, properties }];
  });
}

function rulesOf(schema: StructuralSchema): { message: string }[] {
  const children = [...Object.values(schema.properties ?? {}), ...(schema.items === undefined ? [] : [schema.items])];
  return [...(schema['x-kubernetes-validations'] ?? []), ...children.flatMap(rulesOf)];
}

function requiredPaths(schema: StructuralSchema, path = ''): string[] {
  const join = (name: string) => (path === '' ? name : `${path}.${name}`);
  return [
    ...(schema.required ?? []).map(join),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, child]) => requiredPaths(child, join(name))),
    ...(schema.items === undefined ? [] : requiredPaths(schema.items, `${path}[0]`)),
  ];
}

function statusFields(): [string, string][] {
  return kindDeclarations.flatMap((kind) => {
    const root = customResourceDefinition(kind).spec.versions[0]?.schema.openAPIV3Schema ?? {};
    const { status } = root.properties ?? {};
    if (status === undefined) return [];
    return requiredPaths(status, 'status').map((path): [string, string] => [kind.resource.kind, path]);
  });
}
