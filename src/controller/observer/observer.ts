import type { JsonObject } from "../../json/value.ts";
import { KubeError } from "../../kube/error.ts";
import type { ProbeResult } from "../../patroni/probe.ts";
import { type DcsSource, DEFAULT_TTL_MS } from "../../primary/asked-tenure.ts";
import {
  type ReadReply,
  type RoundResult,
  type Tenure,
  WRITE_TIMEOUT_MS,
  type WriteReply,
} from "../../primary/round.ts";
import { TenureClock } from "../../primary/tenure.ts";
import { writeReplyOf } from "../../primary/writer.ts";
import type { LeaderFacts } from "../facts/leader.ts";
import type { PodFacts } from "../facts/pod.ts";
import { nameOf } from "../facts/slim.ts";
import type { Objects } from "../objects.ts";
import { ourSlice } from "../slice/ours.ts";
import type { ClusterView, Finding } from "../view.ts";
import { dueMembers, isTroubled, PUBLISHED_EVERY_MS, publishedUids } from "./due.ts";
import { MemberWriter } from "./member.ts";

/** Milliseconds. */
const TICK_MS = 1000;

/** Members that are asked at the same time; one that does not answer takes a second. */
const MOST_AT_ONCE = 256;

export interface ObserverParts {
  readonly objects: Objects;
  /** The clusters to look after, by key, as they are now. */
  clusters(): Iterable<readonly [string, ClusterView]>;
  ask(pod: PodFacts): Promise<ProbeResult>;
  /** The DCS as this member sees it. */
  dcsBy(pod: PodFacts): DcsSource;
  /** The slice as it is after a read or a write of ours. */
  seen(slice: JsonObject): void;
  wrote(key: string, pod: PodFacts, result: RoundResult): void;
  found(key: string, view: ClusterView, findings: readonly Finding[]): void;
}

/** What is remembered of one cluster from tick to tick. */
interface ClusterState {
  readonly tenure: TenureClock;
  readonly writers: Map<string, MemberWriter>;
  leader: string | undefined;
  ttlMs: number;
  troubledSince: number | undefined;
  publishedAskedAt: number;
}

/** The controller as a writer: asks, once a second, the members that are due, and writes for them. */
export class Observer {
  readonly #parts: ObserverParts;
  readonly #states = new Map<string, ClusterState>();
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: ObserverParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Resolves when nothing is asked or written any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#running);
  }

  /** Every event of a leader object counts: a break that lasted a moment is one. */
  leaderSeen(key: string, facts: LeaderFacts | undefined): void {
    const state = this.#state(key);
    state.leader = facts?.leader;
    state.ttlMs = facts?.ttlMs ?? state.ttlMs;
    state.tenure.seen(facts?.leader, performance.now());
  }

  /** The view of the leader objects was interrupted. */
  leadersLost(): void {
    for (const { tenure } of this.#states.values()) tenure.broken();
  }

  forget(key: string): void {
    this.#states.delete(key);
  }

  #tick(): void {
    for (const [key, view] of this.#parts.clusters()) {
      const slice = ourSlice(view);
      if (slice === undefined) continue;
      const state = this.#state(key);
      const now = performance.now();
      state.troubledSince = isTroubled(slice, state.leader) ? (state.troubledSince ?? now) : undefined;
      const sincePublishedAskedMs = now - state.publishedAskedAt;
      const troubledForMs = now - (state.troubledSince ?? now);
      const due = dueMembers({ members: view.members, slice, troubledForMs, sincePublishedAskedMs });
      for (const pod of view.members) {
        const writer = state.writers.get(pod.uid);
        if (due.includes(pod) || writer?.inDoubt) this.#look(key, state, pod, slice);
      }
      this.#forgetGone(state, view);
      this.#parts.found(
        key,
        view,
        view.members.flatMap((pod) => state.writers.get(pod.uid)?.findings(pod) ?? []),
      );
    }
  }

  #look(key: string, state: ClusterState, pod: PodFacts, slice: JsonObject): void {
    const writer = state.writers.get(pod.uid) ?? new MemberWriter();
    state.writers.set(pod.uid, writer);
    if (writer.isBusy || this.#running.size >= MOST_AT_ONCE) return;
    writer.isBusy = true;
    if (publishedUids(slice).includes(pod.uid)) state.publishedAskedAt = performance.now();
    const { namespace } = pod;
    const work = writer
      .look(pod, slice, {
        dcs: this.#parts.dcsBy(pod),
        tenureOf: (member) => tenureOf(state, member),
        read: () => this.#read(namespace, nameOf(slice)),
        observe: () => this.#parts.ask(pod),
        write: (next) => this.#write(next),
        now: () => performance.now(),
      })
      .then((result) => {
        if (result !== undefined) this.#parts.wrote(key, pod, result);
      })
      .finally(() => {
        writer.isBusy = false;
        this.#running.delete(work);
      });
    this.#running.add(work);
  }

  async #read(namespace: string, name: string): Promise<ReadReply> {
    try {
      const slice = await this.#parts.objects.read("endpointslices", namespace, name);
      if (slice !== undefined) this.#parts.seen(slice);
      return slice === undefined ? { kind: "absent" } : { kind: "slice", slice };
    } catch (error) {
      return { kind: "failed", error };
    }
  }

  async #write(slice: JsonObject): Promise<WriteReply> {
    try {
      this.#parts.seen(await this.#parts.objects.replace("endpointslices", slice, WRITE_TIMEOUT_MS));
      return { kind: "written" };
    } catch (error) {
      return writeReplyOf(error instanceof KubeError ? error.code : 0, error);
    }
  }

  #state(key: string): ClusterState {
    const known = this.#states.get(key);
    if (known !== undefined) return known;
    const fresh = {
      tenure: new TenureClock(),
      writers: new Map(),
      leader: undefined,
      ttlMs: DEFAULT_TTL_MS,
      troubledSince: undefined,
      publishedAskedAt: performance.now() - Math.random() * PUBLISHED_EVERY_MS,
    };
    this.#states.set(key, fresh);
    return fresh;
  }

  #forgetGone(state: ClusterState, { members }: ClusterView): void {
    for (const uid of state.writers.keys()) {
      if (!members.some((member) => member.uid === uid)) state.writers.delete(uid);
    }
  }
}

const tenureOf = ({ tenure, ttlMs }: ClusterState, member: string): Tenure => ({
  namedForMs: tenure.namedForMs(member, performance.now()),
  ttlMs,
});
