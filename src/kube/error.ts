/** What the API server answered instead of what was asked for, or that it did not answer. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  /** The HTTP status; 0 where there was no answer, or none that could be read. */
  readonly code: number;
  /** Of the Status object: `Conflict`, `Expired`, `Forbidden`, …; empty where there was none. */
  readonly reason: string;
  /** How long the server asks us to stay away. */
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

/** True where it was the API server's answer that we may not do this. */
export const isForbidden = (error: unknown): boolean => error instanceof KubeError && error.code === 403;
