/** One answered request. */
export interface AuditEntry {
  /** When it was answered, milliseconds since the epoch. */
  readonly time: number;
  readonly user: string;
  readonly verb: string;
  /** As in `Resource.id`, with `/status` where it was that path. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly dryRun: boolean;
  /** 0 where the connection was dropped without an answer. */
  readonly code: number;
  /** The resourceVersion that a write rests on; undefined where it rests on none. */
  readonly restsOn: string | undefined;
  /** What admission had to say, by key. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** The newest requests, oldest first. */
export class AuditLog {
  readonly #entries: AuditEntry[] = [];
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(entry: AuditEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length > 2 * this.#capacity) this.#entries.splice(0, this.#capacity);
  }

  get entries(): readonly AuditEntry[] {
    return this.#entries.slice(-this.#capacity);
  }

  clear(): void {
    this.#entries.length = 0;
  }
}
