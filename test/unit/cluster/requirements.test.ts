import assert from "node:assert/strict";
import { test } from "node:test";
import { explain, missingRequirements, REQUIREMENTS } from "../../cluster/requirements.ts";

test("what is there is not missing, and every package that is missing is named with its purpose", () => {
  const [first, ...rest] = REQUIREMENTS;
  assert.ok(first);
  assert.deepEqual(
    missingRequirements(() => true),
    [],
  );
  assert.deepEqual(
    missingRequirements((proof) => proof === first.proof),
    rest,
  );
  const lines = explain(rest).split("\n").slice(1);
  assert.deepEqual(
    lines,
    rest.map(({ package: name, proof, purpose }) => `  ${name}: ${proof}, which ${purpose}`),
  );
});
