import { isDeepStrictEqual } from "node:util";
import { asString, at, type JsonObject } from "../json/value.ts";
import type { WatchTarget } from "../kube/watch.ts";

interface Entry<Fact> {
  readonly key: string;
  readonly fact: Fact | undefined;
}

/**
 * The objects of one kind as a watch shows them, reduced to what is needed, found by name and by whatever else they are
 * indexed by, and with word of every change.
 */
export class Watched<Fact> implements WatchTarget<Entry<Fact>> {
  readonly #reduce: (object: JsonObject) => Fact | undefined;
  readonly #indexOf: (fact: Fact) => readonly string[];
  readonly #changed: (indexes: readonly string[]) => void;
  #facts = new Map<string, Fact>();
  #index = new Map<string, Set<string>>();

  /**
   * @param reduce undefined: the object is none of our business
   * @param indexOf what else an object is found by
   * @param changed told what the changed object is, or was, indexed by
   */
  constructor(
    reduce: (object: JsonObject) => Fact | undefined,
    indexOf: (fact: Fact) => readonly string[],
    changed: (indexes: readonly string[]) => void,
  ) {
    this.#reduce = reduce;
    this.#indexOf = indexOf;
    this.#changed = changed;
  }

  get size(): number {
    return this.#facts.size;
  }

  /** @param namespace empty for an object of the whole cluster */
  get(namespace: string, name: string): Fact | undefined {
    return this.#facts.get(`${namespace}/${name}`);
  }

  find(index: string): Fact[] {
    return [...(this.#index.get(index) ?? [])].flatMap((key) => this.#facts.get(key) ?? []);
  }

  values(): Iterable<Fact> {
    return this.#facts.values();
  }

  indexes(): Iterable<string> {
    return this.#index.keys();
  }

  reduce(object: JsonObject): Entry<Fact> {
    return { key: keyOf(object), fact: this.#reduce(object) };
  }

  replace(entries: readonly Entry<Fact>[]): void {
    const before = [...this.#index.keys()];
    this.#facts = new Map();
    this.#index = new Map();
    for (const { key, fact } of entries) this.#set(key, fact);
    this.#changed([...new Set([...before, ...this.#index.keys()])]);
  }

  /**
   * As a watch of one namespace keeps it: a list says nothing of the others.
   *
   * @param namespace empty: all of them
   */
  within(namespace: string): WatchTarget<Entry<Fact>> {
    return {
      reduce: (object) => this.reduce(object),
      replace: (entries) => {
        if (namespace === "") return this.replace(entries);
        const others = [...this.#facts].filter(([key]) => !key.startsWith(`${namespace}/`));
        this.replace([...others.map(([key, fact]) => ({ key, fact })), ...entries]);
      },
      apply: (type, object) => this.apply(type, object),
    };
  }

  apply(type: string, object: JsonObject): void {
    if (type === "DELETED") this.forget(object);
    else if (type === "ADDED" || type === "MODIFIED") this.take(object);
  }

  /** The object as it is now: from an event, a read of our own, or the answer to a write. Where nothing is new, that is no change. */
  take(object: JsonObject): void {
    const { key, fact } = this.reduce(object);
    if (isDeepStrictEqual(fact, this.#facts.get(key))) return;
    this.#changed([...this.#set(key, undefined), ...this.#set(key, fact)]);
  }

  forget(object: JsonObject): void {
    this.#changed(this.#set(keyOf(object), undefined));
  }

  /** @returns what it is, or was, indexed by */
  #set(key: string, fact: Fact | undefined): readonly string[] {
    const old = this.#facts.get(key);
    const indexes = fact === undefined ? (old === undefined ? [] : this.#indexOf(old)) : this.#indexOf(fact);
    if (fact === undefined) this.#facts.delete(key);
    else this.#facts.set(key, fact);
    for (const index of indexes) {
      const keys = this.#index.get(index) ?? new Set();
      if (fact === undefined) keys.delete(key);
      else keys.add(key);
      if (keys.size === 0) this.#index.delete(index);
      else this.#index.set(index, keys);
    }
    return indexes;
  }
}

function keyOf(object: JsonObject): string {
  const [namespace = "", name = ""] = ["namespace", "name"].map((key) =>
    asString(at(object, "metadata", key)),
  );
  return `${namespace}/${name}`;
}
