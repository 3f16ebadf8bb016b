/** What the API server refuses about the content of an object, as far as releases can run into it. */
import { isEqual } from '../../controller/merge-patch.ts';
import type { LabelSelector } from '../../workload/objects.ts';
import { matchesSelector } from '../../workload/selector.ts';
import type { ServedKind } from './kinds.ts';
import { fieldsAt, listAt, type Stored, textAt } from './objects.ts';
import { type Cause, invalid } from './refusals.ts';
import { faultsIn } from './structure.ts';

type Fault = Required<Cause>;

/** Throws the Invalid that names every fault. `before` is absent when the object is created. */
export function validate(kind: ServedKind, object: Stored, before?: Stored): void {
  const faults = [
    ...nameFaults(kind, object, before),
    ...(kind.schema === undefined ? [] : faultsIn(kind.schema, schemaPart(object), '')),
    ...(contentFaults[kind.plural]?.(object, before) ?? []),
    ...(before === undefined ? [] : finalizerFaults(object, before)),
  ];
  if (faults.length > 0) throw invalid(kind, object.metadata.name, faults);
}

function schemaPart({ apiVersion: _version, kind: _kind, metadata: _metadata, ...rest }: Stored): object {
  return rest;
}

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomainWords =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

function nameFaults({ plural }: ServedKind, { metadata }: Stored, before: Stored | undefined): Fault[] {
  if (before !== undefined) return [];
  const { name } = metadata;
  const isLabel = plural === 'services' || plural === 'namespaces';
  const isRight = name.length <= (isLabel ? 63 : 253) && (isLabel ? label : subdomain).test(name);
  if (isRight) return [];
  const message = `Invalid value: ${JSON.stringify(name)}: ${subdomainWords}`;
  return [{ reason: 'FieldValueInvalid', field: 'metadata.name', message }];
}

const contentFaults: Readonly<Record<string, (object: Stored, before?: Stored) => Fault[]>> = {
  deployments: workloadFaults,
  replicasets: workloadFaults,
  services: (object) => {
    if (fieldsAt(object, 'spec')['type'] === 'ExternalName' || listAt(fieldsAt(object, 'spec'), 'ports').length > 0)
      return [];
    if (fieldsAt(object, 'spec')['clusterIP'] === 'None') return [];
    return [{ reason: 'FieldValueRequired', field: 'spec.ports', message: 'Required value' }];
  },
};

function workloadFaults(object: Stored, before?: Stored): Fault[] {
  const spec = fieldsAt(object, 'spec');
  const template = fieldsAt(spec, 'template');
  const labels = fieldsAt(fieldsAt(template, 'metadata'), 'labels') as Readonly<Record<string, string>>;
  const selector = fieldsAt(spec, 'selector') as LabelSelector;
  const faults: Fault[] = [];
  const replicas = Number(spec['replicas']);
  if (replicas < 0) faults.push(mustBePositive('spec.replicas', replicas));
  if (Object.keys(selector).length === 0) {
    faults.push({ reason: 'FieldValueRequired', field: 'spec.selector', message: 'Required value' });
  }
  if (!matchesSelector(selector, labels)) {
    const message = `Invalid value: ${JSON.stringify(labels)}: \`selector\` does not match template \`labels\``;
    faults.push({ reason: 'FieldValueInvalid', field: 'spec.template.metadata.labels', message });
  }
  if (listAt(fieldsAt(template, 'spec'), 'containers').length === 0) {
    faults.push({ reason: 'FieldValueRequired', field: 'spec.template.spec.containers', message: 'Required value' });
  }
  const old = before === undefined ? selector : fieldsAt(fieldsAt(before, 'spec'), 'selector');
  if (!isEqual(selector, old)) {
    const message = `Invalid value: ${JSON.stringify(selector)}: field is immutable`;
    faults.push({ reason: 'FieldValueInvalid', field: 'spec.selector', message });
  }
  return [...faults, ...strategyFaults(spec['strategy'])];
}

function strategyFaults(strategy: unknown): Fault[] {
  const isRecreate = textAt(strategy, 'type') === 'Recreate';
  if (!isRecreate || Object.keys(fieldsAt(strategy, 'rollingUpdate')).length === 0) return [];
  const message = "Forbidden: may not be specified when strategy `type` is 'Recreate'";
  return [{ reason: 'FieldValueForbidden', field: 'spec.strategy.rollingUpdate', message }];
}

function mustBePositive(field: string, value: number): Fault {
  const message = `Invalid value: ${value}: must be greater than or equal to 0`;
  return { reason: 'FieldValueInvalid', field, message };
}

function finalizerFaults({ metadata }: Stored, before: Stored): Fault[] {
  if (before.metadata.deletionTimestamp === undefined) return [];
  const added = (metadata.finalizers ?? []).filter((one) => !(before.metadata.finalizers ?? []).includes(one));
  if (added.length === 0) return [];
  const names = `[]string{${added.map((one) => JSON.stringify(one)).join(', ')}}`;
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${names}`;
  return [{ reason: 'FieldValueForbidden', field: 'metadata.finalizers', message }];
}
