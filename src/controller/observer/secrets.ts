import { asObject, asString, type JsonObject } from "../../json/value.ts";
import { isForbidden } from "../../kube/error.ts";
import type { Objects } from "../objects.ts";

/** A Secret is read again after this: certificates change. Milliseconds. */
const FRESH_MS = 60_000;

/** After this already where a connection failed with what it holds. Milliseconds. */
const DOUBTED_MS = 5000;

interface Kept {
  readonly readAt: number;
  readonly data: Promise<JsonObject>;
  /** For how long it counts. Milliseconds. */
  freshMs: number;
}

/** Secrets that pods' annotations name, read one by one by their names: nothing here lists or watches Secrets. */
export class Secrets {
  readonly #objects: Objects;
  readonly #kept = new Map<string, Kept>();

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  /**
   * What the Secret holds under these keys.
   *
   * @throws Error in words for a user where it is absent, has not all of them, or may not be read
   */
  async take<Key extends string>(
    namespace: string,
    name: string,
    keys: readonly Key[],
  ): Promise<Record<Key, Buffer>> {
    const data = await this.#data(namespace, name);
    const entries = keys.map((key) => {
      const value = asString(data[key]);
      if (!value) {
        this.doubt(namespace, name);
        throw new Error(`Secret ${namespace}/${name} has no ${key}`);
      }
      return [key, Buffer.from(value, "base64")] as const;
    });
    return Object.fromEntries(entries) as Record<Key, Buffer>;
  }

  /** A connection failed with what the Secret held: it may have changed. */
  doubt(namespace: string, name: string): void {
    const kept = this.#kept.get(`${namespace}/${name}`);
    if (kept !== undefined) kept.freshMs = DOUBTED_MS;
  }

  #data(namespace: string, name: string): Promise<JsonObject> {
    const now = performance.now();
    const key = `${namespace}/${name}`;
    const known = this.#kept.get(key);
    if (known !== undefined && now - known.readAt < known.freshMs) return known.data;
    // Nothing is kept of clusters that are not asked about any more: these are keys.
    for (const [old, { readAt, freshMs }] of this.#kept) {
      if (now - readAt >= freshMs) this.#kept.delete(old);
    }
    const data = this.#read(namespace, name);
    data.catch(() => this.doubt(namespace, name));
    this.#kept.set(key, { readAt: now, data, freshMs: FRESH_MS });
    return data;
  }

  async #read(namespace: string, name: string): Promise<JsonObject> {
    const secret = await this.#objects.read("secrets", namespace, name).catch((error: unknown) => {
      if (!isForbidden(error)) throw error;
      throw new Error(
        `Secret ${namespace}/${name} may not be read: the controller needs "get" on it (the chart's rbac.patroniSecrets)`,
        { cause: error },
      );
    });
    if (secret === undefined) throw new Error(`Secret ${namespace}/${name} does not exist`);
    return asObject(secret.data) ?? {};
  }
}
