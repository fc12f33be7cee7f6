import type { ServingCertificate } from "./source.ts";
import { refusal } from "./verify.ts";

/** An entry of the webhook configuration: what API servers that call it ask for. */
export interface Trustee {
  readonly entry: string;
  /** The DNS name or address that it calls. */
  readonly serverName: string;
  /** PEM; empty where there is none. */
  readonly bundlePem: string;
}

export interface ServedOptions {
  /** As the API server has it. */
  now(): Date;
  /** From now on this is served. */
  use(certificate: ServingCertificate): void;
}

/**
 * Which certificate is served, and whether API servers accept it: a verdict on the live configuration. It is passed again
 * only when something was really seen, so that an API server which is away does not make every replica unready.
 */
export class Served {
  readonly #options: ServedOptions;
  #served: ServingCertificate | undefined;
  #offered: ServingCertificate | undefined;
  #trustees: readonly Trustee[] | undefined;
  #refusals: readonly string[] = ["the webhook configuration was not seen yet"];

  constructor(options: ServedOptions) {
    this.#options = options;
  }

  get certificate(): ServingCertificate | undefined {
    return this.#served;
  }

  /** Every entry accepts what is served. */
  get trusted(): boolean {
    return this.#served !== undefined && this.#refusals.length === 0;
  }

  /** Why it is not trusted. */
  get refusals(): readonly string[] {
    return this.#refusals;
  }

  /** A certificate is at hand. Served at once, unless it would be refused while the one before it is accepted. */
  offer(certificate: ServingCertificate): void {
    this.#offered = certificate;
    this.#judge();
  }

  /** The live configuration was read just now. @param trustees its entries, also those that only should be there */
  see(trustees: readonly Trustee[]): void {
    this.#trustees = trustees;
    this.#judge();
  }

  #judge(): void {
    const offered = this.#offered;
    if (offered !== undefined && offered !== this.#served && this.#isBetter(offered)) {
      this.#options.use(offered);
      this.#served = offered;
    }
    if (this.#served !== undefined && this.#trustees !== undefined)
      this.#refusals = this.#refusalsOf(this.#served);
  }

  #isBetter(offered: ServingCertificate): boolean {
    if (this.#served === undefined || this.#refusalsOf(offered).length === 0) return true;
    return this.#refusalsOf(this.#served).length > 0;
  }

  #refusalsOf({ certPem }: ServingCertificate): string[] {
    if (this.#trustees === undefined) return [];
    if (this.#trustees.length === 0) return ["no webhook is configured"];
    const now = this.#options.now();
    return this.#trustees.flatMap(({ entry, serverName, bundlePem }) => {
      const why = refusal(certPem, bundlePem, serverName, now);
      return why === undefined ? [] : [`${entry}: ${why}`];
    });
  }
}
