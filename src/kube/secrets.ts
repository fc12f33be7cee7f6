import type { SecretStore, StoredSecret } from "../certificates/secret-store.ts";
import type { SecretData } from "../certificates/secrets.ts";
import { FIELD_MANAGER, MANAGED_BY, MANAGED_BY_LABEL } from "../contract/names.ts";
import { asString, at, type JsonObject } from "../json/value.ts";
import type { KubeConnection } from "./connection.ts";
import { KubeError } from "./error.ts";
import { dataOf, textsIn } from "./secret-data.ts";

/** Longer than any read or write of one object takes. Milliseconds. */
const CALL_MS = 10_000;

/** The Secrets of one namespace. What is there is replaced with the resourceVersion as read, what is not is POSTed. */
export class KubeSecrets implements SecretStore {
  readonly #connection: KubeConnection;
  readonly #namespace: string;
  /** As read, for what is not data: a chart's labels stay. */
  readonly #objects = new WeakMap<StoredSecret, JsonObject>();

  constructor(connection: KubeConnection, namespace: string) {
    this.#connection = connection;
    this.#namespace = namespace;
  }

  async read(name: string): Promise<StoredSecret> {
    try {
      const path = `${this.#collection}/${encodeURIComponent(name)}`;
      const object = await this.#connection.send({
        method: "GET",
        path,
        signal: AbortSignal.timeout(CALL_MS),
      });
      const secret = {
        data: textsIn(object.data),
        version: asString(at(object, "metadata", "resourceVersion")),
      };
      this.#objects.set(secret, object);
      return secret;
    } catch (error) {
      if (error instanceof KubeError && error.code === 404) return { data: {}, version: undefined };
      throw error;
    }
  }

  async write(name: string, data: SecretData, over: StoredSecret): Promise<boolean> {
    const read = this.#objects.get(over);
    const metadata = { name, namespace: this.#namespace, labels: { [MANAGED_BY_LABEL]: MANAGED_BY } };
    const fresh: JsonObject = { apiVersion: "v1", kind: "Secret", type: "Opaque", metadata };
    try {
      await this.#connection.send({
        method: read === undefined ? "POST" : "PUT",
        path: read === undefined ? this.#collection : `${this.#collection}/${encodeURIComponent(name)}`,
        query: { fieldManager: FIELD_MANAGER },
        body: { ...(read ?? fresh), data: dataOf(data) },
        signal: AbortSignal.timeout(CALL_MS),
      });
      return true;
    } catch (error) {
      const gone = read !== undefined && error instanceof KubeError && error.code === 404;
      if (gone || (error instanceof KubeError && error.code === 409)) return false;
      throw error;
    }
  }

  get #collection(): string {
    return `/api/v1/namespaces/${encodeURIComponent(this.#namespace)}/secrets`;
  }
}
