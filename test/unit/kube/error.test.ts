import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isForbidden, isTerminating, KubeError } from "../../../src/kube/error.ts";

describe("an answer of the API server", () => {
  const causes = ["NamespaceTerminating"];
  const ROWS: readonly [what: string, error: unknown, forbidden: boolean, terminating: boolean][] = [
    ["nobody may, for the namespace is going", new KubeError("", { code: 403, causes }), true, true],
    ["we may not", new KubeError("", { code: 403 }), true, false],
    ["another cause", new KubeError("", { code: 403, causes: ["FieldValueInvalid"] }), true, false],
    ["another code", new KubeError("", { code: 409, causes }), false, false],
    ["no answer", new Error("NamespaceTerminating"), false, false],
  ];
  for (const [what, error, forbidden, terminating] of ROWS) {
    it(what, () => {
      assert.equal(isForbidden(error), forbidden);
      assert.equal(isTerminating(error), terminating);
    });
  }
});
