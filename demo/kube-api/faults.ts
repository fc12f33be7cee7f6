/** What a request is, to those who match it. */
export interface RequestFacts {
  /** get, list, watch, create, update, patch, delete, deletecollection. */
  readonly verb: string;
  /** As in `Resource.id`, with `/status` where it is that path. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly user: string;
}

/** Fields that must be equal; absent ones may be anything. */
export type FaultMatch = { readonly [Fact in keyof RequestFacts]?: string | undefined };

/**
 * - `latency`: the request waits `ms` before anything happens; further faults then apply.
 * - `status`: it is answered with a Status of this code, with `Retry-After` (seconds) where given.
 * - `drop`: the connection is cut before anything happened; running watches are cut too.
 * - `drop-after-write`: everything happens, and the connection is cut instead of an answer.
 * - `hang`: nothing happens and nothing is answered, until the client gives up or the server closes.
 * - `watch-silent`: the stream of a watch, running or new, stays open and never says anything again.
 * - `watch-gone`: a watch, running or new, is told 410 in its stream, which then ends.
 */
export type FaultKind =
  | { readonly kind: "latency"; readonly ms: number }
  | { readonly kind: "status"; readonly status: number; readonly retryAfter?: number }
  | { readonly kind: "drop" | "drop-after-write" | "hang" | "watch-silent" | "watch-gone" };

export type FaultOrder = FaultKind & {
  /** Absent: every request. */
  readonly match?: FaultMatch;
  /** How often it strikes before it is gone by itself; absent: until removed. */
  readonly times?: number;
};

export interface FaultHandle {
  /** How often it has struck. */
  readonly hits: number;
  remove(): void;
}

interface Fault {
  readonly order: FaultOrder;
  hits: number;
}

/** Faults that tests have ordered, in the order of their ordering. */
export class Faults {
  readonly #active = new Set<Fault>();
  readonly #running = new Set<RunningWatch>();

  add(order: FaultOrder): FaultHandle {
    const fault: Fault = { order, hits: 0 };
    this.#active.add(fault);
    if (isWatchFault(order.kind)) {
      for (const watch of [...this.#running]) {
        const struck = this.#active.has(fault) && this.#strike(fault, watch.facts);
        if (struck) watch.strike(order.kind);
      }
    }
    return {
      get hits() {
        return fault.hits;
      },
      remove: () => void this.#active.delete(fault),
    };
  }

  clear(): void {
    this.#active.clear();
  }

  /** The faults of this request, in order; each is counted as having struck. */
  strike(facts: RequestFacts): FaultKind[] {
    const struck: FaultKind[] = [];
    for (const fault of [...this.#active]) {
      if (!applies(fault.order.kind, facts.verb) || !this.#strike(fault, facts)) continue;
      struck.push(fault.order);
      if (fault.order.kind !== "latency") break;
    }
    return struck;
  }

  /**
   * Registers a stream, so that faults ordered later reach it.
   * @returns ends it
   */
  register(watch: RunningWatch): () => void {
    this.#running.add(watch);
    return () => this.#running.delete(watch);
  }

  #strike(fault: Fault, facts: RequestFacts): boolean {
    const { match = {}, times = Number.POSITIVE_INFINITY } = fault.order;
    for (const [fact, value] of Object.entries(match)) {
      if (value !== undefined && facts[fact as keyof RequestFacts] !== value) return false;
    }
    fault.hits++;
    if (fault.hits >= times) this.#active.delete(fault);
    return true;
  }
}

export type WatchFault = "drop" | "watch-silent" | "watch-gone";

/** A stream that faults can strike. */
export interface RunningWatch {
  readonly facts: RequestFacts;
  strike(kind: WatchFault): void;
}

const WATCH_FAULTS: ReadonlySet<string> = new Set<WatchFault>(["drop", "watch-silent", "watch-gone"]);

const isWatchFault = (kind: string): kind is WatchFault => WATCH_FAULTS.has(kind);

/** `watch-…` faults are for watches only. */
const applies = (kind: string, verb: string): boolean => !kind.startsWith("watch-") || verb === "watch";
