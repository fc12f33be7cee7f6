import { setTimeout as delay } from "node:timers/promises";
import { type MemberState, SimulatedMember } from "./member.ts";

export interface ClusterOptions {
  readonly scope: string;
  readonly names: readonly string[];
  /** One address a member; loopback has many. */
  readonly hosts: readonly string[];
  /** The ports of every member; without them each takes free ones. */
  readonly ports?: { readonly rest: number; readonly postgres: number };
  /** How fast things go; 1 is the pace of a recorded cluster, smaller is faster. */
  readonly pace?: number;
  /** Writes Patroni's leader object: who holds the lock (empty: nobody), and how often it changed hands. */
  keepLeader(leader: string, facts: { transitions: number; position: number }): Promise<void>;
}

/** From `at` on (milliseconds of the monotonic clock) this host was the primary; undefined: nobody. */
export interface Reign {
  readonly at: number;
  readonly host: string | undefined;
}

const SYSTEM = "7391026471882319361";

/** Milliseconds, as recorded on a real cluster (Patroni 4.1.5, PostgreSQL 15). */
const PACE = { shutdown: 820, stopping: 1000, handover: 60, lockSeen: 60, promotion: 120, rejoin: 900 };

/**
 * A simulated Patroni cluster: real HTTP servers that go through the states which a real cluster was seen to go through. Patroni's own
 * promise holds: nobody is promoted while another holds the lock.
 */
export class SimulatedCluster {
  readonly members: readonly SimulatedMember[];
  readonly #options: ClusterOptions;
  #timeline = 1;
  #transitions = 0;
  #position = 50_331_648;
  #promotedAt = 0;
  readonly #history: Reign[] = [];

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.members = options.names.map((name, index) => {
      const host = options.hosts[index] ?? "127.0.0.1";
      const { scope, ports } = options;
      const common = { name, host, scope, system: SYSTEM, state: this.#replica() };
      return new SimulatedMember(ports === undefined ? common : { ...common, ports });
    });
  }

  get primary(): SimulatedMember | undefined {
    return this.members.find(
      ({ state }) => state.role === "primary" && state.lease && state.state === "running",
    );
  }

  /** When the last promotion was done, on the monotonic clock. Milliseconds. */
  get promotedAt(): number {
    return this.#promotedAt;
  }

  /** Who really was the writable primary, and from when on: what no member can know of another. */
  get history(): readonly Reign[] {
    return this.#history;
  }

  get timeline(): number {
    return this.#timeline;
  }

  /** Starts all members, the first of them as primary. */
  async start(): Promise<void> {
    for (const member of this.members) await member.start();
    const [first] = this.members;
    if (first !== undefined) await this.#promote(first, false);
  }

  /** `patronictl switchover`: the old primary stops before the new one is promoted. */
  async switchover(to: SimulatedMember): Promise<void> {
    const from = this.primary;
    if (from === undefined || from === to) throw new Error("a switchover needs a primary and another member");
    await this.#wait(PACE.shutdown);
    this.#record(undefined);
    from.state = { ...from.state, state: "stopping" };
    await this.#wait(PACE.stopping);
    from.state = { ...from.state, role: "demoted", state: "stopped", lease: false };
    await this.#release();
    await this.#wait(PACE.handover);
    await this.#promote(to);
    void this.#wait(PACE.rejoin).then(() => {
      if (from.state.role === "demoted") from.state = this.#replica();
    });
  }

  /** The primary's container is gone at once; the others notice when its lease has expired. */
  async crash(to: SimulatedMember, leaseMs: number): Promise<void> {
    const from = this.primary;
    this.#record(undefined);
    await from?.crash();
    if (from !== undefined) from.state = this.#replica();
    await delay(leaseMs);
    await this.#release();
    await this.#promote(to);
  }

  /** The primary's processes are stopped; the others notice when its lease has expired. */
  async freeze(to: SimulatedMember, leaseMs: number): Promise<SimulatedMember | undefined> {
    const from = this.primary;
    this.#record(undefined);
    from?.hang();
    await delay(leaseMs);
    // Its lease has expired by its own clock too: that is the first thing it finds when it wakes.
    if (from !== undefined) from.state = { ...from.state, state: "stopping", lease: false };
    await this.#release();
    await this.#promote(to);
    return from;
  }

  /** A frozen or crashed member comes back, first as what it was, then as a replica. */
  async comeBack(member: SimulatedMember): Promise<void> {
    member.wake();
    await this.#wait(PACE.rejoin);
    member.state = this.#replica();
  }

  async stop(): Promise<void> {
    for (const member of this.members) {
      member.wake();
      await member.crash();
    }
  }

  async #release(): Promise<void> {
    for (const member of this.members) member.state = { ...member.state, unlocked: true };
    await this.#options.keepLeader("", { transitions: this.#transitions, position: this.#position });
  }

  /** The lock first (200 while still a standby), PostgreSQL's promotion and the new timeline a moment later. */
  async #promote(member: SimulatedMember, isFailover = true): Promise<void> {
    this.#position += 4096;
    if (isFailover) this.#transitions++;
    await this.#options.keepLeader(member.name, { transitions: this.#transitions, position: this.#position });
    member.state = { ...this.#replica(), lease: true, unlocked: isFailover };
    await this.#wait(PACE.lockSeen);
    for (const other of this.members) other.state = { ...other.state, unlocked: false };
    await this.#wait(PACE.promotion);
    if (isFailover) this.#timeline++;
    member.state = { ...member.state, role: "primary", timeline: this.#timeline };
    this.#promotedAt = performance.now();
    this.#record(member.host);
  }

  #record(host: string | undefined): void {
    this.#history.push({ at: performance.now(), host });
  }

  #replica(): MemberState {
    return {
      role: "replica",
      state: "running",
      timeline: this.#timeline,
      lease: false,
      unlocked: false,
      position: this.#position,
    };
  }

  #wait(ms: number): Promise<void> {
    return delay(ms * (this.#options.pace ?? 1));
  }
}
