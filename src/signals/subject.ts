// Owns what the collector must be told about an attempt before it can judge it. It holds no evidence.
import type { JudgeSettings } from '../analysis/settings.ts';
import type { PodRef } from './picture.ts';
import type { PrometheusAddress } from './prometheus.ts';
import type { SavedEvidence } from './saved.ts';

export interface Subject {
  /** One attempt; evidence never passes to another key. */
  readonly key: string;
  readonly namespace: string;
  /** The pods of both versions now, from Kubernetes: asked at every look. */
  pods(): ListedPods;
  /** The backends of the gateway; absent where the gateway has no counters, and during the promotion. */
  readonly gateway?: GatewayBackends;
  /** Pinned: other settings under the same key begin with no evidence. */
  readonly settings: JudgeSettings;
  /** Undefined when no MetricSource is configured at all. */
  readonly source: SourceOf | undefined;
  /** When the attempt began, milliseconds since the epoch: nothing older is counted. */
  readonly beganAtMs: number;
  /** What status holds of an attempt that an earlier operator began. */
  readonly resume?: SavedEvidence;
}

export interface ListedPods {
  readonly canary: readonly PodRef[];
  readonly stable: readonly PodRef[];
}

export interface GatewayBackends {
  readonly canaryService: string;
  readonly stableService: string;
  readonly route: string;
  readonly port: number;
}

export interface SourceOf extends PrometheusAddress {
  /** `app`: only the pods' own counters. Otherwise the gateway's too, where there are any. */
  readonly dataPlane?: 'traefik' | 'app';
}
