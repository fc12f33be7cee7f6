import { asString, at, type JsonObject } from "../../src/json/value.ts";
import { publishedAddresses } from "../../src/primary/slice.ts";
import { follows, parseTerm, type Term } from "../../src/primary/term.ts";
import type { KubeApi } from "../kube-api/server.ts";

/** One state of the slice, and when it began. Milliseconds of the monotonic clock. */
export interface SliceMoment {
  readonly at: number;
  readonly addresses: readonly string[];
  readonly term: Term | undefined;
  readonly version: string;
}

const RESOURCE = "endpointslices.discovery.k8s.io";

/** Watches the primary's slice inside the API server, where no change can be missed, and keeps every state of it. */
export class SliceRecorder {
  readonly moments: SliceMoment[] = [];
  /** What must never be: two addresses, or a lower timeline published over a higher one. */
  readonly violations: string[] = [];
  readonly #stop: () => void;
  #waiting: (() => void)[] = [];

  readonly #tell: (moment: SliceMoment) => void;

  /** @param tell called with every state in which the addresses are others than before */
  constructor(
    api: KubeApi,
    namespace: string,
    name: string,
    tell: (moment: SliceMoment) => void = () => undefined,
  ) {
    this.#tell = tell;
    const present = api.get(RESOURCE, namespace, name);
    if (present !== undefined) this.#take(present);
    this.#stop = api.onChange((change) => {
      const isOurs = change.namespace === namespace && change.name === name;
      if (!isOurs || change.resource !== RESOURCE) return;
      const { object } = change.object;
      this.#take(change.type === "DELETED" ? { ...object, endpoints: [] } : object);
    });
  }

  get current(): SliceMoment | undefined {
    return this.moments.at(-1);
  }

  /** Resolves with the first state, from now on, in which the slice shows exactly these addresses. */
  async shows(addresses: readonly string[], timeoutMs: number): Promise<SliceMoment> {
    const late = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const { current } = this;
      if (current !== undefined && current.addresses.join() === addresses.join()) return current;
      if (late.aborted) {
        throw new Error(
          `the slice shows [${current?.addresses ?? ""}], not [${addresses}], after ${timeoutMs} ms`,
        );
      }
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        late.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  stop(): void {
    this.#stop();
  }

  #take(slice: JsonObject): void {
    const before = this.current;
    const moment: SliceMoment = {
      at: performance.now(),
      addresses: publishedAddresses(slice),
      term: parseTerm(asString(at(slice, "metadata", "annotations", "patroni-injector.io/term"))),
      version: asString(at(slice, "metadata", "resourceVersion")) ?? "",
    };
    this.moments.push(moment);
    if (moment.addresses.length > 1) this.violations.push(`two addresses: ${moment.addresses.join(" and ")}`);
    if (moment.term !== undefined && !follows(moment.term, before?.term)) {
      this.violations.push(`timeline ${moment.term.timeline} after ${before?.term?.timeline}`);
    }
    if (moment.addresses.join() !== (before?.addresses.join() ?? "")) this.#tell(moment);
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
