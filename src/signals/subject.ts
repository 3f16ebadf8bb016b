// Owns what the collector must be told about an attempt before it can judge it. It holds no evidence.
import type { Prices } from '../analysis/money.ts';
import type { JudgeSettings } from '../analysis/settings.ts';
import type { AlertSubject } from './alerts.ts';
import type { CostSubject } from './cost-reader.ts';
import type { PodRef } from './picture.ts';
import type { CounterPair } from './presets/counters.ts';
import type { ScrapeTarget } from './pod-scraper.ts';
import type { PrometheusAddress } from './prometheus.ts';
import type { ListedRestarts } from './restarts.ts';
import type { SavedEvidence } from './saved.ts';
import type { ThresholdMetric } from './threshold.ts';

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
  /** For each count metric of the settings beside the errors, what to count; pinned with them. Default: none. */
  readonly queries?: readonly CounterPair[];
  /** Plain limits; pinned with the settings. Default: none. */
  readonly thresholds?: readonly ThresholdMetric[];
  /** What cost is asked about; absent: nothing. */
  readonly cost?: CostSubject;
  /** How often the pods of both versions were restarted, from Kubernetes; absent: nobody asks. */
  restarts?(): ListedRestarts;
  /** Alerts of the source that count while they fire; absent: none. */
  readonly alerts?: AlertSubject;
  /** Undefined when no MetricSource is configured at all. */
  readonly source: SourceOf | undefined;
  /** Where the pods say what they count, if the source scrapes them too: asked before every round. */
  readonly scrape?: { readonly intervalMs: number; targets(): readonly ScrapeTarget[] };
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
  /** `app`: only what the pods expose themselves. Otherwise what is in front of them too: the gateway, or their sidecars. */
  readonly dataPlane?: 'traefik' | 'istio' | 'linkerd' | 'app';
  /** How often the pods' own metrics endpoints are read beside it; undefined: never. */
  readonly scrapeMs?: number;
  /** What resources cost by its price table; what is absent costs what it does by default. */
  readonly prices?: Partial<Prices>;
}
