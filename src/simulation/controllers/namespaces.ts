/** The namespace controller: empties a namespace that is being deleted and then lets it go. */
import { namespaces, pods } from '../../kube/resources.ts';
import type { ApiServer } from '../server/api-server.ts';
import { servedKinds } from '../server/kinds.ts';
import { fieldsAt, type Stored } from '../server/objects.ts';
import type { Change } from '../server/storage.ts';
import { Hand } from './hand.ts';
import type { Controller } from './runner.ts';

export class NamespaceController implements Controller {
  readonly name = 'namespace-controller';
  readonly #hand: Hand;

  constructor({ server }: { readonly server: ApiServer }) {
    this.#hand = new Hand(server, this.name);
  }

  all(): readonly string[] {
    return this.#hand.all(namespaces).map(({ metadata }) => metadata.name);
  }

  concerns({ resource, type, object }: Change): readonly string[] {
    if (resource === 'namespaces.') return [object.metadata.name];
    const { namespace } = object.metadata;
    const isEnding = namespace !== undefined && this.#find(namespace)?.metadata.deletionTimestamp !== undefined;
    return isEnding && type === 'DELETED' ? [namespace] : [];
  }

  sync(name: string): undefined {
    const namespace = this.#find(name);
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    const { storage } = this.#hand.server;
    const content = servedKinds
      .filter((kind) => kind.namespaced)
      .flatMap((kind) => storage.all(kind, name).map((object) => ({ kind, object })));
    for (const { kind, object } of content) {
      const isMarked = object.metadata.deletionTimestamp !== undefined;
      if (!isMarked)
        this.#hand.delete(kind, object.metadata, kind.plural === pods.plural ? {} : { propagation: 'Background' });
    }
    if (content.length > 0 && servedKinds.some((kind) => kind.namespaced && storage.all(kind, name).length > 0)) return;
    const current = this.#find(name);
    if (current === undefined) return;
    const { finalizers: _finalizers, ...spec } = fieldsAt(current, 'spec');
    this.#hand.update(namespaces, { ...current, spec });
  }

  #find(name: string): Stored | undefined {
    return this.#hand.find<Stored>(namespaces, { name });
  }
}
