import { connect } from "node:net";
import { RELOAD_TLS_SECRET } from "../../contract/names.ts";
import { RELOAD_PORT } from "../../contract/ports.ts";
import { RELOAD_STATUS_PATH } from "../../contract/reload.ts";
import { BackOff } from "../../kube/back-off.ts";
import { callPod } from "../../reload-api/call.ts";
import type { PodFacts } from "../facts/pod.ts";
import type { Objects } from "../objects.ts";
import { Secrets } from "../observer/secrets.ts";
import { type Failure, failuresIn } from "./failures.ts";

/** A pod whose sidecar serves the reload API. */
export type ServingPod = Pick<PodFacts, "namespace" | "name" | "uid" | "ip" | "reloadApi">;

export type Look =
  | { readonly kind: "answered"; readonly failures: readonly Failure[] }
  | { readonly kind: "silent"; readonly why: string };

/** The sidecar reads files, and may ask Patroni. Milliseconds. */
const ANSWER_MS = 5000;

/** After a Secret without an authority that may be read: ours may be filled at any time. Milliseconds. */
const UNREADABLE = { firstPauseMs: 2000, longestPauseMs: 60_000 };

/** One of a user's own: nobody has to let us look. Milliseconds. */
const OF_OTHERS = { firstPauseMs: 2000, longestPauseMs: 600_000 };

/** Asks reload APIs how reloads went, over TLS with the authority in the Secret of their certificate. */
export class StatusAsker {
  readonly #secrets: Secrets;
  readonly #token: () => Promise<string>;
  readonly #port: number;
  readonly #unreadable = new Map<string, { readonly backOff: BackOff; until: number }>();

  /** @param token of ours, for the audience of the reload API; read each time: it is replaced in place */
  constructor(objects: Objects, token: () => Promise<string>, port = RELOAD_PORT) {
    this.#secrets = new Secrets(objects);
    this.#token = token;
    this.#port = port;
  }

  /** Never rejects. */
  async ask(pod: ServingPod): Promise<Look> {
    const { reloadApi, ip: host, namespace } = pod;
    if (reloadApi === undefined || host === undefined) return { kind: "silent", why: "it has no address" };
    const { dnsName, secret } = reloadApi;
    try {
      const ca = await this.#authorityIn(namespace, secret);
      const token = await this.#token();
      const open = async () => connect({ host, port: this.#port });
      const { status, body } = await callPod(
        { open, dnsName, ca, token },
        RELOAD_STATUS_PATH,
        undefined,
        ANSWER_MS,
      );
      if (status !== 200) return { kind: "silent", why: `it answers ${status}` };
      return { kind: "answered", failures: failuresIn(body) };
    } catch (error) {
      // It may be another authority by now.
      this.#secrets.doubt(namespace, secret);
      return { kind: "silent", why: (error as Error).message };
    }
  }

  async #authorityIn(namespace: string, name: string): Promise<string> {
    const key = `${namespace}/${name}`;
    const known = this.#unreadable.get(key);
    if (known !== undefined && performance.now() < known.until)
      throw new Error(`Secret ${key} shows no authority`);
    try {
      const { "ca.crt": ca } = await this.#secrets.take(namespace, name, ["ca.crt"]);
      this.#unreadable.delete(key);
      return ca.toString();
    } catch (error) {
      const backOff = known?.backOff ?? new BackOff(name === RELOAD_TLS_SECRET ? UNREADABLE : OF_OTHERS);
      this.#unreadable.set(key, { backOff, until: performance.now() + backOff.next(error) });
      throw error;
    }
  }
}
