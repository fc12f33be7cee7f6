import { LIFETIMES, type Lifetimes } from "../../../src/certificates/lifetimes.ts";
import {
  type AuthorityFacts,
  isValidAt,
  type LeafFacts,
  nextStep,
  type Step,
} from "../../../src/certificates/rotation.ts";

/**
 * Replicas that turn the rotation against one API server, each interrupted between any two of its requests. Certificates are
 * only their facts; the state machine is the real one, and what keeps the `caBundle` does as `addToBundle` does.
 */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** In the proportions of the real ones, but shorter. */
export const SHORT: Lifetimes = {
  ...LIFETIMES,
  authorityMs: 3 * HOUR,
  leafMs: 30 * MINUTE,
  backdateMs: MINUTE,
};

const LOOK_MS = 30_000;

/** The longest that a replica, or a request of it, is held up. */
const LONGEST_PAUSE_MS = 2 * MINUTE;

interface Authorities {
  readonly version: number;
  readonly ids: readonly string[];
  readonly retired: readonly string[];
}

interface LeafSecret {
  readonly version: number;
  readonly leaf: (LeafFacts & { readonly id: number }) | undefined;
  readonly issued: Readonly<Record<string, number>>;
}

interface Bundle {
  readonly version: number;
  readonly ids: readonly string[];
  /** From when on it is what the API server has. */
  readonly from: number;
}

export interface ReplicaState {
  served: (LeafFacts & { readonly id: number }) | undefined;
  own: readonly string[];
  retired: readonly string[];
  since: Map<string, number>;
}

export class World {
  /** As the API server has it. */
  now = Date.UTC(2026, 0, 1);
  /** Of every process, and never set. */
  monotonic = 0;
  readonly lifetimes: Lifetimes;
  readonly facts = new Map<string, { notBefore: number; notAfter: number }>();
  authorities: Authorities = { version: 1, ids: [], retired: [] };
  leaf: LeafSecret = { version: 1, leaf: undefined, issued: {} };
  /** Newest last. */
  bundles: Bundle[] = [{ version: 1, ids: [], from: 0 }];
  readonly replicas: Replica[];
  readonly made = { authority: 0, leaf: 0, retirement: 0 };
  readonly random: () => number;
  /** Nobody is held up from now on. */
  calm = false;
  #count = 0;

  constructor(random: () => number, replicas: number, lifetimes: Lifetimes = SHORT) {
    this.random = random;
    this.lifetimes = lifetimes;
    this.replicas = Array.from({ length: replicas }, () => new Replica(this));
  }

  get bundle(): Bundle {
    return this.bundles.at(-1) as Bundle;
  }

  setBundle(ids: readonly string[]): void {
    this.bundles = [...this.bundles, { version: this.bundle.version + 1, ids, from: this.monotonic }].slice(
      -50,
    );
  }

  next(): number {
    return ++this.#count;
  }

  /** One request of one replica, with the time that passes before it. */
  step(): void {
    const awake = this.replicas
      .flatMap(({ actors }) => actors)
      .filter((actor) => actor.until <= this.monotonic);
    const chosen = awake[Math.floor(this.random() * awake.length)];
    if (chosen === undefined) {
      const until = Math.min(...this.replicas.flatMap(({ actors }) => actors.map((actor) => actor.until)));
      this.pass(until - this.monotonic);
      return;
    }
    const slow = !this.calm && this.random() < 0.02;
    chosen.run(slow ? this.random() * LONGEST_PAUSE_MS : this.random() * 200);
    this.pass(this.random() * 20);
  }

  pass(ms: number): void {
    this.now += ms;
    this.monotonic += ms;
  }

  /** What an API server may go by whose caches are as late as they ever are. */
  bundlesInCaches(): Bundle[] {
    const from = this.monotonic - this.lifetimes.cachesMs;
    const newestBefore = this.bundles.findLastIndex((bundle) => bundle.from <= from);
    return this.bundles.slice(Math.max(0, newestBefore));
  }

  /** What is wrong with what a replica serves, for any API server. */
  refusals(): string[] {
    if (this.replicas.every(({ state: { served } }) => served !== undefined && this.#isAccepted(served)))
      return [];
    return this.replicas.flatMap(({ state: { served } }, index) => {
      if (served === undefined) return [`replica ${index} serves nothing`];
      if (!isValidAt(served, this.now)) return [`replica ${index} serves a leaf that is not valid now`];
      const refusing = this.bundlesInCaches().filter(({ ids }) => !ids.includes(served.issuer));
      return refusing.map(
        ({ version }) => `replica ${index}'s leaf by ${served.issuer} is refused under bundle ${version}`,
      );
    });
  }

  #isAccepted(served: LeafFacts): boolean {
    return (
      isValidAt(served, this.now) && this.bundlesInCaches().every(({ ids }) => ids.includes(served.issuer))
    );
  }
}

/** A loop of requests, each of which `run` ends with a pause. */
class Actor {
  until = 0;
  #asleep = false;
  readonly #world: World;
  readonly #program: Iterator<number>;

  constructor(world: World, program: Iterator<number>) {
    this.#world = world;
    this.#program = program;
  }

  /** Something that it waits for has come. */
  wake(): void {
    if (this.#asleep) this.until = this.#world.monotonic;
  }

  run(pauseMs: number): void {
    const sleep: number = this.#program.next().value;
    this.#asleep = sleep > 0;
    this.until = this.#world.monotonic + (this.#asleep ? sleep : pauseMs);
  }
}

export class Replica {
  readonly #world: World;
  state: ReplicaState = empty();
  rotator!: Actor;
  keeper!: Actor;
  last: Step["kind"] | undefined;

  constructor(world: World) {
    this.#world = world;
    this.restart();
  }

  /** All that it had in memory is gone. */
  restart(): void {
    this.state = empty();
    this.rotator = new Actor(this.#world, this.#rotate(this.state));
    this.keeper = new Actor(this.#world, this.#keep(this.state));
  }

  get actors(): Actor[] {
    return [this.rotator, this.keeper];
  }

  *#rotate(state: ReplicaState): Generator<number> {
    const world = this.#world;
    for (;;) {
      const leaf = world.leaf;
      yield 0;
      const authorities = world.authorities;
      state.served = leaf.leaf ?? state.served;
      state.own = [...new Set([...authorities.ids, ...(leaf.leaf === undefined ? [] : [leaf.leaf.issuer])])];
      state.retired = authorities.retired;
      this.keeper.wake();
      const step = nextStep({
        authorities: authorities.ids.map((id) => authorityFacts(world, leaf, id)),
        leaf: leaf.leaf,
        seenForMs: (id) => (state.since.has(id) ? world.monotonic - (state.since.get(id) ?? 0) : undefined),
        now: world.now,
        anySeen: state.since.size > 0,
        cachesMs: world.lifetimes.cachesMs,
      });
      this.last = step.kind;
      yield step.kind === "wait" ? LOOK_MS : 0;
      if (step.kind !== "wait") perform(world, step, authorities, leaf);
    }
  }

  *#keep(state: ReplicaState): Generator<number> {
    const world = this.#world;
    for (;;) {
      const seen = world.bundle;
      const { since } = state;
      const known = since.size;
      for (const id of [...since.keys()]) if (!seen.ids.includes(id)) since.delete(id);
      for (const id of seen.ids) if (!since.has(id)) since.set(id, world.monotonic);
      if (since.size !== known) this.rotator.wake();
      yield 0;
      const kept = seen.ids.filter((id) => state.own.includes(id) || !state.retired.includes(id));
      const ids = [...new Set([...kept, ...state.own])];
      const same = ids.length === seen.ids.length && ids.every((id) => seen.ids.includes(id));
      if (!same && world.bundle.version === seen.version) world.setBundle(ids);
      yield LOOK_MS;
    }
  }
}

function perform(
  world: World,
  step: Exclude<Step, { kind: "wait" }>,
  read: Authorities,
  leafRead: LeafSecret,
): void {
  const { authorityMs, leafMs, backdateMs } = world.lifetimes;
  switch (step.kind) {
    case "make-authority": {
      if (world.authorities.version !== read.version) return;
      const id = `authority-${world.next()}`;
      world.facts.set(id, { notBefore: world.now - backdateMs, notAfter: world.now + authorityMs });
      const ids = [...read.ids.filter((other) => !step.drop.includes(other)), id];
      world.authorities = { version: read.version + 1, ids, retired: [...read.retired, ...step.drop] };
      world.made.authority++;
      return;
    }
    case "retire": {
      if (world.authorities.version !== read.version) return;
      const ids = read.ids.filter((id) => !step.authorities.includes(id));
      world.authorities = { version: read.version + 1, ids, retired: [...read.retired, ...step.authorities] };
      world.made.retirement++;
      return;
    }
    case "issue-leaf": {
      if (world.leaf.version !== leafRead.version) return;
      const end = world.facts.get(step.authority)?.notAfter ?? 0;
      const notAfter = Math.min(world.now + leafMs, end);
      const leaf = {
        id: world.next(),
        issuer: step.authority,
        coversNames: true,
        notBefore: world.now - backdateMs,
        notAfter,
      };
      const issued = {
        ...leafRead.issued,
        [step.authority]: Math.max(leafRead.issued[step.authority] ?? 0, notAfter),
      };
      world.leaf = { version: leafRead.version + 1, leaf, issued };
      world.made.leaf++;
    }
  }
}

function authorityFacts(world: World, { issued }: LeafSecret, id: string): AuthorityFacts {
  const span = world.facts.get(id) ?? { notBefore: 0, notAfter: 0 };
  return { ...span, id, lastLeafUntil: issued[id] ?? span.notAfter };
}

const empty = (): ReplicaState => ({ served: undefined, own: [], retired: [], since: new Map() });
