import { readFile } from "node:fs/promises";
import { certificatesIn, countIn } from "../certificates/pem.ts";
import type { Logger } from "../telemetry/logger.ts";

/** The authorities of client certificates, as the file that was configured has them. */
export class ClientAuthority {
  readonly #path: string | undefined;
  readonly #logger: Logger;
  #pem: string | undefined;
  #problem = "";

  private constructor(path: string | undefined, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  /** @throws Error where the file cannot be used: a server that should check its clients must not start without */
  static async read(path: string | undefined, logger: Logger): Promise<ClientAuthority> {
    const authority = new ClientAuthority(path, logger);
    if (path !== undefined) authority.#pem = await authoritiesIn(path);
    return authority;
  }

  /** PEM; undefined where clients are not checked. */
  get pem(): string | undefined {
    return this.#pem;
  }

  /** Reads the file again; what cannot be used is said once, and the one before it goes on to count. @returns whether it changed */
  async look(): Promise<boolean> {
    if (this.#path === undefined) return false;
    try {
      const pem = await authoritiesIn(this.#path);
      const changed = pem !== this.#pem;
      this.#pem = pem;
      this.#problem = "";
      return changed;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#problem)
        this.#logger.error(
          { problem: message },
          "webhook.clientCA cannot be used; the one before it goes on to count",
        );
      this.#problem = message;
      return false;
    }
  }
}

async function authoritiesIn(path: string): Promise<string> {
  const pem = await readFile(path, "utf8");
  const count = certificatesIn(pem).length;
  if (count === 0 || count !== countIn(pem))
    throw new Error(`webhook.clientCA: ${path} is not a list of PEM certificates`);
  return pem;
}
