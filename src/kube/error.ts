/** What the API server answered instead of what was asked for, or that it did not answer (`code` 0). */
export class KubeError extends Error {
  override readonly name = "KubeError";
  /** The HTTP status; 0 where there was no answer. */
  readonly code: number;
  /** Of the Status object: `Conflict`, `Expired`, `Forbidden`, …; empty where there was none. */
  readonly reason: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    facts: { code: number; reason?: string; retryAfterSeconds?: number | undefined },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = facts.code;
    this.reason = facts.reason ?? "";
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }
}
