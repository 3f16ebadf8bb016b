/**
 * The API server without a wire: one request in, one answer out, at once; a watch into a sink. It keeps no clients and
 * waits for nothing; latency and faults are the way's.
 */
import type { Clock, Random } from '../../kube/clock.ts';
import type { Policy } from '../admission/policy.ts';
import { adminUser, type Answer, type Asked } from './asked.ts';
import { remove } from './deletes.ts';
import { discovered } from './discovery.ts';
import { copyOf, type Fields, isFields, type Stored } from './objects.ts';
import { jsonPatched, mergePatched } from './patches.ts';
import { type Place, placeOf } from './place.ts';
import { list, read } from './reads.ts';
import { badRequest, notAllowed, notPlayed, Refusal, resourceName, statusOf, unsupportedMedia } from './refusals.ts';
import { scaledAs, scaleOf } from './scale.ts';
import { Storage } from './storage.ts';
import { type Sink, watch } from './watches.ts';
import { apply, create, update, type WriteSetting, type Written } from './writes.ts';

export interface ApiServerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly policies: readonly Policy[];
  readonly historyLength: number;
  readonly bookmarkMs: number;
}

const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';
const APPLY = 'application/apply-patch+yaml';

export class ApiServer {
  readonly storage: Storage;
  readonly #options: ApiServerOptions;
  readonly #setting: WriteSetting;

  constructor(options: ApiServerOptions) {
    this.#options = options;
    this.storage = new Storage(options.historyLength);
    const { clock, random, policies } = options;
    this.#setting = { storage: this.storage, clock, random, policies };
    for (const name of ['default', 'kube-system', 'serin-system']) {
      this.answer(asAdmin('POST', '/api/v1/namespaces', { metadata: { name } }));
    }
  }

  /** Whether a request is answered by a stream of events. */
  isWatch({ method, query }: Asked): boolean {
    return method === 'GET' && (query['watch'] === 'true' || query['watch'] === '1');
  }

  /** Never throws for what a client did: that is an answer too. */
  answer(asked: Asked): Answer {
    try {
      return this.#answer(asked);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return { status: error.status, body: statusOf(error), warnings: [] };
    }
  }

  /** Begins a watch; returns how to stop it. Throws a Refusal when it is refused as a whole. */
  watch(asked: Asked, sink: Sink): () => void {
    const { clock, bookmarkMs } = this.#options;
    return watch({ storage: this.storage, clock, bookmarkMs }, placeOf(asked.path), asked, sink);
  }

  #answer(asked: Asked): Answer {
    const discovery = discovered(asked);
    if (discovery !== undefined) return { status: asked.method === 'POST' ? 201 : 200, body: discovery, warnings: [] };
    const place = placeOf(asked.path);
    switch (asked.method) {
      case 'GET':
        return ok(
          place.name === undefined ? list(this.storage, place, asked) : shown(place, read(this.storage, place, asked)),
        );
      case 'POST':
        return this.#post(place, asked);
      case 'PUT':
        return writtenAnswer(place, this.#put(place, asked));
      case 'PATCH':
        return writtenAnswer(place, this.#patch(place, asked));
      case 'DELETE':
        return this.#delete(place, asked);
      default:
        throw notAllowed();
    }
  }

  #post(place: Place, asked: Asked): Answer {
    if (place.name !== undefined) throw notAllowed();
    return writtenAnswer(place, create(this.#setting, place, asked));
  }

  #put(place: Place, asked: Asked): Written {
    requireName(place);
    const body = bodyOf(asked);
    if (place.subresource === 'scale') return update(this.#setting, place, asked, (live) => scaledAs(live, body));
    return update(this.#setting, place, asked, (live) => asReplacement(live, body));
  }

  #patch(place: Place, asked: Asked): Written {
    requireName(place);
    if (asked.contentType === APPLY) return apply(this.#setting, place, asked);
    if (asked.contentType === 'application/strategic-merge-patch+json') throw notPlayed('strategic merge patches');
    if (asked.contentType !== MERGE && asked.contentType !== JSON_PATCH) {
      throw unsupportedMedia(asked.contentType, [JSON_PATCH, MERGE, APPLY]);
    }
    return update(this.#setting, place, asked, (live) => this.#patched(place, asked, live));
  }

  #patched({ subresource }: Place, { contentType, body }: Asked, live: Stored): Stored {
    const target = subresource === 'scale' ? scaleOf(live) : live;
    const next = contentType === MERGE ? mergePatched(target, body) : jsonPatched(target, body);
    if (!isFields(next)) throw badRequest('the patched object is no object');
    return subresource === 'scale' ? scaledAs(live, next) : asStored(live, next);
  }

  #delete(place: Place, asked: Asked): Answer {
    requireName(place);
    if (place.subresource !== undefined) throw notAllowed();
    const { isGone, object, warnings } = remove(this.#setting, place, asked);
    if (!isGone) return { status: 200, body: object, warnings };
    const { name, uid } = object.metadata;
    const { group, plural } = place.kind;
    const details = { name, ...(group === '' ? {} : { group }), kind: plural, uid };
    return {
      status: 200,
      body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details },
      warnings,
    };
  }
}

function requireName({ kind, name }: Place): void {
  if (name === undefined) throw notPlayed(`that verb on the whole of ${resourceName(kind)}`);
}

function bodyOf({ body }: Asked): Fields {
  if (!isFields(body)) throw badRequest('the body of the request is no object');
  return body;
}

/** What a PUT says, in place of what is there; without a version it means any. */
function asReplacement(live: Stored, body: Fields): Stored {
  const stated = isFields(body['metadata']) ? body['metadata'] : {};
  return asStored(live, { ...body, metadata: { uid: live.metadata.uid, resourceVersion: '', ...stated } });
}

function asStored({ apiVersion, kind, metadata }: Stored, next: Fields): Stored {
  const stated = isFields(next['metadata']) ? next['metadata'] : {};
  const { name, uid } = metadata;
  return copyOf({ ...next, apiVersion, kind, metadata: { name, uid, resourceVersion: '', ...stated } }) as Stored;
}

function shown({ subresource }: Place, object: Stored): object {
  return subresource === 'scale' ? scaleOf(object) : object;
}

function writtenAnswer(place: Place, { object, isNew, warnings }: Written): Answer {
  return { status: isNew ? 201 : 200, body: shown(place, object), warnings };
}

function ok(body: object): Answer {
  return { status: 200, body, warnings: [] };
}

function asAdmin(method: string, path: string, body: unknown): Asked {
  return { method, path, query: {}, body, contentType: 'application/json', user: adminUser };
}
