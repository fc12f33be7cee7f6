import { BUILT_IN } from "./built-in.ts";
import { customResource } from "./definitions.ts";
import { DEFINITIONS, defineResource, type Resource } from "./resource.ts";
import { qualifiedName } from "./status.ts";
import type { Change } from "./store.ts";

/** The resources that are served now: the built-in ones, and what definitions added. */
export class ResourceTable {
  readonly #byId = new Map<string, Resource>();

  constructor() {
    for (const row of BUILT_IN) this.#add(defineResource(row));
  }

  /** Serves the kind of each CustomResourceDefinition for as long as that is there. To observe a store with. */
  readonly follow = ({ resource, type, object }: Change): void => {
    const custom = resource === DEFINITIONS ? customResource(object.object) : undefined;
    if (custom === undefined) return;
    if (type === "DELETED") this.#byId.delete(custom.id);
    else this.#add(custom);
  };

  /** @param id as in {@link Resource.id} */
  get(id: string): Resource | undefined {
    return this.#byId.get(id);
  }

  find(group: string, version: string, plural: string): Resource | undefined {
    const found = this.#byId.get(qualifiedName({ group, plural }));
    return found?.version === version ? found : undefined;
  }

  all(): Iterable<Resource> {
    return this.#byId.values();
  }

  #add(entry: Resource): void {
    this.#byId.set(entry.id, entry);
  }
}
