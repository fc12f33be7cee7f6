import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AuditEntry } from "../../../demo/kube-api/audit.ts";
import { restsOn } from "../../../demo/kube-api/rests-on.ts";
import { tallyWrites } from "../../chaos/leaders/writes.ts";

describe("the version that a write rests on", () => {
  const ROWS: readonly (readonly [what: string, body: string, version: string | undefined])[] = [
    ["an object", '{"metadata":{"resourceVersion":"7"}}', "7"],
    ["a deletion's precondition", '{"preconditions":{"uid":"u","resourceVersion":"7"}}', "7"],
    ["a JSON patch's test", '[{"op":"test","path":"/metadata/resourceVersion","value":"7"}]', "7"],
    ["a JSON patch that sets it", '[{"op":"add","path":"/metadata/resourceVersion","value":"7"}]', undefined],
    [
      "a JSON patch's test of something else",
      '[{"op":"test","path":"/metadata/name","value":"7"}]',
      undefined,
    ],
    ["an object without one", '{"metadata":{"name":"a"}}', undefined],
    ["an empty one", '{"metadata":{"resourceVersion":""}}', undefined],
    ["zero, which means any", '{"metadata":{"resourceVersion":"0"}}', undefined],
    ["no body", "", undefined],
    ["a body that is no JSON", "{", undefined],
  ];
  for (const [what, body, version] of ROWS)
    it(`is read from ${what}`, () => assert.equal(restsOn(body), version));
});

describe("the tally of leaders' writes", () => {
  const entry = (changes: Partial<AuditEntry>): AuditEntry => ({
    time: 0,
    user: "one",
    verb: "update",
    resource: "services",
    namespace: "shop",
    name: "orders",
    dryRun: false,
    code: 200,
    restsOn: "7",
    annotations: {},
    ...changes,
  });
  const tally = (...changes: Partial<AuditEntry>[]) => tallyWrites(changes.map(entry), ["one", "two"]);

  it("finds every write to an object that rests on no version of it, landed or refused", () => {
    for (const verb of ["update", "patch", "delete", "deletecollection"]) {
      const { blind } = tally(
        { verb, restsOn: undefined },
        { verb, restsOn: undefined, code: 409 },
        { verb },
      );
      assert.equal(blind.length, 2, verb);
    }
  });

  it("takes no offence at what creates, reads, or is somebody else's", () => {
    const { blind, landed } = tally(
      { verb: "create", restsOn: undefined },
      { verb: "get", restsOn: undefined },
      { user: "somebody", restsOn: undefined },
    );
    assert.deepEqual(blind, []);
    assert.deepEqual([...landed], [["services", 1]]);
  });

  it("counts what would have landed over something newer, by kind", () => {
    const { landed, refused } = tally(
      {},
      { code: 409 },
      { code: 422, resource: "roles" },
      { verb: "create", code: 409 },
    );
    assert.deepEqual([...landed], [["services", 1]]);
    assert.deepEqual(
      [...refused],
      [
        ["services", 1],
        ["roles", 1],
      ],
    );
  });
});
