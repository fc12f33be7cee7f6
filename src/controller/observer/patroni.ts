import type { JsonObject } from "../../json/value.ts";
import { type ProbeResult, type ProbeTarget, probe } from "../../patroni/probe.ts";
import type { PodFacts } from "../facts/pod.ts";
import type { Objects } from "../objects.ts";

/** A Secret is read again after this: certificates change. Milliseconds. */
const SECRET_MS = 60_000;

interface Kept {
  readonly readAt: number;
  readonly data: Promise<JsonObject>;
}

/** Asks members' Patroni from outside their pods, over TLS with what the Secrets hold that their annotations name. */
export class PatroniAsker {
  readonly #objects: Objects;
  readonly #secrets = new Map<string, Kept>();

  constructor(objects: Objects) {
    this.#objects = objects;
  }

  /** Never rejects. */
  async ask(pod: PodFacts): Promise<ProbeResult> {
    const { patroniScheme: scheme, patroniPort: port, postgresPort } = pod.settings;
    const host = pod.ip ?? "";
    try {
      const tls = scheme === "https" ? await this.#tls(pod) : {};
      return await probe({ scheme, host, port, postgresPort, tls }, "/primary");
    } catch (error) {
      return { kind: "silent", sentAt: performance.now(), error: (error as Error).message };
    }
  }

  async #tls({ namespace, settings, patroniName }: PodFacts): Promise<ProbeTarget["tls"]> {
    const [authority, client] = await Promise.all([
      this.#secret(namespace, settings.caSecret),
      this.#secret(namespace, settings.clientSecret),
    ]);
    return {
      ...(patroniName === undefined ? {} : { servername: patroniName }),
      ...entry("ca", authority, "ca.crt"),
      ...entry("cert", client, "tls.crt"),
      ...entry("key", client, "tls.key"),
    };
  }

  #secret(namespace: string, name: string | undefined): Promise<JsonObject> {
    if (name === undefined) return Promise.resolve({});
    const key = `${namespace}/${name}`;
    const kept = this.#secrets.get(key);
    if (kept !== undefined && performance.now() - kept.readAt < SECRET_MS) return kept.data;
    const data = this.#objects
      .read("secrets", namespace, name)
      .then((secret) => (secret?.data ?? {}) as JsonObject);
    data.catch(() => this.#secrets.delete(key));
    this.#secrets.set(key, { readAt: performance.now(), data });
    return data;
  }
}

function entry(option: "ca" | "cert" | "key", data: JsonObject, key: string): ProbeTarget["tls"] {
  const value = data[key];
  return typeof value === "string" ? { [option]: Buffer.from(value, "base64") } : {};
}
