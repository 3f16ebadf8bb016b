/** How a controller writes: through the server like everybody else, under its own name, so that admission sees it. */
/* oxlint-disable typescript/no-unnecessary-type-parameters -- the caller says what it asked for, as with the client */
import {
  type KubeObject,
  type ObjectRef,
  type OwnerReference,
  pathOf,
  type ResourceKind,
} from '../../kube/resources.ts';
import type { Writable } from '../../kube/verbs.ts';
import type { ApiServer } from '../server/api-server.ts';
import { type Asked, componentUser, type User } from '../server/asked.ts';
import { copyOf, type Stored } from '../server/objects.ts';
import { type Cause, Refusal } from '../server/refusals.ts';

export interface DeleteWishes {
  readonly uid?: string;
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
  readonly graceSeconds?: number;
}

/** Every method throws the Refusal that the server answered with. */
export class Hand {
  readonly server: ApiServer;
  readonly #user: User;
  readonly #manager: string;

  /** `name`: of the controller; `manager`: in managedFields, by default the controller manager as a whole. */
  constructor(server: ApiServer, name: string, manager = 'kube-controller-manager') {
    this.server = server;
    this.#user = componentUser(name);
    this.#manager = manager;
  }

  find<T extends KubeObject>(kind: ResourceKind, { namespace, name }: ObjectRef): T | undefined {
    return this.server.storage.get(kind, namespace, name) as T | undefined;
  }

  all<T extends KubeObject>(kind: ResourceKind, namespace?: string): T[] {
    return this.server.storage.all(kind, namespace) as unknown as T[];
  }

  create<T extends KubeObject>(kind: ResourceKind, object: Writable): T {
    return this.#ask<T>('POST', pathOf(kind, object.metadata.namespace), object);
  }

  /** Writes the object as a whole, if it is still at its version. */
  update<T extends KubeObject>(kind: ResourceKind, object: T): T {
    return this.#ask<T>('PUT', pathOfObject(kind, object), object);
  }

  updateStatus<T extends KubeObject>(kind: ResourceKind, object: T): T {
    return this.#ask<T>('PUT', pathOfObject(kind, object, 'status'), object);
  }

  patch<T extends KubeObject>(kind: ResourceKind, object: KubeObject, patch: object, subresource?: string): T {
    return this.#ask<T>('PATCH', pathOfObject(kind, object, subresource), patch, 'application/merge-patch+json');
  }

  /** An object that is gone already is what was wanted. */
  delete(kind: ResourceKind, { namespace, name }: ObjectRef, wishes: DeleteWishes = {}): void {
    const { uid, propagation, graceSeconds } = wishes;
    const options = {
      ...(uid === undefined ? {} : { preconditions: { uid } }),
      ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
      ...(graceSeconds === undefined ? {} : { gracePeriodSeconds: graceSeconds }),
    };
    try {
      this.#ask('DELETE', pathOf(kind, namespace, name), options);
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 404)) throw error;
    }
  }

  #ask<T extends KubeObject>(method: Asked['method'], path: string, body: object, contentType = 'application/json'): T {
    const query = method === 'DELETE' ? {} : { fieldManager: this.#manager };
    const answer = this.server.answer({ method, path, query, body: copyOf(body), contentType, user: this.#user });
    if (answer.status < 300) return answer.body as T;
    const { reason, message, details } = answer.body as FailedStatus;
    throw new Refusal(answer.status, reason, message, details);
  }
}

interface FailedStatus {
  readonly reason: string;
  readonly message: string;
  readonly details?: { readonly causes?: readonly Cause[] };
}

function pathOfObject(kind: ResourceKind, { metadata }: KubeObject, subresource?: string): string {
  return pathOf(kind, kind.namespaced ? metadata.namespace : undefined, metadata.name, subresource);
}

/** The key under which controllers speak of an object. */
export function keyOfObject({ metadata }: KubeObject | Stored): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

/** The controllerRef to an object, as controllers write it. */
export function controlledBy(owner: KubeObject): OwnerReference {
  const { apiVersion, kind, metadata } = owner;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}
