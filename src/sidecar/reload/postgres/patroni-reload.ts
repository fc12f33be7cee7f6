import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type CallAnswer, callPatroni, type RestTarget } from "../../../patroni/rest.ts";

/** A PATCH reads the DCS, and Patroni tries that for as long as its `retry_timeout`. Milliseconds. */
const TIMEOUT_MS = 10_000;

/** A key that no Patroni knows: taking it away changes nothing, whatever the configuration is by then. */
const NOTHING = { patroni_injector_wake: null };

/** Patroni answered, and did not do what it was asked for. */
export class PatroniRefusal extends Error {}

/** What a reload needs of this pod's Patroni. */
export class PatroniReload {
  readonly #target: () => RestTarget;
  readonly #authDir: string | undefined;

  /**
   * @param target asked for at each call: its certificates may change
   * @param authDir the folder with `username` and `password` of the REST API; may be empty or absent
   */
  constructor(target: () => RestTarget, authDir: string | undefined) {
    this.#target = target;
    this.#authDir = authDir;
  }

  /**
   * Lets Patroni read its file again at its next round, and send PostgreSQL a SIGHUP. Its 202 says that this was noted, and nothing
   * of whether it happens (Patroni's api.py, do_POST_reload).
   *
   * @throws PatroniRefusal where it is not noted, any other error where nobody answers
   */
  async schedule(): Promise<void> {
    const answer = await this.#call("POST", "/reload");
    if (answer.code !== 202) throw refusal("POST /reload", answer);
  }

  /**
   * Begins Patroni's next round now instead of after `loop_wait`: every PATCH of the configuration does, also one that changes nothing
   * (do_PATCH_config).
   *
   * @returns the configuration as the DCS has it now
   */
  async wake(): Promise<unknown> {
    return read("PATCH /config", await this.#call("PATCH", "/config", NOTHING));
  }

  /**
   * The configuration in the DCS, as it is now: Patroni answers `/config` from what it saw last, and sees anew for `/cluster` (api.py and
   * dcs/__init__.py, get_cluster), which asks for no credentials.
   */
  async configuration(): Promise<unknown> {
    await this.#call("GET", "/cluster");
    return read("GET /config", await this.#call("GET", "/config"));
  }

  #call(method: "GET" | "POST" | "PATCH", path: string, body?: object): Promise<CallAnswer> {
    const auth = method === "GET" ? undefined : this.#credentials();
    return callPatroni(this.#target(), { method, path, auth, timeoutMs: TIMEOUT_MS, ...(body && { body }) });
  }

  /** Read at each call: the Secret may change in place, or come late. */
  #credentials(): string | undefined {
    const dir = this.#authDir;
    if (dir === undefined) return undefined;
    try {
      const [user, password] = ["username", "password"].map((name) =>
        readFileSync(join(dir, name), "utf8").trim(),
      );
      return `${user}:${password}`;
    } catch {
      return undefined;
    }
  }
}

function read(what: string, answer: CallAnswer): unknown {
  if (answer.code !== 200) throw refusal(what, answer);
  return JSON.parse(answer.text);
}

const refusal = (what: string, { code, text }: CallAnswer): PatroniRefusal =>
  new PatroniRefusal(
    `Patroni answers ${what} with ${code}${text === "" ? "" : `: ${text.trim().slice(0, 500)}`}`,
  );
