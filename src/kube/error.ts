/** What the API server answered instead of what was asked for, or that it did not answer. */
export class KubeError extends Error {
  override readonly name = "KubeError";
  /** The HTTP status; 0 where there was no answer, or none that could be read. */
  readonly code: number;
  /** Of the Status object: `Conflict`, `Expired`, `Forbidden`, …; empty where there was none. */
  readonly reason: string;
  /** Of the Status object's details, such as `NamespaceTerminating`; mostly none. */
  readonly causes: readonly string[];
  /** How long the server asks us to stay away. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    facts: {
      code: number;
      reason?: string;
      causes?: readonly string[];
      retryAfterSeconds?: number | undefined;
    },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = facts.code;
    this.reason = facts.reason ?? "";
    this.causes = facts.causes ?? [];
    this.retryAfterSeconds = facts.retryAfterSeconds;
  }
}

/** True where it was the API server's answer that we may not do this. */
export const isForbidden = (error: unknown): boolean => error instanceof KubeError && error.code === 403;

/**
 * True where something was to be created in a namespace that is being deleted: nobody may, and soon there is nothing to create it
 * in (the admission plugin NamespaceLifecycle).
 */
export const isTerminating = (error: unknown): boolean =>
  isForbidden(error) && (error as KubeError).causes.includes("NamespaceTerminating");
