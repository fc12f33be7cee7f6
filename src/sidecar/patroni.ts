import { readFileSync } from "node:fs";
import { type IncomingMessage, get as plainGet } from "node:http";
import { type RequestOptions, get as secureGet } from "node:https";
import { connect } from "node:net";
import { join } from "node:path";
import { readStatus } from "../patroni/status.ts";
import type { Observation } from "../primary/standing.ts";
import type { SidecarConfig } from "./settings.ts";

/** Patroni answers from memory and one SQL query; what takes longer is no answer. Milliseconds. */
const TIMEOUT_MS = 1000;

/** A member's status is a few kilobytes. */
const LARGEST_BODY = 256 * 1024;

/** Asks this pod's Patroni, on the pod's address and never on loopback: it may listen on one address only. */
export class PatroniClient {
  readonly #config: SidecarConfig;

  constructor(config: SidecarConfig) {
    this.#config = config;
  }

  /** `GET` of one of Patroni's health paths. Never rejects. */
  async observe(path: "/primary" | "/health"): Promise<Observation> {
    const sentAt = performance.now();
    try {
      const { code, text } = await this.#get(path);
      return { kind: "answered", sentAt, status: readStatus(code, parsed(text)) };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "ECONNREFUSED") return { kind: "silent", sentAt, error: message };
      return { kind: "refused", sentAt, postgres: await this.#knock() };
    }
  }

  #get(path: string): Promise<{ code: number; text: string }> {
    const { scheme, host, port } = this.#config.patroni;
    const options: RequestOptions = {
      host,
      port,
      path,
      agent: false,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    return new Promise((resolve, reject) => {
      const take = (response: IncomingMessage): void => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
          if (text.length > LARGEST_BODY) response.destroy(new Error("the answer is too large"));
        });
        response.on("error", reject);
        response.on("end", () => resolve({ code: response.statusCode ?? 0, text }));
      };
      const call =
        scheme === "http" ? plainGet(options, take) : secureGet({ ...options, ...this.#tls() }, take);
      call.on("error", reject);
    });
  }

  /** Read at each request: Secrets change in place, and may come after the pod has started. */
  #tls(): RequestOptions {
    const { name, caDir, clientDir } = this.#config.patroni;
    return {
      ...(name === undefined ? {} : { servername: name }),
      ...optionalFile("ca", caDir, "ca.crt"),
      ...optionalFile("cert", clientDir, "tls.crt"),
      ...optionalFile("key", clientDir, "tls.key"),
    };
  }

  /** Whether anybody still listens on PostgreSQL's port. */
  #knock(): Promise<"refused" | "open" | "unknown"> {
    return new Promise((resolve) => {
      const socket = connect({ host: this.#config.patroni.host, port: this.#config.postgresPort });
      const end = (answer: "refused" | "open" | "unknown"): void => {
        socket.destroy();
        resolve(answer);
      };
      socket.setTimeout(TIMEOUT_MS, () => end("unknown"));
      socket.on("connect", () => end("open"));
      socket.on("error", ({ code }: NodeJS.ErrnoException) =>
        end(code === "ECONNREFUSED" ? "refused" : "unknown"),
      );
    });
  }
}

function optionalFile(
  option: "ca" | "cert" | "key",
  folder: string | undefined,
  name: string,
): RequestOptions {
  try {
    return folder === undefined ? {} : { [option]: readFileSync(join(folder, name)) };
  } catch {
    return {};
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
