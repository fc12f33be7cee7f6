/**
 * A small world around the compare-and-swap rounds: three members, a slice with resourceVersions, writers that stall,
 * crash and lose answers, and an order of events that the test chooses step by step. It knows the truth (who is the
 * primary, and since which promotion), so it can tell what a writer cannot.
 */
import type { JsonObject } from "../../../src/json/value.ts";
import type { Effect, Replies, RoundResult, Tenure, WriterMemory } from "../../../src/primary/round.ts";
import type { PodIdentity } from "../../../src/primary/slice.ts";
import type { Observation } from "../../../src/primary/standing.ts";
import { follows, parseTerm, type Term } from "../../../src/primary/term.ts";
import { Keeper } from "./keeper.ts";

/** The part of `src/primary` under test: the real one, or a mutant. */
export interface Subject {
  round(
    pod: PodIdentity,
    memory: WriterMemory,
    tenure: () => Tenure,
  ): Generator<Effect, RoundResult, unknown>;
}

export const TTL_MS = 30_000;
const MEMBERS = 3;
const TERM = "patroni-injector.io/term";

/** `starting`: PostgreSQL restarts in place under a held lease. `promoting`: the lease is held, PostgreSQL a standby yet. */
type Health = "primary" | "replica" | "stopping" | "crashed" | "hung" | "starting" | "promoting";

interface Member {
  readonly pod: PodIdentity;
  health: Health;
  timeline: number;
  /** The promotion that made it primary; counts through the whole history. */
  epoch: number;
  /** Claims to be primary on an old timeline although another was elected (a resurrected data directory). */
  rogue: boolean;
}

interface Put {
  readonly writer: Writer;
  readonly incarnation: number;
  readonly slice: JsonObject;
  readonly base: string | undefined;
  readonly evidence: Evidence | undefined;
  readonly namedForMs: number;
}

/** What an observation rested on. */
interface Evidence {
  readonly epoch: number;
  readonly rogue: boolean;
  readonly sentAt: number;
}

interface Writer {
  readonly member: Member;
  memory: WriterMemory;
  incarnation: number;
  run: Generator<Effect, RoundResult, unknown> | undefined;
  effect: Effect | undefined;
  issuedAt: number;
  /** The answer to the effect, once there is one; it is delivered by a later step. */
  reply: Replies[keyof Replies] | undefined;
  evidence: Evidence | undefined;
  namedForMs: number;
  /** The writer's own last landed publication was confirmed by an observation made after it. */
  confirmed: boolean;
  put: Put | undefined;
}

export class Violation extends Error {}

export class World {
  now = 0;
  readonly members: Member[];
  readonly writers: Writer[];
  readonly subject: Subject;
  private version = 1;
  /** Undefined while there is none. */
  private slice: JsonObject | undefined = { metadata: { annotations: {} }, endpoints: [] };
  private readonly keeper = new Keeper();
  /** The newest term that a slice has shown, as far as anybody could remember it when that slice was deleted. */
  private shown: Term | undefined;
  private flying: Put[] = [];
  private epochs = 0;
  private publishedEpoch = 0;
  private leader: { member: Member | undefined; since: number } = { member: undefined, since: 0 };
  readonly seen = { published: 0, conflicts: 0, lost: 0, refusedTerms: 0, late: 0, expired: 0, remade: 0 };

  constructor(subject: Subject) {
    this.subject = subject;
    this.members = Array.from({ length: MEMBERS }, (_, index) => ({
      pod: {
        namespace: "db",
        name: `pg-${index}`,
        uid: `uid-${index}`,
        address: `10.0.0.${index}`,
        nodeName: "n",
      },
      health: "replica" as Health,
      timeline: 1,
      epoch: 0,
      rogue: false,
    }));
    // A sidecar for each member, and the controller's writer for each.
    this.writers = [...this.members, ...this.members].map((member) => newWriter(member));
    this.promote(0);
  }

  // ── what happens to the database ────────────────────────────────────────────────────────────────────────

  get primary(): Member | undefined {
    return this.members.find(({ health }) => health === "primary");
  }

  /** Patroni's promise: a promotion only where nobody is primary, on a new timeline. */
  promote(index: number): void {
    const member = this.members[index % MEMBERS];
    if (this.primary !== undefined || member === undefined || member.health === "hung") return;
    const newest = Math.max(...this.members.map(({ timeline }) => timeline));
    Object.assign(member, { health: "primary", timeline: newest + 1, epoch: ++this.epochs, rogue: false });
    this.leader = { member, since: this.now };
  }

  end(health: Exclude<Health, "primary">): void {
    const primary = this.primary;
    if (primary === undefined) return;
    primary.health = health;
    this.leader = { member: undefined, since: this.now };
  }

  recover(index: number): void {
    const member = this.members[index % MEMBERS];
    if (member !== undefined && member.health !== "primary") member.health = "replica";
  }

  /** The cluster is made again from a backup: all start over on timeline 1. */
  restore(index: number): void {
    this.end("replica");
    for (const member of this.members) member.timeline = 0;
    this.promote(index);
  }

  rogue(index: number): void {
    const member = this.members[index % MEMBERS];
    const primary = this.primary;
    if (member === undefined || member === primary || primary === undefined) return;
    if (member.timeline < primary.timeline) member.rogue = !member.rogue;
  }

  // ── what happens to the slice from outside ──────────────────────────────────────────────────────────────

  tamper(index: number): void {
    if (this.slice === undefined) return;
    const member = this.members[index % MEMBERS];
    const endpoints = index % 2 === 0 || member === undefined ? [] : [{ addresses: [member.pod.address] }];
    this.slice = { ...this.slice, endpoints };
    this.version++;
  }

  /** The controller writes down what the slice says. */
  note(): void {
    if (this.slice !== undefined) this.keeper.notes(this.slice);
  }

  /** The controller deletes the slice, for something else has taken the Service. */
  giveWay(): void {
    this.note();
    this.slice = undefined;
    this.version++;
  }

  /** Somebody deletes the slice. Without a controller that sees it, only what was noted is left. */
  delete(isSeen: boolean): void {
    if (this.slice === undefined) return;
    if (isSeen) this.keeper.sees(this.slice);
    this.slice = undefined;
    this.version++;
    if (!isSeen) this.crashKeeper();
  }

  /** What it had not noted yet of a slice that is gone, nobody knows any more. */
  crashKeeper(): void {
    this.keeper.crash();
    const known = this.keeper.recalled()[TERM];
    if (this.slice === undefined && known !== "unknown") this.shown = parseTerm(known);
  }

  loseNote(): void {
    this.keeper.crash();
    this.keeper.loseNote();
  }

  /** The controller makes a slice where there is none. */
  make(): void {
    if (this.slice !== undefined) return;
    this.seen.remade++;
    this.slice = { metadata: { annotations: this.keeper.recalled() as JsonObject }, endpoints: [] };
    this.version++;
  }

  // ── what happens to a writer ────────────────────────────────────────────────────────────────────────────

  /** One step of a writer: begin a round, have its request answered, or take the answer. */
  step(index: number): void {
    const writer = this.writerAt(index);
    if (writer.run === undefined) this.begin(writer);
    else if (writer.reply !== undefined) this.advance(writer);
    else this.serve(writer);
  }

  /** The process dies: its memory is gone, what it sent is not. */
  crash(index: number): void {
    const writer = this.writerAt(index);
    Object.assign(writer, newWriter(writer.member), { incarnation: writer.incarnation + 1 });
  }

  /** The answer to a write is lost. The write itself may have landed, or may land later. */
  lose(index: number): void {
    const writer = this.writerAt(index);
    if (writer.effect?.kind !== "write" || writer.put === undefined) return;
    this.seen.lost++;
    writer.put = undefined;
    writer.reply = { kind: "lost", error: new Error("timed out") };
  }

  /** A write that nobody waits for any more arrives after all. */
  arrive(index: number): void {
    const put = this.flying[index % Math.max(1, this.flying.length)];
    if (put === undefined) return;
    this.seen.late++;
    this.land(put);
  }

  private begin(writer: Writer): void {
    writer.run = this.subject.round(writer.member.pod, writer.memory, () => {
      writer.namedForMs = this.leader.member === writer.member ? this.now - this.leader.since : 0;
      return { namedForMs: writer.namedForMs, ttlMs: TTL_MS };
    });
    writer.confirmed = false;
    this.take(writer, writer.run.next());
  }

  private advance(writer: Writer): void {
    const { reply } = writer;
    writer.reply = undefined;
    if (writer.run !== undefined) this.take(writer, writer.run.next(reply));
  }

  private take(writer: Writer, next: IteratorResult<Effect, RoundResult>): void {
    writer.effect = next.done ? undefined : next.value;
    writer.issuedAt = this.now;
    if (!next.done) return;
    writer.run = undefined;
    this.checkRest(writer, next.value);
  }

  private serve(writer: Writer): void {
    const effect = writer.effect;
    if (effect === undefined) return;
    if (effect.kind === "read") {
      const slice = this.current();
      writer.reply = slice === undefined ? { kind: "absent" } : { kind: "slice", slice };
    } else if (effect.kind === "observe") writer.reply = this.observe(writer);
    else if (writer.put === undefined) this.send(writer, effect);
    else this.land(writer.put);
  }

  private observe(writer: Writer): Observation {
    const { member } = writer;
    const isPrimary = member.health === "primary" || (member.rogue && member.health === "replica");
    writer.evidence = isPrimary
      ? { epoch: member.epoch, rogue: member.health !== "primary", sentAt: writer.issuedAt }
      : undefined;
    writer.confirmed = isPrimary;
    return observationOf(member, isPrimary, writer.issuedAt);
  }

  private send(writer: Writer, effect: Effect & { kind: "write" }): void {
    if (this.now > effect.notAfter) {
      this.seen.expired++;
      writer.reply = { kind: "expired" };
      return;
    }
    if (writer.evidence !== undefined && this.now - writer.evidence.sentAt > 1000) {
      throw new Violation(`a write was sent ${this.now - writer.evidence.sentAt} ms after its observation`);
    }
    const metadata = effect.slice.metadata as JsonObject;
    writer.put = {
      writer,
      incarnation: writer.incarnation,
      slice: effect.slice,
      base: metadata.resourceVersion as string | undefined,
      evidence: writer.evidence,
      namedForMs: writer.namedForMs,
    };
    this.flying.push(writer.put);
  }

  private land(put: Put): void {
    this.flying = this.flying.filter((other) => other !== put);
    const waits = put.writer.put === put && put.writer.incarnation === put.incarnation;
    if (this.slice === undefined) {
      if (waits) put.writer.reply = { kind: "refused", error: new Error("404") };
    } else if (put.base !== undefined && put.base !== String(this.version)) {
      this.seen.conflicts++;
      if (waits) put.writer.reply = { kind: "conflict" };
    } else {
      this.checkLanding(put);
      const { resourceVersion: _, ...metadata } = put.slice.metadata as JsonObject;
      this.slice = { ...put.slice, metadata };
      this.version++;
      put.writer.confirmed = false;
      if (waits) put.writer.reply = { kind: "written" };
    }
    if (waits) put.writer.put = undefined;
  }

  private current(): JsonObject | undefined {
    if (this.slice === undefined) return undefined;
    return {
      ...this.slice,
      metadata: { ...(this.slice.metadata as JsonObject), resourceVersion: String(this.version) },
    };
  }

  private writerAt(index: number): Writer {
    return this.writers[index % this.writers.length] as Writer;
  }

  // ── what must hold ──────────────────────────────────────────────────────────────────────────────────────

  get addresses(): string[] {
    return this.slice === undefined ? [] : addressesIn(this.slice);
  }

  private termIn(slice: JsonObject): Term | undefined {
    return parseTerm(((slice.metadata as JsonObject).annotations as Record<string, string>)[TERM]);
  }

  private checkLanding(put: Put): void {
    const addresses = addressesIn(put.slice);
    if (addresses.length > 1) throw new Violation(`two addresses: ${addresses.join(" ")}`);
    const isPublication = addresses.length === 1 && addresses[0] !== this.addresses[0];
    if (!isPublication) return;
    this.seen.published++;
    if (put.evidence === undefined)
      throw new Violation(`${addresses[0]} was published without having been proven`);
    const next = this.termIn(put.slice);
    const { shown } = this;
    if (next !== undefined && shown !== undefined && !follows(next, shown) && put.namedForMs <= TTL_MS) {
      throw new Violation(`timeline ${next.timeline} was published over ${shown.timeline}`);
    }
    this.shown = next ?? shown;
    if (put.evidence.rogue) return;
    if (put.evidence.epoch < this.publishedEpoch) {
      throw new Violation(
        `the primary of promotion ${put.evidence.epoch} was published after ${this.publishedEpoch}`,
      );
    }
    this.publishedEpoch = put.evidence.epoch;
  }

  /** When a writer rests, nothing of it may still land; and its last publication was confirmed after it landed. */
  private checkRest(writer: Writer, result: RoundResult): void {
    if (result.kind === "wrote" && result.verdict.kind === "publish" && !writer.confirmed) {
      throw new Violation("a publication was not confirmed after it landed");
    }
    if (result.kind === "rested" && result.verdict.kind === "term-refused") this.seen.refusedTerms++;
    if (result.kind !== "rested") return;
    const loose = this.flying.find(
      (put) =>
        put.writer === writer && put.incarnation === writer.incarnation && put.base === String(this.version),
    );
    if (loose !== undefined) throw new Violation("a writer rests while a write of its own may still land");
  }

  /** The faults end: every writer runs until nothing changes, and the slice must show the primary, or nobody. */
  settle(): void {
    for (const member of this.members) {
      member.rogue = false;
      if (member.health !== "primary") member.health = "replica";
    }
    this.now += TTL_MS + 1;
    this.make();
    for (let pass = 0; pass < 4; pass++) {
      for (const [index, writer] of this.writers.entries()) {
        for (let steps = 0; steps < 100 && (writer.run !== undefined || steps === 0); steps++)
          this.step(index);
        this.now += 1;
      }
      for (const put of [...this.flying]) this.land(put);
    }
    const wanted = this.primary === undefined ? [] : [this.primary.pod.address];
    if (this.addresses.join() !== wanted.join()) {
      throw new Violation(`settled on [${this.addresses}], the primary is [${wanted}]`);
    }
  }
}

function newWriter(member: Member): Writer {
  return {
    member,
    memory: { inDoubt: false },
    incarnation: 0,
    run: undefined,
    effect: undefined,
    issuedAt: 0,
    reply: undefined,
    evidence: undefined,
    namedForMs: 0,
    confirmed: false,
    put: undefined,
  };
}

function observationOf(member: Member, isPrimary: boolean, sentAt: number): Observation {
  if (member.health === "hung") return { kind: "silent", sentAt, error: "timed out" };
  if (member.health === "crashed") return { kind: "refused", sentAt, postgres: "refused" };
  const words = ANSWERS[member.health];
  return {
    kind: "answered",
    sentAt,
    status: {
      code: isPrimary ? 200 : words.code,
      state: words.state,
      role: isPrimary ? "primary" : words.role,
      timeline: member.timeline,
      system: "7391",
      scope: "pg",
      name: member.pod.name,
      paused: false,
      unlocked: false,
      xlog: { location: undefined, received: undefined, replayed: undefined },
      streaming: undefined,
      version: "4.1.5",
    },
  };
}

const ANSWERS = {
  primary: { code: 200, role: "primary", state: "running" },
  replica: { code: 503, role: "replica", state: "running" },
  stopping: { code: 200, role: "primary", state: "stopping" },
  starting: { code: 200, role: "primary", state: "starting" },
  promoting: { code: 200, role: "replica", state: "running" },
} as const;

function addressesIn(slice: JsonObject): string[] {
  return (slice.endpoints as { addresses: string[] }[]).flatMap(({ addresses }) => addresses);
}
