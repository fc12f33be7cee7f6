import { X509Certificate } from "node:crypto";
import { issueAuthority, issueLeaf, type Names } from "./issue.ts";
import { LIFETIMES, type Lifetimes } from "./lifetimes.ts";
import { idOf } from "./pem.ts";
import { nextStep, type RotationFacts, type Step } from "./rotation.ts";
import { coversAll, namesOf, spanOf } from "./rotation-facts.ts";
import type { SecretStore, StoredSecret } from "./secret-store.ts";
import {
  type AuthoritySecret,
  type Leaf,
  type LeafSecret,
  readAuthorities,
  readLeaf,
  withAuthority,
  withoutAuthorities,
  writeAuthorities,
  writeLeaf,
} from "./secrets.ts";
import type { Sightings } from "./sightings.ts";
import type { CertificateSource, ServingCertificate } from "./source.ts";

export type Made = "authority" | "leaf" | "retirement";

export interface SelfOptions {
  /** The names that the leaf must have; others may have it too, while replicas differ in what they are called. */
  readonly names: Names;
  readonly secrets: { readonly authorities: string; readonly leaf: string };
  readonly store: SecretStore;
  /** Of authorities in the live configuration. */
  readonly sightings: Pick<Sightings, "forMs" | "any">;
  /** As the API server has it. */
  now(): Date;
  onCertificate(certificate: ServingCertificate): void;
  /** Told of every write. */
  onMade?(what: Made): void;
  readonly logger: { info(fields: object, message: string): void };
  readonly lifetimes?: Lifetimes;
}

const COMMON_NAME = "patroni-injector";
const DAY_MS = 24 * 3600 * 1000;

/** An authority, a leaf, what another process did in between; more is a quarrel that the next look may settle. */
const MOST_STEPS = 10;

interface State {
  readonly authorities: AuthoritySecret;
  readonly leaf: LeafSecret;
  readonly stored: { readonly authorities: StoredSecret; readonly leaf: StoredSecret };
}

/**
 * Authorities and a leaf of our own, kept in two Secrets. Every process that looks turns the rotation (rotation.ts) by as many
 * steps as are due; none leads. A write fails where another process wrote since the Secret was read, and what was read is
 * decided on anew then.
 */
export class SelfSource implements CertificateSource {
  readonly #options: SelfOptions;
  readonly #lifetimes: Lifetimes;
  #handedOver = "";
  /** The newest that was read: it is served on where the Secret was emptied. */
  #leaf: Leaf | undefined;
  #stopped = false;

  constructor(options: SelfOptions) {
    this.#options = options;
    this.#lifetimes = options.lifetimes ?? LIFETIMES;
  }

  async look(): Promise<void> {
    for (let left = MOST_STEPS; left > 0 && !this.#stopped; left--) {
      const state = await this.#read();
      this.#handOver(state);
      const step = nextStep(this.#factsOf(state));
      if (step.kind === "wait" || this.#stopped) return;
      await this.#perform(step, state);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  /** The leaf first: the authorities are then at least as new, so that a leaf by one of them is known for what it is. */
  async #read(): Promise<State> {
    const { store, secrets } = this.#options;
    const leaf = await store.read(secrets.leaf);
    const authorities = await store.read(secrets.authorities);
    return {
      authorities: readAuthorities(authorities.data),
      leaf: readLeaf(leaf.data),
      stored: { authorities, leaf },
    };
  }

  #handOver({ authorities: { authorities, retiredPem }, leaf: { leaf: read } }: State): void {
    this.#leaf = read ?? this.#leaf;
    const leaf = this.#leaf;
    if (leaf === undefined || this.#stopped) return;
    const trusted = authorities.map(({ certPem }) => certPem).join("");
    // The Secret with the authorities may have been lost: whoever signed what is served is to be trusted all the same.
    const caPem = authorities.some(({ certPem }) => certPem === leaf.caPem) ? trusted : trusted + leaf.caPem;
    const { certPem, keyPem } = leaf;
    const key = [certPem, caPem, retiredPem].join();
    if (key === this.#handedOver) return;
    this.#handedOver = key;
    const notAfter = new X509Certificate(certPem).validToDate;
    this.#options.onCertificate({ certPem, keyPem, caPem, retiredPem, notAfter });
  }

  #factsOf({ authorities: { authorities }, leaf: { leaf, issued } }: State): RotationFacts {
    const { names, now, sightings } = this.#options;
    return {
      authorities: authorities.map(({ id, certPem }) => {
        const span = spanOf(certPem);
        return { ...span, id, lastLeafUntil: issued[id] ?? span.notAfter };
      }),
      leaf: leaf && {
        ...spanOf(leaf.certPem),
        issuer: idOf(new X509Certificate(leaf.caPem)),
        coversNames: coversAll(leaf.certPem, names),
      },
      seenForMs: (id) => sightings.forMs(id),
      anySeen: sightings.any,
      now: now().getTime(),
      cachesMs: this.#lifetimes.cachesMs,
    };
  }

  /** One write at most; what it did to the state is read again. */
  async #perform(step: Exclude<Step, { kind: "wait" }>, state: State): Promise<void> {
    const { logger, onMade } = this.#options;
    const [what, written] = await this.#write(step, state);
    logger.info({ step, written }, written ? STEP_DONE[step.kind] : "another process was faster");
    if (written) onMade?.(what);
  }

  async #write(step: Exclude<Step, { kind: "wait" }>, state: State): Promise<[Made, boolean]> {
    const now = this.#options.now();
    switch (step.kind) {
      case "make-authority": {
        const made = await issueAuthority(`${COMMON_NAME} CA`, this.#validity(this.#lifetimes.authorityMs));
        return [
          "authority",
          await this.#writeAuthorities(withAuthority(state.authorities, made, step.drop, now), state),
        ];
      }
      case "retire":
        return [
          "retirement",
          await this.#writeAuthorities(withoutAuthorities(state.authorities, step.authorities, now), state),
        ];
      case "issue-leaf":
        return ["leaf", await this.#issueLeaf(step, state)];
    }
  }

  #writeAuthorities(next: AuthoritySecret, { stored }: State): Promise<boolean> {
    const { store, secrets } = this.#options;
    return store.write(secrets.authorities, writeAuthorities(next), stored.authorities);
  }

  async #issueLeaf({ authority, why }: Step & { kind: "issue-leaf" }, state: State): Promise<boolean> {
    const { store, secrets, names } = this.#options;
    const signer = state.authorities.authorities.find(({ id }) => id === authority);
    if (signer === undefined) throw new Error(`no authority ${authority}`);
    const before = state.leaf.leaf;
    // Replicas that are called differently take turns otherwise. The next one that is merely due forgets the others' names.
    const wanted = why === "names" && before !== undefined ? namesOf(before.certPem, names) : names;
    const made = await issueLeaf(COMMON_NAME, wanted, this.#validity(this.#lifetimes.leafMs), signer);
    const known = new Set(state.authorities.authorities.map(({ id }) => id));
    const noted = Object.entries(state.leaf.issued).filter(([id]) => known.has(id));
    const issued = {
      ...Object.fromEntries(noted),
      [authority]: Math.max(state.leaf.issued[authority] ?? 0, made.notAfter.getTime()),
    };
    const leaf = { certPem: made.certPem, keyPem: made.keyPem, caPem: signer.certPem };
    return store.write(secrets.leaf, writeLeaf({ leaf, issued }), state.stored.leaf);
  }

  #validity(ms: number) {
    return { from: this.#options.now(), days: ms / DAY_MS, backdateMs: this.#lifetimes.backdateMs };
  }
}

const STEP_DONE = {
  "make-authority": "made an authority",
  "issue-leaf": "made a certificate",
  retire: "retired authorities",
} as const;
