/**
 * One watch: what changed since a place, in order, as each change looks through the watcher's selection; bookmarks in
 * between; an end after its time. It never invents or merges an event.
 */
import type { Clock } from '../../kube/clock.ts';
import { apiVersionOf } from '../../kube/resources.ts';
import type { Asked } from './asked.ts';
import type { Stored } from './objects.ts';
import type { Place } from './place.ts';
import { badRequest, expired, notPlayed, statusOf } from './refusals.ts';
import { type Selection, selectionOf } from './selection.ts';
import { type Change, resourceKey, type Storage } from './storage.ts';

export interface WatchedEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: unknown;
}

export interface WatchSetting {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly bookmarkMs: number;
}

/** Where the events of one watch go. */
export interface Sink {
  event(event: WatchedEvent): void;
  /** Nothing more comes. */
  end(): void;
}

/** What the server allows when the client names no time; drawn at random there between this and twice as much. */
const DEFAULT_WATCH_MS = 30 * 60_000;

/** Begins at once, with what happened since. Throws a 400 for what cannot be read. Returns how to stop it. */
export function watch(setting: WatchSetting, place: Place, asked: Asked, sink: Sink): () => void {
  const { storage, clock } = setting;
  const { query } = asked;
  if (query['sendInitialEvents'] !== undefined) throw notPlayed('watches that begin with a list (sendInitialEvents)');
  const isShown = selectionOf(place, asked);
  const from = placeIn(query['resourceVersion']);
  const resource = resourceKey(place.kind);
  const missed = from === 0 ? [] : storage.since(from);
  if (missed === undefined) {
    const words = `too old resource version: ${from} (${storage.oldestVersion})`;
    sink.event({ type: 'ERROR', object: statusOf(expired(words)) });
    sink.end();
    return () => {};
  }
  if (from === 0) for (const object of storage.all(place.kind).filter(isShown)) sink.event({ type: 'ADDED', object });
  const show = (change: Change): void => {
    // A place from the future is taken, and silence is the answer until it is reached.
    if (change.resource !== resource || change.version <= from) return;
    const event = eventOf(change, isShown);
    if (event !== undefined) sink.event(event);
  };
  for (const change of missed) show(change);
  const timers = [clock.after(lifeMs(query['timeoutSeconds']), () => stop(true))];
  if (query['allowWatchBookmarks'] === 'true') {
    const mark = (): void => {
      sink.event(bookmark(place, storage.version));
      timers[1] = clock.after(setting.bookmarkMs, mark);
    };
    timers[1] = clock.after(setting.bookmarkMs, mark);
  }
  const unlisten = storage.listen(show);
  let isOver = false;
  function stop(mustTell: boolean): void {
    if (isOver) return;
    isOver = true;
    unlisten();
    for (const timer of timers) timer.cancel();
    if (mustTell) sink.end();
  }
  return () => stop(false);
}

/** A selection is a frame: what moves in is ADDED, what moves out is DELETED. */
function eventOf({ type, object, before, version }: Change, isShown: Selection): WatchedEvent | undefined {
  const wasShown = before !== undefined && isShown(before);
  const isShownNow = type !== 'DELETED' && isShown(object);
  if (isShownNow) return { type: wasShown ? 'MODIFIED' : 'ADDED', object };
  if (!wasShown) return undefined;
  return { type: 'DELETED', object: type === 'DELETED' ? object : leaving(before, version) };
}

function leaving(before: Stored, version: number): Stored {
  return { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } };
}

function bookmark({ kind }: Place, version: number): WatchedEvent {
  const metadata = { resourceVersion: String(version), creationTimestamp: null };
  return { type: 'BOOKMARK', object: { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata } };
}

function placeIn(resourceVersion: string | undefined): number {
  const version = Number(resourceVersion ?? 0);
  if (!Number.isInteger(version) || version < 0)
    throw badRequest(`invalid resource version "${resourceVersion ?? ''}"`);
  return version;
}

function lifeMs(timeoutSeconds: string | undefined): number {
  const seconds = Number(timeoutSeconds ?? 0);
  return seconds > 0 ? seconds * 1000 : DEFAULT_WATCH_MS;
}
