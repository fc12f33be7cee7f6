import { issueAuthority } from "../../certificates/issue.ts";
import type { Lifetimes } from "../../certificates/lifetimes.ts";
import {
  type AuthoritySecret,
  type KnownAuthority,
  readAuthorities,
  withAuthority,
  withoutAuthorities,
  writeAuthorities,
} from "../../certificates/secrets.ts";
import { KEPT } from "../../contract/names.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Objects } from "../objects.ts";
import { datedAuthorities } from "./dated.ts";
import { type AuthorityPlan, planAuthorities } from "./plan.ts";
import { readSecret, type SecretPlace, writeSecret } from "./secret.ts";

export interface AuthorityParts {
  readonly objects: Objects;
  readonly place: SecretPlace;
  readonly lifetimes: Lifetimes;
  /** For so long an answer is good, a refusal too. Milliseconds. */
  readonly freshMs: number;
  /** As the API server has it. */
  now(): Date;
  readonly logger: Logger;
}

const COMMON_NAME = "patroni-injector reload API CA";
const DAY_MS = 24 * 3_600_000;

/** One is made, those before it are retired. */
const MOST_STEPS = 4;

/** The authorities of the reload API's certificates, in one Secret beside the injector. They sign nothing else. */
export class Authorities {
  readonly #parts: AuthorityParts;
  #known: { readonly at: number; readonly authorities: Promise<readonly KnownAuthority[]> } | undefined;

  constructor(parts: AuthorityParts) {
    this.#parts = parts;
  }

  /** Those that count now, in the order in which they were made; what is due is done before. */
  get(): Promise<readonly KnownAuthority[]> {
    const now = performance.now();
    if (this.#known === undefined || now - this.#known.at >= this.#parts.freshMs)
      this.#known = { at: now, authorities: this.#look() };
    return this.#known.authorities;
  }

  async #look(): Promise<readonly KnownAuthority[]> {
    const { objects, place, lifetimes } = this.#parts;
    for (let left = MOST_STEPS; left > 0; left--) {
      const secret = await readSecret(objects, place, KEPT.authorities);
      if (!secret.ours)
        throw new Error(`Secret ${place.namespace}/${place.name} was not made for the controller`);
      const kept = readAuthorities(secret.data);
      const plan = planAuthorities(
        datedAuthorities(kept.authorities),
        this.#parts.now().getTime(),
        lifetimes,
      );
      if (plan.kind === "rest") return kept.authorities;
      await writeSecret(objects, place, secret, writeAuthorities(await this.#after(plan, kept)));
      this.#parts.logger.info({ plan, secret: place }, "the reload API's authorities changed");
    }
    throw new Error("the reload API's authorities do not come to rest");
  }

  async #after(
    plan: Exclude<AuthorityPlan, { kind: "rest" }>,
    kept: AuthoritySecret,
  ): Promise<AuthoritySecret> {
    const now = this.#parts.now();
    if (plan.kind === "retire") return withoutAuthorities(kept, plan.authorities, now);
    const { authorityMs, backdateMs } = this.#parts.lifetimes;
    const made = await issueAuthority(COMMON_NAME, { from: now, days: authorityMs / DAY_MS, backdateMs });
    return withAuthority(kept, made, plan.drop, now);
  }
}
