import { leaderBy, ttlMsBy } from "../../patroni/dcs.ts";
import { type ProbeResult, type ProbeTarget, probe } from "../../patroni/probe.ts";
import { verifiedAs } from "../../patroni/tls.ts";
import type { DcsSource } from "../../primary/asked-tenure.ts";
import type { PodFacts } from "../facts/pod.ts";
import type { Objects } from "../objects.ts";
import { Secrets } from "./secrets.ts";

/** Asks members' Patroni from outside their pods, over TLS with what the Secrets hold that their annotations name. */
export class PatroniAsker {
  readonly #secrets: Secrets;

  constructor(objects: Objects) {
    this.#secrets = new Secrets(objects);
  }

  /** `GET /primary`. Never rejects: a member that cannot be asked as its annotations say has not answered. */
  async ask(pod: PodFacts): Promise<ProbeResult> {
    try {
      const result = await probe(await this.#target(pod), "/primary");
      if (result.kind === "silent" && result.isTls) this.#doubt(pod);
      return result;
    } catch (error) {
      return { kind: "silent", sentAt: performance.now(), error: (error as Error).message, isTls: false };
    }
  }

  /** The DCS as this member's Patroni sees it. */
  dcsBy(pod: PodFacts): DcsSource {
    const undecided = () => undefined;
    return {
      leader: () => this.#target(pod).then(leaderBy).catch(undecided),
      ttlMs: () => this.#target(pod).then(ttlMsBy).catch(undecided),
    };
  }

  async #target(pod: PodFacts): Promise<ProbeTarget> {
    const { patroniScheme: scheme, patroniPort: port, postgresPort } = pod.settings;
    const tls = scheme === "https" ? await this.#tls(pod) : {};
    return { scheme, host: pod.ip ?? "", port, postgresPort, tls };
  }

  async #tls({ namespace, settings, patroniName }: PodFacts): Promise<ProbeTarget["tls"]> {
    const { caSecret, clientSecret } = settings;
    const [authority, client] = await Promise.all([
      caSecret === undefined ? undefined : this.#secrets.take(namespace, caSecret, ["ca.crt"]),
      clientSecret === undefined
        ? undefined
        : this.#secrets.take(namespace, clientSecret, ["tls.crt", "tls.key"]),
    ]);
    return {
      ...(patroniName === undefined ? {} : verifiedAs(patroniName)),
      ...(authority === undefined ? {} : { ca: authority["ca.crt"] }),
      ...(client === undefined ? {} : { cert: client["tls.crt"], key: client["tls.key"] }),
    };
  }

  #doubt({ namespace, settings }: PodFacts): void {
    for (const name of [settings.caSecret, settings.clientSecret]) {
      if (name !== undefined) this.#secrets.doubt(namespace, name);
    }
  }
}
