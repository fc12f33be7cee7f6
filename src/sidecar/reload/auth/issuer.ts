import type { JSONWebKeySet } from "jose";
import { asString, type JsonObject, objectsIn } from "../../../json/value.ts";
import type { ApiAnswer } from "../../kube-api.ts";

/** Who signs this cluster's ServiceAccount tokens, and with which keys. */
export interface Issuer {
  readonly name: string;
  readonly keys: JSONWebKeySet;
}

/** Keys are read again after this, so that one that was withdrawn does not count for ever. Milliseconds. */
const FRESH_MS = 10 * 60_000;

/** A token with an unknown key makes the keys be read again, and no more often than this. Milliseconds. */
const LEAST_PAUSE_MS = 10_000;

const TIMEOUT_MS = 5000;

/** The API server's own documents (KEP-1393): every ServiceAccount may read them. */
const DISCOVERY_PATH = "/.well-known/openid-configuration";
const KEYS_PATH = "/openid/v1/jwks";

export interface KubeReader {
  send(call: { method: "GET"; path: string; timeoutMs: number }): Promise<ApiAnswer>;
}

/** The issuer of this cluster's tokens, as its API server tells it. */
export class IssuerKeys {
  readonly #api: KubeReader;
  readonly #now: () => number;
  #issuer: Issuer | undefined;
  #readAt = -Infinity;
  #reading: Promise<Issuer> | undefined;

  constructor(api: KubeReader, now: () => number = () => performance.now()) {
    this.#api = api;
    this.#now = now;
  }

  /**
   * @param renew the keys at hand do not verify a token: there may be newer ones
   * @throws Error where the API server does not tell, and nothing fresh enough is known
   */
  async get(renew = false): Promise<Issuer> {
    const age = this.#now() - this.#readAt;
    if (this.#issuer !== undefined && age < (renew ? LEAST_PAUSE_MS : FRESH_MS)) return this.#issuer;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<Issuer> {
    const [discovery, keys] = await Promise.all([this.#document(DISCOVERY_PATH), this.#document(KEYS_PATH)]);
    const name = asString(discovery.issuer);
    if (name === undefined) throw new Error(`the API server names no issuer in ${DISCOVERY_PATH}`);
    this.#issuer = { name, keys: { keys: objectsIn(keys.keys) as unknown as JSONWebKeySet["keys"] } };
    this.#readAt = this.#now();
    return this.#issuer;
  }

  async #document(path: string): Promise<JsonObject> {
    const { code, body, problem } = await this.#api.send({ method: "GET", path, timeoutMs: TIMEOUT_MS });
    if (code !== 200) throw new Error(`${path} of the API server: ${code === 0 ? "" : `${code} `}${problem}`);
    return body;
  }
}
