import type { KubeObject } from "./objects.ts";

/** One state of one object, with its text, which is made once however many lists and watches send it. */
export class Stored {
  /** Immutable: many readers share it. */
  readonly object: KubeObject;
  /** `namespace/name` (`/name` in the cluster): the order of lists, as in etcd. */
  readonly key: string;
  readonly revision: number;
  #fields: string | undefined;

  constructor(object: KubeObject, revision: number) {
    this.object = object;
    this.key = keyOf(object.metadata.namespace ?? "", object.metadata.name ?? "");
    this.revision = revision;
  }

  /** The object as JSON. */
  get json(): string {
    const { kind, apiVersion } = this.object;
    return `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},${this.#rest()}`;
  }

  /** The object as JSON without `kind` and `apiVersion`: an item in the list of a built-in resource. */
  get itemJson(): string {
    return `{${this.#rest()}`;
  }

  #rest(): string {
    if (this.#fields === undefined) {
      const { kind: _kind, apiVersion: _apiVersion, ...fields } = this.object;
      this.#fields = JSON.stringify(fields).slice(1);
    }
    return this.#fields;
  }
}

export const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`;
