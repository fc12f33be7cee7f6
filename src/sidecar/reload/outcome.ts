import type { Proof } from "../../contract/reload.ts";

/** A fault of a configuration, as its component or its file tells it. */
export interface ConfigurationError {
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly message: string;
}

/** What proves that a configuration is loaded. */
export interface Evidence {
  readonly proof: Proof;
  /** Settings that differ from the file until the component is started anew. */
  readonly pendingRestart: readonly string[];
  /** What of the configuration nothing was seen of, or what another place than its own decides on; in words. */
  readonly unverified: readonly string[];
}

/** Why nothing is proven. */
export interface Failure {
  readonly problem: "reload-rejected" | "configuration-invalid" | "reload-unproven";
  /** In words, for people; also those of Patroni, PostgreSQL and PgBouncer. */
  readonly detail: string;
  readonly errors: readonly ConfigurationError[];
}

export type Outcome =
  | { readonly kind: "proven"; readonly success: Evidence }
  | { readonly kind: "failed"; readonly failure: Failure };

export const proven = (
  proof: Proof,
  pendingRestart: readonly string[] = [],
  unverified: readonly string[] = [],
): Outcome => ({ kind: "proven", success: { proof, pendingRestart, unverified } });

export const failed = (
  problem: Failure["problem"],
  detail: string,
  errors: readonly ConfigurationError[] = [],
): Outcome => ({ kind: "failed", failure: { problem, detail, errors } });

export const messageOf = (error: unknown): string => {
  // Several addresses were tried: Node puts each one's error into an AggregateError without words.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
};
