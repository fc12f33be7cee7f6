import type { ReloadComponent as Name } from "../../contract/reload.ts";
import { type Answer, type Event, initialState, type State } from "./coordinator/state.ts";
import { nextDeadline, step } from "./coordinator/step.ts";
import type { Evidence, Failure, Outcome } from "./outcome.ts";
import type { VersionReading, VersionSource } from "./versions/source.ts";

export type ReloadAnswer = Answer<Evidence, Failure>;

export interface ComponentOptions {
  readonly name: Name;
  readonly versions: VersionSource;
  /** Reloads and proves. Never rejects, and ends in bounded time. */
  reload(version: number): Promise<Outcome>;
  /** Told of each reload; its outcome is undefined where it says nothing, for the version changed meanwhile. */
  onReload(version: number, outcome: Outcome | undefined, tookMs: number): void;
  /** Told when another version, or none, is in the pod. */
  onVersion(reading: VersionReading): void;
}

/** How a component stands, for people and for `GET /v1/status`. */
export interface ComponentStatus {
  readonly reading: VersionReading;
  readonly applied: number | undefined;
  /** When it was proven. */
  readonly appliedAt: Date | undefined;
  readonly failure: Failure | undefined;
  readonly failedAt: Date | undefined;
  readonly reloading: boolean;
  readonly waiting: number;
}

/** One component of the pod: obeys the coordinator, with a clock, a version source and a way to reload. */
export class Component {
  readonly name: Name;
  readonly #options: ComponentOptions;
  readonly #callers = new Map<number, (answer: ReloadAnswer | undefined) => void>();
  #state: State<Failure> = initialState();
  #reading: VersionReading = { kind: "none", why: "not looked at yet" };
  #appliedAt: Date | undefined;
  #failedAt: Date | undefined;
  /** When the last reload began. */
  #began = 0;
  #lastId = 0;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #deadline: NodeJS.Timeout | undefined;
  #poll: NodeJS.Timeout | undefined;
  readonly #unwatch: () => void;
  #closed = false;

  constructor(options: ComponentOptions) {
    this.name = options.name;
    this.#options = options;
    this.#unwatch = options.versions.watch(() => void this.look());
  }

  /**
   * Waits for the version, a reload and its proof.
   *
   * @param gone aborted when the caller does not wait any longer
   * @returns undefined once the caller is gone
   */
  ask(version: number, timeoutMs: number, gone: AbortSignal): Promise<ReloadAnswer | undefined> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      if (gone.aborted || this.#closed) return resolve(undefined);
      const leave = () => {
        this.#callers.delete(id);
        this.#take({ kind: "left", id });
        resolve(undefined);
      };
      gone.addEventListener("abort", leave, { once: true });
      this.#callers.set(id, (answer) => {
        gone.removeEventListener("abort", leave);
        resolve(answer);
      });
      const waiter = { id, version, deadline: performance.now() + timeoutMs };
      this.#take({ kind: "asked", waiter });
      // A reload that begins with an outdated version is found out at its end.
      void this.look();
    });
  }

  /** Looks which version is in the pod; resolves after a look that began no earlier than this call. */
  look(): Promise<void> {
    this.#lookAgain = true;
    this.#looking ??= this.#lookWhileAsked();
    return this.#looking;
  }

  get status(): ComponentStatus {
    const { applied, failure, running, waiters } = this.#state;
    return {
      reading: this.#reading,
      applied,
      appliedAt: this.#appliedAt,
      failure,
      failedAt: failure && this.#failedAt,
      reloading: running !== undefined,
      waiting: waiters.length,
    };
  }

  /** Nobody is answered any more. */
  close(): void {
    this.#closed = true;
    this.#unwatch();
    clearTimeout(this.#deadline);
    clearTimeout(this.#poll);
    for (const answer of this.#callers.values()) answer(undefined);
    this.#callers.clear();
  }

  /** One look at a time: an older one never comes after a newer. */
  async #lookWhileAsked(): Promise<void> {
    do {
      this.#lookAgain = false;
      const before = this.#reading;
      this.#reading = await this.#options.versions.read();
      if (!isSame(before, this.#reading) && !this.#closed) this.#options.onVersion(this.#reading);
      this.#take({ kind: "seen", version: versionOf(this.#reading) });
    } while (this.#lookAgain && !this.#closed);
    this.#looking = undefined;
  }

  #take(event: Event<Evidence, Failure>): void {
    if (this.#closed) return;
    const { state, effects } = step(this.#state, event, performance.now());
    this.#state = state;
    for (const effect of effects) {
      switch (effect.kind) {
        case "start":
          void this.#reload(effect.version);
          break;
        case "concluded":
          this.#conclude(effect.version, effect.result);
          break;
        case "answer":
          this.#callers.get(effect.id)?.(effect.answer);
          this.#callers.delete(effect.id);
      }
    }
    this.#wakeLater();
  }

  async #reload(version: number): Promise<void> {
    this.#began = performance.now();
    const result = await this.#options.reload(version);
    await this.look();
    this.#take({ kind: "ended", result });
  }

  #conclude(version: number, outcome: Outcome | undefined): void {
    if (outcome?.kind === "proven") this.#appliedAt = new Date();
    if (outcome?.kind === "failed") this.#failedAt = new Date();
    this.#options.onReload(version, outcome, performance.now() - this.#began);
  }

  /** At the next deadline, and for another look while somebody waits. */
  #wakeLater(): void {
    clearTimeout(this.#deadline);
    const due = nextDeadline(this.#state);
    if (due === undefined) {
      clearTimeout(this.#poll);
      this.#poll = undefined;
      return;
    }
    // A timer may come up to a millisecond early.
    this.#deadline = setTimeout(
      () => this.#take({ kind: "passed" }),
      Math.max(0, due - performance.now()) + 1,
    );
    this.#poll ??= setTimeout(() => {
      this.#poll = undefined;
      void this.look();
    }, this.#options.versions.pollMs);
  }
}

const versionOf = (reading: VersionReading): number | undefined =>
  reading.kind === "version" ? reading.version : undefined;

function isSame(one: VersionReading, other: VersionReading): boolean {
  if (one.kind === "version") return other.kind === "version" && one.version === other.version;
  return other.kind === "none" && one.why === other.why;
}
