import assert from "node:assert/strict";
import { test } from "node:test";
import { explain, missingPackages, type Requirement } from "../../cluster/packages.ts";

const WANTED: readonly Requirement[] = [
  { package: "iproute2", proof: "ip", purpose: "makes the node's network" },
  { package: "gcc", proof: "gcc", purpose: "builds runc" },
];

test("what is there is not missing, and every package that is missing is named with its purpose", () => {
  assert.deepEqual(
    missingPackages(WANTED, () => true),
    [],
  );
  assert.deepEqual(
    missingPackages(WANTED, (proof) => proof === "ip"),
    WANTED.slice(1),
  );
  assert.equal(explain(WANTED.slice(1)), "Missing Debian packages:\n  gcc: gcc, which builds runc");
});
