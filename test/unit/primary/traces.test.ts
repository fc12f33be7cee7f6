import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../../src/json/value.ts";
import { readStatus } from "../../../src/patroni/status.ts";
import { decide } from "../../../src/primary/decide.ts";
import { publishedAddresses, readSlice, withoutPod, withPod } from "../../../src/primary/slice.ts";
import { type Observation, standingOf } from "../../../src/primary/standing.ts";
import { bodyOf, readTrace, type TraceLine, type TraceName } from "../../fixtures/traces.ts";

/** The rule alone, with writers that see and write everything at once: whom the slice shows, in order. */
const EXPECTED: Readonly<Record<TraceName, readonly string[]>> = {
  switchover: ["pg-1", "", "pg-0"],
  "kill-postgres": ["pg-0"],
  "delete-pod": ["pg-0", "", "pg-2"],
  freeze: ["pg-2", "pg-0"],
};

function observationOf(line: TraceLine): Observation {
  const { code, t: sentAt } = line;
  if (typeof code === "number") return { kind: "answered", sentAt, status: readStatus(code, bodyOf(line)) };
  // In the recordings a port that refuses belongs to a pod that is gone, PostgreSQL with it.
  if (code === "ECONNREFUSED") return { kind: "refused", sentAt, postgres: "refused" };
  return { kind: "silent", sentAt, error: String(code) };
}

for (const [name, expected] of Object.entries(EXPECTED)) {
  test(`${name}: the rule shows ${expected.map((pod) => pod || "nobody").join(", then ")}`, () => {
    let slice: JsonObject = { metadata: {}, endpoints: [] };
    const shown: string[] = [];
    for (const line of readTrace(name as TraceName)) {
      if (line.what !== "primary" || line.pod === undefined) continue;
      const standing = standingOf(observationOf(line));
      const pod = { namespace: "db", name: line.pod, uid: line.pod, address: line.pod, nodeName: "node" };
      const verdict = decide({
        pod,
        slice: readSlice(slice),
        standing,
        namedForMs: 0,
        ttlMs: 30_000,
        mustProve: false,
      });
      if (verdict.kind === "publish") slice = withPod(slice, pod, verdict.term);
      if (verdict.kind === "withdraw") slice = withoutPod(slice, pod);
      assert.notEqual(verdict.kind, "term-refused", `at ${line.t} ms`);
      const now = publishedAddresses(slice).join(" and ");
      if (now !== (shown.at(-1) ?? "")) shown.push(now);
      if (now === line.pod)
        assert.notEqual(standing.kind, "lost", `${now} is shown at ${line.t} ms and leaves`);
    }
    assert.deepEqual(shown, expected);
  });
}
