import assert from "node:assert/strict";
import { test } from "node:test";
import { sumOf } from "../../e2e/analysis/metrics.ts";

const TEXT = `# HELP pods Pods.
# TYPE pods gauge
pods{namespace="db",reason="old"} 2
pods{namespace="db",reason="missing"} 1
pods{target_namespace="db",reason="missing"} 64
pods_total{namespace="db",reason="missing"} 32
up 1
`;

test("a metric is summed over the samples that carry the labels", () => {
  assert.equal(sumOf(TEXT, "pods", { namespace: "db" }), 3);
  assert.equal(sumOf(TEXT, "pods", { reason: "missing", namespace: "db" }), 1);
  assert.equal(sumOf(TEXT, "up", {}), 1);
  assert.equal(sumOf(TEXT, "absent", {}), 0);
});
