import { type Change, changesBetween, inForce } from "../config/changes.ts";
import { type Own, toInjectionSettings, withKnowledge } from "../config/injection-settings.ts";
import type { Config } from "../config/schema.ts";
import type { ReviewContext } from "../injection/review.ts";
import type { Surroundings } from "../injection/settings.ts";

/** The configuration that counts now, and what reviews are decided with because of it. */
export class InForce {
  readonly #started: Config;
  readonly #own: Own;
  readonly #seen: Surroundings;
  #config: Config;
  #context: Omit<ReviewContext, "mode">;

  constructor(started: Config, own: Own, seen: Surroundings) {
    this.#started = started;
    this.#own = own;
    this.#seen = seen;
    this.#config = started;
    this.#context = this.#contextOf(started);
  }

  get config(): Config {
    return this.#config;
  }

  get context(): Omit<ReviewContext, "mode"> {
    return this.#context;
  }

  /** Takes a new configuration, but for what is bound until a restart. */
  take(next: Config): Change[] {
    const changes = changesBetween(this.#config, next);
    this.#config = inForce(next, this.#started);
    this.#context = this.#contextOf(this.#config);
    return changes;
  }

  #contextOf(config: Config): Omit<ReviewContext, "mode"> {
    return {
      settings: toInjectionSettings(config, this.#own),
      surroundings: withKnowledge(config, this.#seen),
      failurePolicy: config.webhook.failurePolicy,
    };
  }
}
