import { EventWindow } from "./event-window.ts";
import type { KubeObject } from "./objects.ts";
import { Stored } from "./stored.ts";

/** One change of one object. `object` of a DELETED is its last state, at the revision of the deletion. */
export interface Change {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  /** As in `Resource.id`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  readonly object: Stored;
  readonly previous: Stored | undefined;
  /** Milliseconds since the epoch, with a fraction: comparable between processes of one machine. */
  readonly at: number;
}

/** Called synchronously, in order of revisions; must not throw. */
export type ChangeListener = (change: Change) => void;

type Objects = Map<string, Map<string, Stored>>;
type Listeners = Map<string, Set<ChangeListener>>;

/** Every namespace, as a place to listen. No namespace is called so. */
const EVERYWHERE = "*";

/**
 * What etcd and the watch cache are to a real API server: objects by resource, namespace and name; one counter of
 * revisions; the newest changes of each resource; who listens where. It knows no rule of any resource.
 */
export class Store {
  #revision = 0;
  /** Up to here every change is forgotten, also of resources that had none yet. */
  #compacted = 0;
  readonly #eventWindow: number;
  readonly #objects = new Map<string, Objects>();
  readonly #windows = new Map<string, EventWindow<Change>>();
  readonly #listeners = new Map<string, Listeners>();
  readonly #observers = new Set<ChangeListener>();

  /** @param eventWindow changes remembered of each resource; a watch from before them is told 410 */
  constructor(eventWindow: number) {
    this.#eventWindow = eventWindow;
  }

  /** The revision of the newest change of any resource. */
  get revision(): number {
    return this.#revision;
  }

  get(resource: string, namespace: string, name: string): Stored | undefined {
    return this.#objects.get(resource)?.get(namespace)?.get(name);
  }

  /** The objects of a resource, of one namespace or of all, in the order of their keys. */
  list(resource: string, namespace?: string): Stored[] {
    const spaces = this.#objects.get(resource);
    if (spaces === undefined) return [];
    const chosen = namespace === undefined ? [...spaces.values()] : [spaces.get(namespace) ?? new Map()];
    return chosen.flatMap((objects) => [...objects.values()]).sort(byKey);
  }

  /** As {@link list}, as it was at a revision; undefined where that is forgotten. */
  listAt(revision: number, resource: string, namespace?: string): Stored[] | undefined {
    const since = this.#window(resource).after(revision);
    if (since === undefined) return undefined;
    const objects = new Map(this.list(resource, namespace).map((stored) => [stored.key, stored]));
    for (const { previous, object, namespace: place } of since.reverse()) {
      if (namespace !== undefined && place !== namespace) continue;
      if (previous === undefined) objects.delete(object.key);
      else objects.set(previous.key, previous);
    }
    return [...objects.values()].sort(byKey);
  }

  /** The changes of a resource after a revision, oldest first; undefined where some are forgotten. */
  changesAfter(revision: number, resource: string): Change[] | undefined {
    return this.#window(resource).after(revision);
  }

  /** Forgets every change up to now: who watches from before is told 410. */
  compact(): void {
    this.#compacted = this.#revision;
    for (const window of this.#windows.values()) window.forget(this.#compacted);
  }

  /**
   * Compare and swap, the only way to change anything.
   * @param expected the state that the caller has seen; undefined for none
   * @param next the object to keep, which becomes the store's; undefined to delete
   * @returns the state that is kept now (of a deletion: the last one), or undefined where `expected` is not the
   * current state
   */
  swap(
    resource: string,
    namespace: string,
    name: string,
    expected: Stored | undefined,
    next: KubeObject | undefined,
  ): Stored | undefined {
    const objects = this.#namespace(resource, namespace);
    const previous = objects.get(name);
    if (previous !== expected) return undefined;
    const content = next ?? previous?.object;
    if (content === undefined) return undefined;

    const revision = ++this.#revision;
    const metadata = { ...content.metadata, resourceVersion: String(revision) };
    const object = new Stored({ ...content, metadata }, revision);
    if (next === undefined) objects.delete(name);
    else objects.set(name, object);

    const type = next === undefined ? "DELETED" : previous === undefined ? "ADDED" : "MODIFIED";
    const at = performance.timeOrigin + performance.now();
    this.#publish({ type, resource, namespace, name, revision, object, previous, at });
    return object;
  }

  /**
   * Listens to one resource, in one namespace or in all.
   * @returns ends it
   */
  listen(resource: string, namespace: string | undefined, listener: ChangeListener): () => void {
    const spaces = getOrAdd(this.#listeners, resource, () => new Map());
    const listeners = getOrAdd(spaces, namespace ?? EVERYWHERE, () => new Set());
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /**
   * Listens to every change of every resource.
   * @returns ends it
   */
  observe(observer: ChangeListener): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  #publish(change: Change): void {
    this.#window(change.resource).push(change);
    const spaces = this.#listeners.get(change.resource);
    for (const space of [change.namespace, EVERYWHERE]) {
      for (const listener of spaces?.get(space) ?? []) listener(change);
    }
    for (const observer of this.#observers) observer(change);
  }

  #namespace(resource: string, namespace: string): Map<string, Stored> {
    const spaces = getOrAdd(this.#objects, resource, (): Objects => new Map());
    return getOrAdd(spaces, namespace, () => new Map());
  }

  #window(resource: string): EventWindow<Change> {
    return getOrAdd(this.#windows, resource, () => {
      const window = new EventWindow<Change>(this.#eventWindow);
      window.forget(this.#compacted);
      return window;
    });
  }
}

const byKey = (one: { readonly key: string }, other: { readonly key: string }): number =>
  one.key < other.key ? -1 : one.key > other.key ? 1 : 0;

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
