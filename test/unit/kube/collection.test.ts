import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { JsonObject } from "../../../src/json/value.ts";
import { Collection } from "../../../src/kube/collection.ts";

const object = (namespace: string | undefined, name: string, value: number): JsonObject => ({
  metadata: namespace === undefined ? { name } : { namespace, name },
  value,
});
const collection = () => new Collection<number>(({ value }) => value as number);

describe("Collection", () => {
  it("keeps what is reduced of an object, and nothing else", () => {
    const kept = collection();
    kept.apply("ADDED", object("a", "x", 1));
    assert.equal(kept.get("a", "x"), 1);
    assert.deepEqual([...kept.values()], [1]);
  });

  it("tells namespaces apart, and objects without one", () => {
    const kept = collection();
    kept.apply("ADDED", object("a", "x", 1));
    kept.apply("ADDED", object("b", "x", 2));
    kept.apply("ADDED", object(undefined, "x", 3));
    assert.deepEqual([kept.get("a", "x"), kept.get("b", "x"), kept.get("", "x")], [1, 2, 3]);
  });

  it("forgets with a list what is not in it", () => {
    const kept = collection();
    kept.apply("ADDED", object("a", "gone", 1));
    kept.replace([kept.reduce(object("a", "new", 2))]);
    assert.deepEqual([kept.get("a", "gone"), kept.get("a", "new"), kept.size], [undefined, 2, 1]);
  });

  it("leaves everything as it is where an event is of another type", () => {
    const kept = collection();
    kept.apply("ADDED", object("a", "x", 1));
    kept.apply("SOMETHING", object("a", "x", 2));
    assert.equal(kept.get("a", "x"), 1);
  });

  it("takes a list of one namespace for what it is", () => {
    const kept = collection();
    const [one, other] = [kept.within("a"), kept.within("b")];
    one.replace([one.reduce(object("a", "x", 1))]);
    other.replace([other.reduce(object("b", "x", 2))]);
    one.replace([one.reduce(object("a", "y", 3))]);
    assert.deepEqual([kept.get("a", "x"), kept.get("a", "y"), kept.get("b", "x")], [undefined, 3, 2]);
    kept.within("").replace([]);
    assert.equal(kept.size, 0);
  });

  it("holds what a plain map would hold after any events and lists", () => {
    const name = fc.constantFrom("x", "y", "z");
    const thing = fc.record({ name, value: fc.integer() });
    const event = fc.record({ type: fc.constantFrom("ADDED", "MODIFIED", "DELETED"), thing });
    const list = fc.uniqueArray(thing, { selector: (entry) => entry.name });
    fc.assert(
      fc.property(fc.array(fc.oneof(event, list)), (steps) => {
        const kept = collection();
        let model = new Map<string, number>();
        for (const step of steps) {
          if (Array.isArray(step)) {
            kept.replace(step.map((entry) => kept.reduce(object("a", entry.name, entry.value))));
            model = new Map(step.map((entry) => [entry.name, entry.value]));
          } else {
            kept.apply(step.type, object("a", step.thing.name, step.thing.value));
            if (step.type === "DELETED") model.delete(step.thing.name);
            else model.set(step.thing.name, step.thing.value);
          }
        }
        assert.equal(kept.size, model.size);
        for (const key of ["x", "y", "z"]) assert.equal(kept.get("a", key), model.get(key));
      }),
    );
  });
});
