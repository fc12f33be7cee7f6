import assert from "node:assert/strict";
import {
  GONE_MS,
  type Memory,
  PAUSES,
  type SeenPod,
  STEADY_MS,
  step,
} from "../../../src/controller/breaker/machine.ts";
import {
  dataOf,
  isSuspended,
  readSuspensions,
  type Suspension,
  type Suspensions,
} from "../../../src/controller/breaker/suspension.ts";

export const NAMES = ["pg-0", "pg-1", "pg-2"] as const;
export const IMAGES = ["a", "b"] as const;
export const NAMESPACE = "db";

export type Step =
  | { readonly do: "create"; readonly name: string; readonly replica: number }
  | { readonly do: "delete"; readonly name: string }
  /** The pod that is to be tried on is started anew. The kubelet may be slow to say what came of it. */
  | { readonly do: "try"; readonly replica: number; readonly isSlow: boolean }
  /** The kubelet tries, and says what came of it. */
  | { readonly do: "kubelet"; readonly name: string }
  | { readonly do: "crash"; readonly name: string }
  | { readonly do: "image"; readonly image: string; readonly works: boolean }
  | { readonly do: "configure"; readonly image: string }
  | { readonly do: "look"; readonly leader: number }
  /** A leader's view of the pods is frozen, or goes on. */
  | { readonly do: "freeze"; readonly leader: number; readonly frozen: boolean }
  | { readonly do: "restart"; readonly leader: number }
  | { readonly do: "see"; readonly replica: number }
  | { readonly do: "pass"; readonly seconds: number };

interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly image: string | undefined;
  /** It was admitted while every replica knew of the suspension. */
  readonly underSuspension: boolean;
  health: SeenPod["health"];
  runningSince: number;
  hasFailed: boolean;
}

interface Leader {
  image: string;
  memory: Memory;
  /** Undefined: sees the pods as they are. */
  frozen: SeenPod[] | undefined;
}

/** A watch, or a file of a ConfigMap, does not lag for longer than this; a leader's clock and its pauses are far longer. Milliseconds. */
const LAG_MS = 120_000;

/**
 * One namespace, two replicas of the webhook whose views lag, and two processes that both believe to lead, of which one may see
 * the pods as they were long ago. What is to be written is decided anew on what is read right before, as in the real one.
 */
export class World {
  readonly #pods = new Map<string, Pod>();
  readonly #works: Record<string, boolean> = { a: true, b: true };
  readonly #leaders: Leader[] = [0, 1].map(() => ({ image: "a", memory: {}, frozen: undefined }));
  readonly #replicas = [0, 1].map(() => ({ image: "a", seen: new Map() as Suspensions }));
  #configured = "a";
  #data = dataOf(new Map());
  #now = 0;
  #lagSince = 0;
  #uids = 0;
  /** Since when there is a suspension that says why this image does not get in. */
  #openedAt = 0;
  #named: { readonly at: number } | undefined;
  readonly seen: Record<string, number> = {};

  get stored(): Suspension | undefined {
    return readSuspensions({ data: this.#data }).get(NAMESPACE);
  }

  play(each: Step): void {
    switch (each.do) {
      case "create":
        this.#create(each.name, this.#replicas[each.replica] ?? assert.fail());
        break;
      case "try": {
        const name = this.stored?.probe?.pod;
        if (name === undefined) break;
        this.play({ do: "create", name, replica: each.replica });
        if (!each.isSlow) this.#kubelet(name);
        break;
      }
      case "delete":
        this.#pods.delete(each.name);
        break;
      case "kubelet":
        this.#kubelet(each.name);
        break;
      case "crash":
        this.#set(each.name, "waiting");
        break;
      case "image":
        this.#works[each.image] = each.works;
        break;
      case "configure":
        this.#configured = each.image;
        break;
      case "look":
        this.#look(this.#leaders[each.leader] ?? assert.fail());
        break;
      case "freeze":
        Object.assign(this.#leaders[each.leader] ?? {}, {
          frozen: each.frozen ? this.#visible() : undefined,
        });
        break;
      case "restart":
        this.#leaders[each.leader] = { image: this.#configured, memory: {}, frozen: undefined };
        break;
      case "see":
        Object.assign(this.#replicas[each.replica] ?? {}, this.#now1());
        break;
      case "pass":
        this.#pass(each.seconds * 1000);
    }
    this.#check();
  }

  /** Everything is well from now on, and whoever is stuck is started anew: the suspension must end. */
  recovers(): void {
    for (const image of IMAGES) this.#works[image] = true;
    for (const leader of [0, 1]) this.play({ do: "restart", leader });
    this.play({ do: "see", replica: 0 });
    for (let round = 0; round < 400 && this.stored !== undefined; round++) {
      this.play({ do: "look", leader: 0 });
      this.play({ do: "see", replica: 0 });
      const probe = this.stored?.probe;
      const again = NAMES.filter((name) => {
        const there = this.#pods.get(name);
        return there === undefined || (name === probe?.pod && there.uid === probe.instead);
      });
      for (const name of again) this.#create(name, this.#replicas[0] ?? assert.fail());
      for (const name of NAMES) this.#kubelet(name);
      this.#check();
      this.#pass(30_000);
    }
    assert.equal(this.stored, undefined, "it closes by itself");
  }

  #now1() {
    return { seen: readSuspensions({ data: this.#data }), image: this.#configured };
  }

  #count(what: string): void {
    this.seen[what] = (this.seen[what] ?? 0) + 1;
  }

  #create(name: string, { image, seen }: { image: string; seen: Suspensions }): void {
    const known = seen.get(NAMESPACE);
    const without = isSuspended(known, name, image);
    const underSuspension = this.#replicas.every((replica) => replica.seen.has(NAMESPACE));
    if (!without && known !== undefined) assert.equal(image, known.image, "what is tried is what failed");
    if (known !== undefined) this.#count(without ? "without" : "probes");
    this.#pods.set(name, {
      name,
      uid: `uid-${this.#uids++}`,
      image: without ? undefined : image,
      underSuspension,
      health: "waiting",
      runningSince: 0,
      hasFailed: false,
    });
  }

  #kubelet(name: string): void {
    const pod = this.#pods.get(name);
    if (pod?.image === undefined || pod.health === "running") return;
    this.#set(name, this.#works[pod.image] ? "running" : "failing");
  }

  #set(name: string, health: SeenPod["health"]): void {
    const pod = this.#pods.get(name);
    if (pod?.image === undefined) return;
    pod.health = health;
    pod.runningSince = this.#now;
    pod.hasFailed ||= health === "failing";
  }

  #visible(): SeenPod[] {
    return [...this.#pods.values()].map(({ name, uid, image, health, runningSince }) => ({
      ...{ name, uid, image, health, why: health === "failing" ? "ErrImagePull" : "" },
      steadyMs: health === "running" ? this.#now - runningSince : 0,
      returns: true,
      isPrimary: name === "pg-0",
    }));
  }

  #look(leader: Leader): void {
    const before = this.stored;
    const stepWith = (pods: readonly SeenPod[]) =>
      step(before, pods, leader.memory, { image: leader.image, now: this.#now, date: "" });
    const seen = stepWith(leader.frozen ?? this.#visible());
    const { suspension, memory } = seen.suspension === before ? seen : stepWith(this.#visible());
    leader.memory = memory;
    if (suspension === before) return;
    if (suspension?.image !== before?.image) {
      this.#openedAt = suspension === undefined ? this.#openedAt : this.#now;
      this.#named = undefined; // closed, or another image, which is tried at once
    }
    if (suspension === undefined) this.#hasReason();
    this.#data = dataOf(suspension === undefined ? new Map() : new Map([[NAMESPACE, suspension]]));
    this.#count(suspension === undefined ? "closed" : before === undefined ? "opened" : "moved");
    if (suspension?.probe !== undefined && suspension.probe !== before?.probe) this.#probeNamed();
  }

  #probeNamed(): void {
    const last = this.#named;
    this.#named = { at: this.#now };
    this.#count("named");
    if (last === undefined) return;
    assert.ok(
      this.#now - last.at >= Math.min(PAUSES.first, GONE_MS),
      "a pause lies between two probes of an image",
    );
  }

  /** A sidecar that failed, or was started since, runs and stays. What ran all the time shows nothing. */
  #hasReason(): void {
    const isUp = [...this.#pods.values()].some(
      ({ health, runningSince, hasFailed }) =>
        health === "running" &&
        (hasFailed || runningSince >= this.#openedAt) &&
        this.#now - runningSince >= STEADY_MS,
    );
    assert.ok(isUp || this.#pods.size === 0, "it does not close without a reason");
  }

  /** Views that lag catch up in time. */
  #pass(milliseconds: number): void {
    this.#now += milliseconds;
    if (this.#now - this.#lagSince < LAG_MS) return;
    this.#lagSince = this.#now;
    for (const replica of this.#replicas) Object.assign(replica, this.#now1());
    for (const leader of this.#leaders) leader.image = this.#configured;
  }

  /** Of the pods that came when sidecars were suspended, at most one of each image is held back. */
  #check(): void {
    for (const image of IMAGES) {
      const held = [...this.#pods.values()].filter(
        (pod) => pod.underSuspension && pod.image === image && pod.health === "failing",
      );
      if (held.length > 0) this.#count("held");
      assert.ok(held.length <= 1, `held: ${held.map(({ name }) => name).join(", ")}`);
    }
  }
}
