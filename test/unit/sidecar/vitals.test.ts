import assert from "node:assert/strict";
import { test } from "node:test";
import { SidecarMetrics } from "../../../src/sidecar/metrics.ts";
import { Vitals } from "../../../src/sidecar/vitals.ts";
import { answered } from "./world.ts";

const patroni = { version: "4.1.5" };

test("streaming goes with the role: a primary that was a standby no longer says it", () => {
  const metrics = new SidecarMetrics();
  const vitals = new Vitals(metrics);
  const shown = (): string | undefined =>
    /^patroni_injector_sidecar_streaming (\d)$/m.exec(metrics.text())?.[1];
  vitals.observed(answered(503, "replica", "running", { patroni, replication_state: "streaming" }), 1);
  assert.equal(shown(), "1");
  vitals.observed(answered(503, "replica", "running", { patroni }), 2);
  assert.equal(shown(), "0");
  vitals.observed(answered(200, "primary", "running", { patroni }), 3);
  assert.equal(shown(), undefined);
});
