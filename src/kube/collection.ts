import { asString, at, type JsonObject } from "../json/value.ts";
import type { WatchTarget } from "./watch.ts";

/** Where an object stands in a {@link Collection}, and what is kept of it. */
type Entry<Fact> = readonly [key: string, fact: Fact];

/**
 * The objects of one kind, reduced to what is needed of each: the state that a watch keeps, and nothing of the watch.
 * Changed in place, so that an event costs what it changes.
 */
export class Collection<Fact> implements WatchTarget<Entry<Fact>> {
  readonly #reduce: (object: JsonObject) => Fact;
  #facts = new Map<string, Fact>();

  constructor(reduce: (object: JsonObject) => Fact) {
    this.#reduce = reduce;
  }

  /** @param namespace empty for an object of the whole cluster */
  get(namespace: string, name: string): Fact | undefined {
    return this.#facts.get(`${namespace}/${name}`);
  }

  get size(): number {
    return this.#facts.size;
  }

  values(): IterableIterator<Fact> {
    return this.#facts.values();
  }

  reduce(object: JsonObject): Entry<Fact> {
    return [keyOf(object), this.#reduce(object)];
  }

  /** What a list says, whole: what is not in it is gone. */
  replace(entries: readonly Entry<Fact>[]): void {
    this.#facts = new Map(entries);
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
        this.replace([...others, ...entries]);
      },
      apply: (type, object) => this.apply(type, object),
    };
  }

  /** One event of a watch; an event of another type changes nothing. */
  apply(type: string, object: JsonObject): void {
    if (type === "ADDED" || type === "MODIFIED") this.#facts.set(...this.reduce(object));
    else if (type === "DELETED") this.#facts.delete(keyOf(object));
  }
}

function keyOf(object: JsonObject): string {
  const [namespace = "", name = ""] = ["namespace", "name"].map((key) =>
    asString(at(object, "metadata", key)),
  );
  return `${namespace}/${name}`;
}
