import assert from "node:assert/strict";
import { test } from "node:test";
import { SIDECAR_METRICS, SidecarMetrics } from "../../../src/sidecar/metrics.ts";

const NAME = "patroni_injector_sidecar_";
const LINE = /^patroni_injector_sidecar_[a-z_]+(\{[a-z]+="(\\.|[^"\\\n])*"\})? -?[0-9.e+-]+$/;

test("every metric has its help and type, and every line is of the text format", () => {
  const metrics = new SidecarMetrics();
  metrics.add("api_answers_total", 1, { code: "200" });
  metrics.add("api_answers_total", 2, { code: "200" });
  metrics.add("api_answers_total", 1, { code: "0" });
  metrics.set("timeline", 3);
  metrics.observePublication(0.2);
  const lines = metrics.text().trimEnd().split("\n");
  for (const [name, [type, help]] of Object.entries(SIDECAR_METRICS)) {
    assert.ok(lines.includes(`# HELP ${NAME}${name} ${help}`));
    assert.ok(lines.includes(`# TYPE ${NAME}${name} ${type}`));
  }
  for (const line of lines.filter((candidate) => !candidate.startsWith("#"))) {
    assert.match(line.replace('le="+Inf"', 'le="1"'), LINE);
  }
  assert.ok(lines.includes(`${NAME}api_answers_total{code="200"} 3`));
  assert.ok(lines.includes(`${NAME}api_answers_total{code="0"} 1`));
  assert.ok(lines.includes(`${NAME}timeline 3`));
});

test("one role is 1 and those before it are 0", () => {
  const metrics = new SidecarMetrics();
  metrics.choose("role", { role: "replica" });
  metrics.choose("role", { role: "primary" });
  assert.match(metrics.text(), /role\{role="replica"\} 0\n.*role\{role="primary"\} 1\n/);
});

test("what Patroni says is escaped", () => {
  const metrics = new SidecarMetrics();
  metrics.choose("role", { role: 'a"b\\c\nd' });
  assert.ok(metrics.text().includes(`${NAME}role{role="a\\"b\\\\c\\nd"} 1\n`));
});

test("the histogram counts up to each bound, and the gauge keeps the last", () => {
  const metrics = new SidecarMetrics();
  for (const seconds of [0.04, 0.2, 0.25, 40]) metrics.observePublication(seconds);
  const text = metrics.text();
  for (const [bound, count] of [
    ["0.05", 1],
    ["0.1", 1],
    ["0.25", 3],
    ["30", 3],
    ["+Inf", 4],
  ])
    assert.ok(text.includes(`${NAME}publish_seconds_bucket{le="${bound}"} ${count}\n`), `le ${bound}`);
  assert.ok(text.includes(`${NAME}publish_seconds_count 4\n`));
  assert.ok(text.includes(`${NAME}publish_latency_seconds 40\n`));
});
