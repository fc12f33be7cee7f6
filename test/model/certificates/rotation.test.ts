import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isValidAt, renewAt } from "../../../src/certificates/rotation.ts";
import { Random } from "../../chaos/random.ts";
import { type Replica, SHORT, World } from "./world.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MONTH = 30 * DAY;
/** A few for every run; the environment's MODEL_SEEDS asks for more. */
const SEEDS = Array.from({ length: Number(process.env.MODEL_SEEDS ?? 2) }, (_, seed) => seed + 1);

/** Numbers in [0, 1) that are the same for the same seed. */
function randomOf(seed: number): () => number {
  const random = new Random(seed);
  return () => random.below(2 ** 31) / 2 ** 31;
}

/** Runs until every API server accepts what every replica serves. */
function settle(world: World, most = 20_000): void {
  for (let left = most; world.refusals().length > 0; left--) {
    assert.ok(left > 0, world.refusals().join("; "));
    world.step();
  }
}

function settled(seed: number, replicas: number): World {
  const world = new World(randomOf(seed), replicas);
  settle(world);
  return world;
}

/** Watches from outside: whatever any replica serves must be accepted by every API server, at every moment. */
function watched(world: World, forMs: number, between: (world: World) => void = () => undefined): void {
  for (const end = world.monotonic + forMs; world.monotonic < end; ) {
    world.step();
    between(world);
    assert.deepEqual(world.refusals(), []);
  }
}

describe("the rotation, turned by several at once", () => {
  it("is accepted by every API server at every moment, whoever is slow", () => {
    for (const seed of SEEDS) {
      const world = settled(seed, 1 + (seed % 3));
      watched(world, DAY);
      assert.ok(world.made.authority >= 11, `${world.made.authority} authorities in a day`);
      assert.ok(world.made.leaf >= 60, `${world.made.leaf} leaves in a day`);
      assert.ok(world.made.retirement >= world.made.authority - 2);
      assert.ok(world.authorities.ids.length <= 2);
      assert.ok(world.bundle.ids.length <= 3, world.bundle.ids.join());
    }
  });

  it("makes no more than is due, however many turn it", () => {
    const world = settled(7, 5);
    watched(world, 10 * HOUR);
    const due = (10 * HOUR) / ((SHORT.leafMs * 2) / 3);
    assert.ok(world.made.leaf <= due + 7, `${world.made.leaf} leaves, ${due} were due`);
    assert.ok(world.made.authority <= 6, `${world.made.authority} authorities`);
  });

  it("goes on after a crash at any moment", () => {
    for (const seed of SEEDS) {
      const world = settled(seed, 2);
      const before = world.made.authority;
      watched(world, 6 * HOUR, () => {
        const { random, replicas } = world;
        if (random() > 0.002) return;
        crash(replicas[Math.floor(random() * replicas.length)]);
        settleRestarted(world);
      });
      assert.ok(world.made.authority > before);
    }
  });

  it("goes on after a crash right before and right after each kind of write", () => {
    for (const kind of ["make-authority", "issue-leaf", "retire"] as const) {
      for (const moment of ["before", "after"] as const) {
        const world = settled(3, 1);
        const [replica] = world.replicas as [Replica];
        let crashes = 0;
        watched(world, 8 * HOUR, () => {
          const last = replica.last;
          if (last !== kind || crashes > 5) return;
          if (moment === "after") world.step();
          replica.last = undefined;
          crash(replica);
          crashes++;
          settleRestarted(world);
        });
        assert.ok(crashes > 0, `it never came to ${kind}`);
        assert.ok(world.made.leaf > 15, `${world.made.leaf} leaves`);
      }
    }
  });

  it("keeps to the order: seen everywhere, waited, then signed with", () => {
    const world = settled(5, 2);
    let [leaf, since] = [world.leaf.leaf, new Map<string, number>()];
    watched(world, 8 * HOUR, () => {
      const { ids } = world.bundle;
      since = new Map(ids.map((id) => [id, since.get(id) ?? world.monotonic]));
      const now = world.leaf.leaf;
      if (now?.id === leaf?.id) return;
      leaf = now;
      const seen = world.monotonic - (since.get(now?.issuer ?? "") ?? world.monotonic);
      assert.ok(seen >= SHORT.cachesMs, `signed after ${seen} ms`);
    });
  });
});

describe("what somebody else does", () => {
  const repaired = (world: World): void => {
    settle(world);
    watched(world, 4 * HOUR);
  };

  it("a caBundle that is overwritten is repaired, and a rotation under way waits anew", () => {
    for (const seed of SEEDS) {
      const world = settled(seed, 2);
      watched(world, seed * HOUR);
      world.setBundle(["somebody-elses"]);
      repaired(world);
      assert.ok(world.bundle.ids.includes("somebody-elses"), "what is not ours was taken out");
    }
  });

  it("Secrets that are emptied, one or both, are filled anew", () => {
    for (const which of [["leaf"], ["authorities"], ["leaf", "authorities"]]) {
      const world = settled(2, 3);
      watched(world, 3 * HOUR);
      const { version } = world.authorities;
      if (which.includes("authorities")) world.authorities = { version: version + 1, ids: [], retired: [] };
      if (which.includes("leaf"))
        world.leaf = { version: world.leaf.version + 1, leaf: undefined, issued: {} };
      repaired(world);
    }
  });
});

describe("a clock that jumps", () => {
  for (const [name, jump] of Object.entries({
    forwards: 5 * MONTH,
    backwards: -5 * MONTH,
    "a day ahead": DAY,
  })) {
    it(`${name}: within a minute, all replicas serve what the API server accepts`, () => {
      for (const seed of SEEDS) {
        const world = settled(seed, 2);
        watched(world, seed * HOUR);
        world.now += jump;
        const at = world.monotonic;
        const isAccepted = () =>
          world.replicas.every(
            ({ state: { served } }) =>
              served !== undefined &&
              isValidAt(served, world.now) &&
              world.bundle.ids.includes(served.issuer),
          );
        world.calm = true; // what is measured is the waiting of our own
        for (const actor of world.replicas.flatMap(({ actors }) => actors)) {
          actor.until = Math.min(actor.until, at + 30_000 * world.random());
        }
        while (!isAccepted()) {
          world.step();
          assert.ok(world.monotonic - at < 60_000, "not within a minute");
        }
        settle(world);
        watched(world, HOUR);
      }
    });
  }

  it("to and fro leaves no more than a handful of authorities", () => {
    const world = settled(1, 2);
    for (let round = 0; round < 40; round++) {
      world.now += round % 2 === 0 ? 7 * MONTH : -7 * MONTH;
      settle(world);
    }
    assert.ok(world.authorities.ids.length <= 8, `${world.authorities.ids.length}`);
  });
});

it("what is made for a time is replaced after two thirds of it", () => {
  assert.equal(renewAt({ notBefore: 300, notAfter: 600 }), 500);
});

function crash(replica: Replica | undefined): void {
  replica?.restart();
}

/** A replica that just started serves nothing, and is not ready, until it has read the Secrets. */
function settleRestarted(world: World): void {
  while (world.replicas.some(({ state }) => state.served === undefined)) world.step();
}
