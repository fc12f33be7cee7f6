import assert from "node:assert/strict";
import { test } from "node:test";
import { FINDINGS, SEVERITIES } from "../../../src/contract/findings.ts";
import { REASONS } from "../../../src/contract/reasons.ts";
import { severityOf } from "../../../src/controller/severity.ts";
import type { Finding } from "../../../src/controller/view.ts";

const reasons = [
  ...Object.entries(REASONS).flatMap(([reason, { level }]) => (level === "cluster" ? [reason] : [])),
  "sidecar-suspended",
] as Finding["reason"][];

test("every reason of the controller has a severity, and an audit's code its own", () => {
  for (const reason of reasons) {
    const severity = severityOf(reason);
    assert.ok(SEVERITIES.includes(severity), reason);
    if (reason in FINDINGS) assert.equal(severity, FINDINGS[reason as keyof typeof FINDINGS].severity);
  }
  assert.deepEqual((["service-occupied", "shared-serviceaccount", "term-refused"] as const).map(severityOf), [
    "error",
    "warning",
    "error",
  ]);
});
