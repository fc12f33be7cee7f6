import { setTimeout as delay } from "node:timers/promises";
import type { FaultHandle, FaultOrder } from "../../demo/kube-api/faults.ts";
import type { Field, Seat } from "./field.ts";
import type { Random } from "./random.ts";

/** Milliseconds. */
const LEASE_MS = 300;
const SETTLE_MS = 20_000;

/** The controller looks into a slice that another than the leader stands in after three seconds, once a second. */
const CONTROLLER_MS = 8000;

/** One kind of trouble. Leaves the field whole: every member up, every sidecar running, no fault ordered. */
type Round = (field: Field, random: Random) => Promise<void>;

export const ROUNDS: Readonly<Record<string, Round>> = {
  async switchover(field, random) {
    await field.cluster.switchover(random.pick(field.others).member);
  },

  /** The whole pod of the primary is gone at once, and made anew. */
  async "kill the primary's pod"(field, random) {
    const old = field.primary;
    old.sidecar.signal("SIGKILL");
    await field.cluster.crash(random.pick(field.others).member, LEASE_MS);
    await delay(random.below(300));
    await old.member.start();
    await field.restart(old, true);
  },

  /** All processes of the primary's pod are stopped past the lease, and wake when another was elected. */
  async "freeze the primary's pod"(field, random) {
    const old = field.primary;
    await delay(random.below(300));
    old.sidecar.signal("SIGSTOP");
    await field.cluster.freeze(random.pick(field.others).member, LEASE_MS);
    await delay(random.below(2500));
    // Both wake at once, or one a little before the other.
    if (random.below(2) === 0) old.sidecar.signal("SIGCONT");
    await field.cluster.comeBack(old.member);
    old.sidecar.signal("SIGCONT");
  },

  /** Only the sidecar stalls, at any step of what it does during a switchover. */
  async "stall a sidecar in a switchover"(field, random) {
    const victims = [field.primary, random.pick(field.others)];
    const next = random.pick(field.others).member;
    await Promise.all([
      field.cluster.switchover(next),
      ...victims.map(async ({ sidecar }) => {
        await delay(random.below(400));
        sidecar.signal("SIGSTOP");
        await delay(200 + random.below(2300));
        sidecar.signal("SIGCONT");
      }),
    ]);
  },

  /** The sidecar of a healthy primary dies: the slice must not change. */
  async "kill the sidecar of a healthy primary"(field, random) {
    const seat = field.primary;
    const before = field.recorder.moments.length;
    const shown = `${field.recorder.current?.addresses}`;
    seat.sidecar.signal("SIGKILL");
    await delay(500 + random.below(500));
    await field.restart(seat, false);
    await delay(1200);
    // A write of an earlier round may be in doubt, and be followed by one that changes nothing but the version.
    const others = field.recorder.moments.slice(before).filter(({ addresses }) => `${addresses}` !== shown);
    if (others.length > 0) {
      const became = others.map(({ addresses }) => `[${addresses}]`).join(", ");
      throw new Error(`the slice changed when a sidecar was killed: [${shown}] became ${became}`);
    }
  },

  async "kill a sidecar in a switchover"(field, random) {
    const seat = random.pick(field.seats);
    await Promise.all([
      field.cluster.switchover(random.pick(field.others).member),
      delay(random.below(400)).then(() => seat.sidecar.signal("SIGKILL")),
    ]);
    await delay(200);
    await field.restart(seat, false);
  },

  async "the API server fails in a switchover"(field, random) {
    const faults = random.some<FaultOrder>([
      { kind: "latency", ms: random.below(1500), times: 6 },
      { kind: "status", status: 409, times: 2, match: { verb: "update" } },
      { kind: "status", status: 429, retryAfter: 1, times: 2 },
      { kind: "status", status: 500, times: 3 },
      { kind: "drop", times: 3 },
      { kind: "drop-after-write", times: 2, match: { verb: "update" } },
      { kind: "hang", times: 2 },
      { kind: "watch-gone", times: 2 },
    ]);
    await withFaults(field, field.seats, faults, () =>
      field.cluster.switchover(random.pick(field.others).member),
    );
  },

  /** Everything that the sidecar of one member sends is lost on the way. */
  async "cut a sidecar off from the API server"(field, random) {
    const seat = random.pick([field.primary, random.pick(field.others)]);
    await withFaults(field, [seat], [{ kind: "drop" }], async () => {
      await field.cluster.switchover(random.pick(field.others).member);
      await delay(random.below(1500));
    });
  },

  /** One way: writes arrive, and their answers do not. */
  async "answers are lost on their way back"(field, random) {
    const seat = random.pick([field.primary, random.pick(field.others)]);
    await withFaults(field, [seat], [{ kind: "drop-after-write" }], async () => {
      await field.cluster.switchover(random.pick(field.others).member);
      await delay(random.below(1500));
    });
  },

  async "watches go silent before a switchover"(field, random) {
    await withFaults(field, field.seats, [{ kind: "watch-silent" }], () =>
      field.cluster.switchover(random.pick(field.others).member),
    );
  },

  async "tokens expire in a switchover"(field, random) {
    await Promise.all([
      field.cluster.switchover(random.pick(field.others).member),
      ...field.seats.map(async (seat) => {
        await delay(random.below(400));
        await field.renewToken(seat, random.below(1000));
      }),
    ]);
  },
};

/** Rounds that only a controller brings to a good end. */
export const CONTROLLER_ROUNDS: Readonly<Record<string, Round>> = {
  /** The old primary's address stands there, and neither its sidecar nor that of the new primary is left to put it right. */
  async "the primary changes while two sidecars are dead"(field, random) {
    const next = random.pick(field.others);
    const dead = [field.primary, next];
    for (const { sidecar, member } of dead) {
      sidecar.signal("SIGKILL");
      await field.pods?.sidecarRuns(member, false);
    }
    await field.cluster.switchover(next.member);
    await field.showsPrimary(CONTROLLER_MS);
    for (const seat of dead) {
      await field.restart(seat, false);
      await field.pods?.sidecarRuns(seat.member, true);
    }
  },

  /** The same, and nobody has said that the sidecars are dead: they hang. */
  async "the primary changes while two sidecars hang"(field, random) {
    const next = random.pick(field.others);
    const hung = [field.primary, next];
    for (const { sidecar } of hung) sidecar.signal("SIGSTOP");
    await field.cluster.switchover(next.member);
    await field.showsPrimary(CONTROLLER_MS);
    for (const { sidecar } of hung) sidecar.signal("SIGCONT");
  },

  /** The primary's pod is gone for good, and nobody is elected for a while: its address is taken out. */
  async "the primary's pod is deleted"(field, random) {
    const old = field.primary;
    const { host } = old.member;
    old.sidecar.signal("SIGKILL");
    await field.pods?.remove(old.member);
    const next = random.pick(field.others).member;
    await field.cluster.crash(next, LEASE_MS);
    await field.showsPrimary(CONTROLLER_MS);
    if (field.recorder.current?.addresses.includes(host))
      throw new Error("the address of a deleted pod stands there");
    await old.member.start();
    await field.restart(old, true);
  },

  /** Somebody deletes the slice in the middle of a switchover. */
  async "the slice is deleted in a switchover"(field, random) {
    await Promise.all([
      field.cluster.switchover(random.pick(field.others).member),
      delay(random.below(400)).then(() => field.deleteSlice()),
    ]);
  },
};

/** After a round the slice shows the primary, within the bound. @returns milliseconds from promotion to that */
export function settle(field: Field): Promise<number> {
  return field.showsPrimary(SETTLE_MS);
}

async function withFaults(
  field: Field,
  seats: readonly Seat[],
  orders: readonly FaultOrder[],
  run: () => Promise<void>,
): Promise<void> {
  const handles: FaultHandle[] = seats.flatMap(({ user }) =>
    orders.map((order) => field.api.faults.add({ ...order, match: { ...order.match, user } })),
  );
  try {
    await run();
  } finally {
    for (const handle of handles) handle.remove();
  }
}
