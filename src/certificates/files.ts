import { X509Certificate } from "node:crypto";
import { readFile, realpath } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createSecureContext } from "node:tls";
import { pairProblem } from "./pem.ts";
import type { CertificateSource, ServingCertificate } from "./source.ts";

export interface FileOptions {
  /** Holds `tls.crt`, `tls.key` and, where it is known, `ca.crt`: a mounted Secret, or any directory like it. */
  readonly directory: string;
  onCertificate(certificate: ServingCertificate): void;
  /** Told once of each content: whether it could be used. */
  onLoad?(result: "success" | "failure"): void;
  readonly logger: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  /** A pair that does not match may be half written: it is read again after this. Default: 0.1 s. */
  readonly settleMs?: number;
}

const SETTLE_MS = 100;

interface Files {
  readonly certPem: string;
  readonly keyPem: string;
  readonly caPem: string;
}

/**
 * A certificate in files that somebody else replaces (cert-manager through the kubelet, a person, a script). What cannot be
 * used is said, and the one before it goes on to count.
 */
export class FileSource implements CertificateSource {
  readonly #options: FileOptions;
  #known = "";
  #stopped = false;

  constructor(options: FileOptions) {
    this.#options = options;
  }

  async look(): Promise<void> {
    const found = await this.#settled();
    const key = typeof found === "string" ? found : JSON.stringify(found);
    if (this.#stopped || key === this.#known) return;
    this.#known = key;
    const { directory, logger, onLoad, onCertificate } = this.#options;
    if (typeof found === "string") {
      logger.error(
        { directory, problem: found },
        "the certificate cannot be used; the one before it goes on to count",
      );
      return onLoad?.("failure");
    }
    const { validToDate: notAfter, subjectAltName } = new X509Certificate(found.certPem);
    logger.info({ directory, subjectAltName, notAfter }, "read a certificate");
    onLoad?.("success");
    onCertificate({ ...found, notAfter });
  }

  stop(): void {
    this.#stopped = true;
  }

  async #settled(): Promise<Files | string> {
    const { directory, settleMs = SETTLE_MS } = this.#options;
    const first = await read(directory);
    if (typeof first !== "string" || first === this.#known) return first;
    await delay(settleMs);
    return read(directory);
  }
}

/** What is in the files, or what is wrong with it. */
async function read(directory: string): Promise<Files | string> {
  try {
    // A kubelet swaps the link `..data`: all are read from where it leads now, so that they belong together.
    const folder = await realpath(join(directory, "..data")).catch(() => directory);
    const text = (name: string) => readFile(join(folder, name), "utf8");
    const [certPem, keyPem] = await Promise.all([text("tls.crt"), text("tls.key")]);
    const caPem = await text("ca.crt").catch(() => "");
    const problem = pairProblem(certPem, keyPem);
    if (problem === undefined) createSecureContext({ cert: certPem, key: keyPem }); // throws for a key that TLS holds too weak
    return problem ?? { certPem, keyPem, caPem };
  } catch (error) {
    return (error as Error).message;
  }
}
