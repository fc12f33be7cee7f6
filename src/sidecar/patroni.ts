import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { checkServerIdentity } from "node:tls";
import { asString, at, objectsIn } from "../json/value.ts";
import { probe } from "../patroni/probe.ts";
import { askPatroni, type RestTarget } from "../patroni/rest.ts";
import type { Observation } from "../primary/standing.ts";
import type { SidecarConfig } from "./settings.ts";

/** Asks this pod's Patroni, on the pod's address and never on loopback: it may listen on one address only. */
export class PatroniClient {
  readonly #config: SidecarConfig;

  constructor(config: SidecarConfig) {
    this.#config = config;
  }

  /** `GET` of one of Patroni's health paths. Never rejects. */
  observe(path: "/primary" | "/health"): Promise<Observation> {
    return probe({ ...this.#target(), postgresPort: this.#config.postgresPort }, path);
  }

  /** Whom the DCS names as leader, by this member's own `/cluster`, which reads the DCS; undefined where it does not say. */
  async leader(): Promise<string | undefined> {
    const { code, body } = await this.#ask("/cluster");
    const leader = objectsIn(at(body, "members")).find(({ role }) => role === "leader");
    return code === 200 ? asString(leader?.name) : undefined;
  }

  /** The `ttl` in force, by `/config`. Milliseconds; undefined where it does not say. */
  async ttlMs(): Promise<number | undefined> {
    const ttl = at((await this.#ask("/config")).body, "ttl");
    return typeof ttl === "number" && ttl > 0 ? ttl * 1000 : undefined;
  }

  async #ask(path: string) {
    return askPatroni(this.#target(), path).catch(() => ({ code: 0, body: undefined }));
  }

  #target(): RestTarget {
    const { scheme, host, port } = this.#config.patroni;
    return { scheme, host, port, tls: scheme === "http" ? {} : this.#tls() };
  }

  /** Read at each request: Secrets change in place, and may come after the pod has started. */
  #tls(): RestTarget["tls"] {
    const { name, caDir, clientDir } = this.#config.patroni;
    return {
      ...(name === undefined ? {} : nameCheck(name)),
      ...optionalFile("ca", caDir, "ca.crt"),
      ...optionalFile("cert", clientDir, "tls.crt"),
      ...optionalFile("key", clientDir, "tls.key"),
    };
  }
}

/** An address may stand in a certificate, but not in TLS's server name (RFC 6066). */
const nameCheck = (name: string): RestTarget["tls"] => ({
  servername: isIP(name) === 0 ? name : "",
  checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
});

function optionalFile(
  option: "ca" | "cert" | "key",
  folder: string | undefined,
  name: string,
): RestTarget["tls"] {
  try {
    return folder === undefined ? {} : { [option]: readFileSync(join(folder, name)) };
  } catch {
    return {};
  }
}
