import { isObject, type Json, type JsonObject } from "../../json/value.ts";

/** Values that are remembered at once; lists come sorted, so that what is alike is close together. */
const AT_MOST = 20_000;

/**
 * Makes equal parts of JSON values one: pods of a cluster differ in little, and most of what they share stands in every other cluster
 * too. What comes out is equal to what went in, and must not be changed.
 */
export class Sharing {
  readonly #atMost: number;
  #ids = new Map<Json, number>();
  #strings = new Map<string, string>();
  /** By the ids of their parts: of lists, and of objects with their keys. */
  #lists = new Map<string, Json[]>();
  #objects = new Map<string, JsonObject>();

  constructor(atMost = AT_MOST) {
    this.#atMost = atMost;
  }

  /** @param value owned by the caller: parts of it are replaced by their equals */
  share<Value extends Json>(value: Value): Value {
    if (this.#ids.size > this.#atMost) {
      this.#ids = new Map();
      this.#strings = new Map();
      this.#lists = new Map();
      this.#objects = new Map();
    }
    return this.#shared(value) as Value;
  }

  #shared(value: Json): Json {
    if (typeof value === "string") return remembered(this.#strings, value, value);
    if (Array.isArray(value)) return remembered(this.#lists, this.#keyOfList(value), value);
    if (isObject(value)) return remembered(this.#objects, this.#keyOfObject(value), value);
    return value;
  }

  #keyOfList(list: Json[]): string {
    for (const [index, part] of list.entries()) list[index] = this.#shared(part);
    return list.map((part) => this.#idOf(part)).join();
  }

  #keyOfObject(object: JsonObject): string {
    const ids: number[] = [];
    for (const [key, part] of Object.entries(object)) {
      if (part === undefined) continue;
      const shared = this.#shared(part);
      object[key] = shared;
      ids.push(this.#idOf(key), this.#idOf(shared));
    }
    return ids.join();
  }

  #idOf(value: Json): number {
    const known = this.#ids.get(value);
    if (known !== undefined) return known;
    const id = this.#ids.size;
    this.#ids.set(value, id);
    return id;
  }
}

function remembered<Value>(known: Map<string, Value>, key: string, value: Value): Value {
  const before = known.get(key);
  if (before === undefined) known.set(key, value);
  return before ?? value;
}
