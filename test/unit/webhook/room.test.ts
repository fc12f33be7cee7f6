import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Room, type Share } from "../../../src/webhook/room.ts";

function enter(room: Room, dropped: string[], name: string): Share {
  const share = room.enter(() => {
    dropped.push(name);
    share.leave();
  });
  return share;
}

describe("room for bodies", () => {
  it("drops the body that has been coming for the longest time", () => {
    const room = new Room(100);
    const dropped: string[] = [];
    const [slow, fast] = [enter(room, dropped, "slow"), enter(room, dropped, "fast")];
    assert.equal(slow.add(60), true);
    assert.equal(fast.add(60), true);
    assert.deepEqual(dropped, ["slow"]);
    assert.equal(room.taken, 60);
  });

  it("takes nothing away from bodies that are whole", () => {
    const room = new Room(100);
    const dropped: string[] = [];
    const [whole, late] = [enter(room, dropped, "whole"), enter(room, dropped, "late")];
    whole.add(60);
    whole.keep();
    assert.equal(late.add(60), false);
    assert.deepEqual(dropped, []);
    late.leave();
    whole.leave();
    assert.equal(room.taken, 0);
  });

  it("never keeps more than its limit once what finds no room has left, and is empty when all have", () => {
    const steps = fc.array(
      fc.record({ body: fc.nat(5), act: fc.constantFrom("add", "keep", "leave"), bytes: fc.nat(50) }),
    );
    fc.assert(
      fc.property(steps, (sequence) => {
        const room = new Room(100);
        const shares = new Map<number, Share>();
        for (const { body, act, bytes } of sequence) {
          let share = shares.get(body);
          if (share === undefined) {
            const entered = room.enter(() => {
              shares.delete(body);
              entered.leave();
            });
            share = entered;
            shares.set(body, share);
          }
          if (act === "keep") share.keep();
          if (act === "leave" || (act === "add" && !share.add(bytes))) {
            share.leave();
            shares.delete(body);
          }
          assert.ok(room.taken <= 100);
        }
        for (const share of shares.values()) share.leave();
        assert.equal(room.taken, 0);
      }),
    );
  });
});
