import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { Sharing } from "../../../../src/audit/collect/share.ts";
import { at, type Json } from "../../../../src/json/value.ts";
import { member } from "../world.ts";

const copyOf = <Value extends Json>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;

describe("parts of JSON values that are equal", () => {
  test("are one, within a value and between values", () => {
    const sharing = new Sharing();
    const [one, other] = [member(0), member(1)].map((pod) => sharing.share(copyOf(pod)));
    assert.notEqual(one, other);
    assert.notEqual(one?.metadata, other?.metadata);
    assert.equal(at(one, "spec", "containers"), at(other, "spec", "containers"));
    assert.equal(sharing.share(copyOf(member(0))), one);
  });

  test("are never taken for others: whatever comes out equals what went in", () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 20 }),
        fc.integer({ min: 0, max: 20 }),
        (values, atMost) => {
          const sharing = new Sharing(atMost);
          const texts = values.map((value) => JSON.stringify(value));
          const shared = texts.map((text) => sharing.share(JSON.parse(text) as Json));
          assert.deepEqual(
            shared.map((value) => JSON.stringify(value)),
            texts,
          );
        },
      ),
    );
  });

  test("are not confused by what only looks alike", () => {
    const alike = ["1", 1, true, "true", null, "null", [], {}, "", [1], { 1: 1 }, [[1]], ["1"], ["0", 0]];
    const proto = JSON.parse('{"__proto__":{"a":1},"a":1}') as Json;
    const sharing = new Sharing();
    for (const value of [...alike, [...alike], proto, { proto }] as Json[])
      assert.equal(JSON.stringify(sharing.share(copyOf(value))), JSON.stringify(value));
  });

  test("are forgotten beyond the bound", () => {
    const sharing = new Sharing(2);
    const first = sharing.share({ a: { b: 1 } });
    sharing.share([1, 2, 3, 4]);
    assert.notEqual(sharing.share({ a: { b: 1 } }), first);
  });
});
