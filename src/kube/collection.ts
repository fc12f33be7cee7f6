import { asString, at, type JsonObject } from "../json/value.ts";

/** The objects of one kind, reduced to what is needed of each: the state that a watch keeps. Knows no transport. */
export class Collection<Fact> {
  readonly #reduce: (object: JsonObject) => Fact;
  #facts = new Map<string, Fact>();

  constructor(reduce: (object: JsonObject) => Fact) {
    this.#reduce = reduce;
  }

  get(namespace: string, name: string): Fact | undefined {
    return this.#facts.get(`${namespace}/${name}`);
  }

  get size(): number {
    return this.#facts.size;
  }

  values(): IterableIterator<Fact> {
    return this.#facts.values();
  }

  /** What a list says, whole: what is not in it is gone. */
  replace(objects: readonly JsonObject[]): void {
    this.#facts = new Map(objects.map((object) => [keyOf(object), this.#reduce(object)]));
  }

  /** One event of a watch; an event of another type changes nothing. */
  apply(type: string, object: JsonObject): void {
    if (type === "ADDED" || type === "MODIFIED") this.#facts.set(keyOf(object), this.#reduce(object));
    else if (type === "DELETED") this.#facts.delete(keyOf(object));
  }
}

function keyOf(object: JsonObject): string {
  return `${asString(at(object, "metadata", "namespace")) ?? ""}/${asString(at(object, "metadata", "name")) ?? ""}`;
}
