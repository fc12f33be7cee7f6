import { readFileSync } from "node:fs";
import { join } from "node:path";
import { leaderBy, ttlMsBy } from "../patroni/dcs.ts";
import { probe } from "../patroni/probe.ts";
import type { RestTarget } from "../patroni/rest.ts";
import { verifiedAs } from "../patroni/tls.ts";
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
    return probe({ ...this.target(), postgresPort: this.#config.postgresPort }, path);
  }

  /** Whom the DCS names as leader, by this member's own `/cluster`; undefined where it does not say. */
  leader(): Promise<string | undefined> {
    return leaderBy(this.target());
  }

  /** The `ttl` in force. Milliseconds; undefined where it does not say. */
  ttlMs(): Promise<number | undefined> {
    return ttlMsBy(this.target());
  }

  /** Where this pod's Patroni is, with the certificates of this moment. */
  target(): RestTarget {
    const { scheme, host, port } = this.#config.patroni;
    return { scheme, host, port, tls: scheme === "http" ? {} : this.#tls() };
  }

  /** Read at each request: Secrets change in place, and may come after the pod has started. */
  #tls(): RestTarget["tls"] {
    const { name, caDir, clientDir } = this.#config.patroni;
    return {
      ...(name === undefined ? {} : verifiedAs(name)),
      ...optionalFile("ca", caDir, "ca.crt"),
      ...optionalFile("cert", clientDir, "tls.crt"),
      ...optionalFile("key", clientDir, "tls.key"),
    };
  }
}

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
