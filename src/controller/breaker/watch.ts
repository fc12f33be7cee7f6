import { SUSPENSIONS_CONFIGMAP } from "../../contract/names.ts";
import type { JsonObject } from "../../json/value.ts";
import type { KubeConnection } from "../../kube/connection.ts";
import { type Watcher, type WatchTimes, watchResource } from "../../kube/watch.ts";
import { collectionPath } from "../resources.ts";
import { isSuspended, readSuspensions, type Suspension, type Suspensions } from "./suspension.ts";

export interface SuspensionWatchOptions {
  /** Where the ConfigMap is. */
  readonly namespace: string;
  onInterrupted(error: unknown, pauseMs: number): void;
  readonly times?: Partial<WatchTimes>;
}

/** What every replica knows of suspensions: the ConfigMap, as it was seen last. */
export class SuspensionWatch {
  readonly namespace: string;
  readonly #watcher: Watcher;
  readonly #listeners = new Set<(namespaces: readonly string[]) => void>();
  #suspensions: Suspensions = new Map();

  constructor(connection: KubeConnection, { namespace, onInterrupted, times }: SuspensionWatchOptions) {
    this.namespace = namespace;
    this.#watcher = watchResource<JsonObject>(connection, {
      path: collectionPath("configmaps", namespace),
      fieldSelector: `metadata.name=${SUSPENSIONS_CONFIGMAP}`,
      target: {
        reduce: ({ metadata, data }) => ({ metadata, data }),
        replace: ([configMap]) => this.take(configMap),
        apply: (type, configMap) => this.take(type === "DELETED" ? undefined : configMap),
      },
      onInterrupted,
      ...(times === undefined ? {} : { times }),
    });
  }

  /** The ConfigMap was read, or may not be. */
  synced(): boolean {
    return this.#watcher.synced() || this.#watcher.forbidden();
  }

  get all(): Suspensions {
    return this.#suspensions;
  }

  of(namespace: string): Suspension | undefined {
    return this.#suspensions.get(namespace);
  }

  /** See {@link isSuspended}. */
  suspends(namespace: string, pod: string | undefined, image: string): boolean {
    return isSuspended(this.#suspensions.get(namespace), pod, image);
  }

  /** The ConfigMap as it is now: from an event, or the answer to a write of our own. Undefined: there is none. */
  take(configMap: JsonObject | undefined): void {
    const before = this.#suspensions;
    this.#suspensions = readSuspensions(configMap);
    const changed = [...new Set([...before.keys(), ...this.#suspensions.keys()])].filter(
      (namespace) => JSON.stringify(before.get(namespace)) !== JSON.stringify(this.of(namespace)),
    );
    if (changed.length === 0) return;
    for (const listener of this.#listeners) listener(changed);
  }

  /** Tells of the namespaces of which anything changed. @returns ends that */
  onChange(listener: (namespaces: readonly string[]) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  stop(): Promise<void> {
    return this.#watcher.stop();
  }
}
