/** Owns how each of Serin's kinds is declared to the API server: scope, names, columns, rules, schema. */
import { flagSourceSpecSchema } from './flag-source.ts';
import { metricSourceSpecSchema } from './metric-source.ts';
import {
  API_GROUP,
  API_VERSION,
  flagSourceKind,
  metricSourceKind,
  releaseRecordKind,
  rolloutActionKind,
  rolloutKind,
} from './kinds.ts';
import { releaseRecordSpecSchema, releaseRecordStatusSchema } from './release-record.ts';
import { rolloutActionSpecSchema, rolloutActionStatusSchema } from './rollout-action.ts';
import { rolloutSpecSchema } from './rollout.ts';
import { rolloutStatusSchema } from './rollout-status.ts';
import { type StructuralSchema, structuralSchema } from './structural.ts';
import type * as z from 'zod';

interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly jsonPath: string;
  readonly description: string;
  /** 1 shows the column only with `-o wide`. */
  readonly priority?: number;
}

export interface KindDeclaration {
  readonly resource: { readonly plural: string; readonly kind: string; readonly namespaced: boolean };
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status?: z.ZodType;
  readonly columns: readonly PrinterColumn[];
}

const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  jsonPath: '.metadata.creationTimestamp',
  description: 'Time since the object was created.',
};

/** Every kind that Serin serves. */
export const kindDeclarations: readonly KindDeclaration[] = [
  {
    resource: rolloutKind,
    singular: 'rollout',
    shortNames: ['srn'],
    description:
      'Releases new versions of one Deployment step by step and judges them by what their requests experience.',
    spec: rolloutSpecSchema,
    status: rolloutStatusSchema,
    columns: [
      { name: 'Phase', type: 'string', jsonPath: '.status.phase', description: 'What is going on.' },
      { name: 'Step', type: 'string', jsonPath: '.status.step', description: 'Current step of all steps.' },
      {
        name: 'Weight',
        type: 'number',
        jsonPath: '.status.canary.weight',
        description: 'Percent of the requests for the new version.',
      },
      {
        name: 'Stable',
        type: 'string',
        jsonPath: '.status.stable.hash',
        description: 'The revision that serves at rest.',
      },
      { name: 'Canary', type: 'string', jsonPath: '.status.canary.hash', description: 'The revision under release.' },
      { name: 'Verdict', type: 'string', jsonPath: '.status.verdict', description: 'What the judge says now.' },
      age,
      { name: 'Message', type: 'string', jsonPath: '.status.message', description: 'In one sentence.', priority: 1 },
    ],
  },
  {
    resource: rolloutActionKind,
    singular: 'rolloutaction',
    shortNames: [],
    description: 'What one person asked of a Rollout. Written once, answered in its status.',
    spec: rolloutActionSpecSchema,
    status: rolloutActionStatusSchema,
    columns: [
      { name: 'Rollout', type: 'string', jsonPath: '.spec.rollout', description: 'The Rollout.' },
      { name: 'Action', type: 'string', jsonPath: '.spec.action', description: 'What was asked.' },
      { name: 'Revision', type: 'string', jsonPath: '.spec.revision', description: 'The revision it is about.' },
      { name: 'By', type: 'string', jsonPath: '.spec.by', description: 'Who asked.' },
      { name: 'State', type: 'string', jsonPath: '.status.state', description: 'Accepted or Refused.' },
      age,
      { name: 'Message', type: 'string', jsonPath: '.status.message', description: 'The answer.', priority: 1 },
    ],
  },
  {
    resource: metricSourceKind,
    singular: 'metricsource',
    shortNames: [],
    description: 'Where Serin reads metrics from. For the platform team: it makes the operator call an address.',
    spec: metricSourceSpecSchema,
    columns: [
      { name: 'Address', type: 'string', jsonPath: '.spec.prometheus.address', description: 'Base URL.' },
      { name: 'Counters', type: 'string', jsonPath: '.spec.dataPlane', description: 'Whose counters are read.' },
      { name: 'Default', type: 'boolean', jsonPath: '.spec.default', description: 'Used by Rollouts that name none.' },
      age,
    ],
  },
  {
    resource: flagSourceKind,
    singular: 'flagsource',
    shortNames: ['srf'],
    description:
      'Where Serin changes feature flags. For the platform team: it makes the operator call an address with a credential.',
    spec: flagSourceSpecSchema,
    columns: [
      { name: 'Unleash', type: 'string', jsonPath: '.spec.unleash.address', description: 'Address, if it is Unleash.' },
      { name: 'Flipt', type: 'string', jsonPath: '.spec.flipt.address', description: 'Address, if it is Flipt.' },
      { name: 'Http', type: 'string', jsonPath: '.spec.http.write.url', description: 'Address, if it is an HTTP API.' },
      {
        name: 'ConfigMap',
        type: 'string',
        jsonPath: '.spec.flagdFile.configMap',
        description: 'Name, if it is a flagd file.',
      },
      { name: 'Within', type: 'string', jsonPath: '.spec.verify.within', description: 'How long a change may take.' },
      age,
    ],
  },
  {
    resource: releaseRecordKind,
    singular: 'releaserecord',
    shortNames: ['srr'],
    description: 'One attempt to release one revision: what, how, and how it ended. Written by Serin alone.',
    spec: releaseRecordSpecSchema,
    status: releaseRecordStatusSchema,
    columns: [
      { name: 'Rollout', type: 'string', jsonPath: '.spec.rollout', description: 'The Rollout.' },
      { name: 'Revision', type: 'string', jsonPath: '.spec.revision', description: 'The revision.' },
      { name: 'Attempt', type: 'integer', jsonPath: '.spec.attempt', description: 'Which attempt.' },
      { name: 'Outcome', type: 'string', jsonPath: '.status.outcome', description: 'How it ended.' },
      { name: 'Reason', type: 'string', jsonPath: '.status.reason', description: 'Why.' },
      age,
      { name: 'Message', type: 'string', jsonPath: '.status.message', description: 'In one sentence.', priority: 1 },
    ],
  },
];

/** The CustomResourceDefinition of a kind, ready to be applied. */
export function customResourceDefinition(kind: KindDeclaration) {
  const { plural, kind: kindName, namespaced } = kind.resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${API_GROUP}` },
    spec: {
      group: API_GROUP,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: {
        plural,
        singular: kind.singular,
        kind: kindName,
        listKind: `${kindName}List`,
        ...(kind.shortNames.length > 0 ? { shortNames: kind.shortNames } : {}),
        categories: ['serin'],
      },
      versions: [
        {
          name: API_VERSION,
          served: true,
          storage: true,
          ...(kind.status === undefined ? {} : { subresources: { status: {} } }),
          additionalPrinterColumns: kind.columns,
          schema: { openAPIV3Schema: rootSchema(kind) },
        },
      ],
    },
  };
}

function rootSchema(kind: KindDeclaration): StructuralSchema {
  return {
    type: 'object',
    description: kind.description,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: `Version of this representation; ${API_GROUP}/${API_VERSION}.` },
      kind: { type: 'string', description: `Kind of the object; ${kind.resource.kind}.` },
      metadata: { type: 'object' },
      spec: structuralSchema(kind.spec, `${kind.resource.kind}.spec`),
      ...(kind.status === undefined ? {} : { status: structuralSchema(kind.status, `${kind.resource.kind}.status`) }),
    },
  };
}
