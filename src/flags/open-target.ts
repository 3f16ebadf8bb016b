/** Decides which adapter speaks to a flag source; it holds nothing and opens no connection itself. */
import type { Dispatcher } from 'undici';
import type { KubeClient } from '../kube/client.ts';
import type { Clock, Random } from '../kube/clock.ts';
import { featureFlagTarget } from './feature-flag.ts';
import { flagdFileTarget } from './flagd-file.ts';
import { fliptTarget } from './flipt.ts';
import { httpTarget } from './http.ts';
import type { FlagSourceOf } from './source.ts';
import type { FlagTarget } from './target.ts';
import { unleashTarget } from './unleash.ts';

export interface TargetParts {
  readonly clock: Clock;
  readonly random: Random;
  /** For the backends that are objects of the cluster. */
  readonly kube: KubeClient;
  /** For the others: trusts the authority of the source. Absent: the shared one. */
  readonly dispatcher?: Dispatcher;
}

/** What speaks to this source. The same source may be opened as often as somebody asks it something. */
export function openTarget(source: FlagSourceOf, parts: TargetParts): FlagTarget {
  const { backend } = source;
  switch (backend.kind) {
    case 'featureFlag':
      return featureFlagTarget(source, backend, parts.kube);
    case 'flagdFile':
      return flagdFileTarget(source, backend, parts);
    case 'unleash':
      return unleashTarget(source, backend, parts);
    case 'http':
      return httpTarget(source, backend, parts);
    case 'flipt':
    default:
      return fliptTarget(source, backend, parts);
  }
}
