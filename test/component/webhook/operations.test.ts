import assert from "node:assert/strict";
import { describe, it } from "node:test";
import supertest from "supertest";
import type { ReviewRecord } from "../../../src/injection/review.ts";
import { METRICS } from "../../../src/telemetry/catalog.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { observeProcess } from "../../../src/telemetry/process.ts";
import { createOperationsApp } from "../../../src/webhook/operations.ts";
import { RecentDecisions } from "../../../src/webhook/recent.ts";

const REVIEW: ReviewRecord = {
  ...{ uid: "u", namespace: "db", name: "pg-0", mode: "audit", dryRun: false },
  ...{ decision: "inject", reason: "injected", notes: [], applied: ["sidecar"], patchOperations: 1 },
};

function appMissing(...missing: string[]) {
  const metrics = createMetrics();
  const observer = observeProcess(metrics);
  observer.stop();
  const recent = new RecentDecisions(() => Date.UTC(2026, 0, 1));
  recent.keep(REVIEW);
  return createOperationsApp({
    missing: () => missing,
    beforeScrape: observer.update,
    metrics,
    decisions: () => recent.told(),
  });
}

describe("the operations port", () => {
  it("says that the process turns, whatever is missing", async () => {
    await supertest(appMissing("certificate")).get("/healthz").expect(200, { status: "ok" });
  });

  it("is ready when nothing is missing", async () => {
    await supertest(appMissing()).get("/readyz").expect(200, { status: "ok" });
  });

  it("says what is missing", async () => {
    await supertest(appMissing("draining", "caches"))
      .get("/readyz")
      .expect(503, { status: "not ready", missing: ["draining", "caches"] });
  });

  it("tells what namespaces in audit mode would have got, by names and reasons only", async () => {
    const at = "2026-01-01T00:00:00.000Z";
    const told = { at, namespace: "db", name: "pg-0", decision: "inject", reason: "injected" };
    await supertest(appMissing())
      .get("/decisions")
      .expect(200, { since: at, decisions: [told] });
  });

  it("says what it knows where asked for anything else", async () => {
    await supertest(appMissing()).get("/").expect(404);
  });

  it("tells every documented metric, in Prometheus' format", async () => {
    const { text } = await supertest(appMissing())
      .get("/metrics")
      .expect(200)
      .expect("Content-Type", /^text\/plain; version=0\.0\.4/);
    for (const { name, kind } of Object.values(METRICS)) {
      assert.match(text, new RegExp(`^# TYPE ${name} ${kind}$`, "m"));
    }
    assert.match(text, /^patroni_injector_build_info\{version="[^"]+",node_version="[^"]+"\} 1$/m);
    assert.match(text, /^process_resident_memory_bytes [1-9]\d{6,}$/m);
    assert.match(text, /^process_cpu_seconds_total (?!0$)[0-9.]+$/m);
  });
});
