import { isTerminating } from "../kube/error.ts";
import type { Logger } from "../telemetry/logger.ts";
import { eventOf } from "./event.ts";
import type { ObjectReference } from "./facts/pod.ts";
import { isCode, type Objects } from "./objects.ts";
import type { ClusterView, Finding } from "./view.ts";

/** An Event is gone after an hour, unless it is told again. Milliseconds. */
const TELL_AGAIN_MS = 3_600_000;

/** Events that are written at the same time: what is found of a thousand clusters at once must not be a thousand connections. */
const LANES = 4;

/** Where a finding comes from: a later look of the same kind says whether it still stands. */
const SOURCES = ["objects", "members", "repair", "reload"] as const;
export type Source = (typeof SOURCES)[number];

/** Tells of findings: once in the log and in an Event when they come, and counts those that stand. */
export class Reports {
  readonly #objects: Objects;
  readonly #identity: string;
  readonly #logger: Logger;
  /** By cluster and source. */
  readonly #standing = new Map<string, readonly Finding[]>();
  readonly #told = new Map<string, number>();
  readonly #lanes: Promise<void>[] = [];
  #next = 0;

  constructor(objects: Objects, identity: string, logger: Logger) {
    this.#objects = objects;
    this.#identity = identity;
    this.#logger = logger;
  }

  /** What stands against a cluster now, of one source. */
  update(cluster: string, source: Source, view: ClusterView, findings: readonly Finding[]): void {
    this.#standing.set(`${source} ${cluster}`, findings);
    for (const finding of findings) this.#tell(cluster, view, finding);
  }

  forget(cluster: string): void {
    for (const source of SOURCES) this.#standing.delete(`${source} ${cluster}`);
  }

  /** How many findings stand, by reason. */
  counts(): Map<Finding["reason"], number> {
    const counts = new Map<Finding["reason"], number>();
    for (const { reason } of [...this.#standing.values()].flat())
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
    return counts;
  }

  #tell(cluster: string, view: ClusterView, finding: Finding): void {
    const key = `${cluster} ${finding.reason} ${finding.detail}`;
    const now = performance.now();
    const last = this.#told.get(key);
    if (last !== undefined && now - last < TELL_AGAIN_MS) return;
    for (const [old, at] of this.#told) {
      if (now - at >= TELL_AGAIN_MS) this.#told.delete(old);
    }
    this.#told.set(key, now);
    this.#logger.warn({ cluster, ...finding }, "finding");
    const lane = this.#next++ % LANES;
    this.#lanes[lane] = (this.#lanes[lane] ?? Promise.resolve()).then(() => this.#write(view, finding));
  }

  /** An Event that cannot be written changes nothing else. */
  async #write(view: ClusterView, finding: Finding): Promise<void> {
    const owner = ownerOf(view);
    if (owner === undefined) return;
    const regarding = { ...owner, namespace: view.namespace };
    try {
      await this.#objects.create("events", eventOf(finding, regarding, this.#identity, new Date()));
    } catch (error) {
      if (!isCode(error, 409) && !isTerminating(error))
        this.#logger.warn({ err: error, ...finding }, "event not written");
    }
  }
}

/** What owns the cluster's pods or, for bare pods, the first of them. */
function ownerOf({ members, templates }: ClusterView): ObjectReference | undefined {
  const [member] = members;
  const pod = member && { apiVersion: "v1", kind: "Pod", name: member.name, uid: member.uid };
  return member?.owner ?? templates[0]?.workload ?? pod;
}
