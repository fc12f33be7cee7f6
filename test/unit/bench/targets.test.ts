import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Figures } from "../../../bench/webhook/measure.ts";
import { compare, type Outcome, summarize } from "../../../bench/webhook/results.ts";
import { judge } from "../../../bench/webhook/targets.ts";

const FIGURES: Figures = {
  perSecond: 500,
  p50: 0.2,
  p99: 1,
  max: 2,
  cpuMicros: 100,
  residentMb: 100,
  waitedPercent: 0,
  clientBusyPercent: 50,
  clientLateP99: 0,
};

type Round = Outcome["rounds"][number];

/** One round in which all did the same, but for what is given. */
const round = (own: Partial<Figures>, echo: Partial<Figures> = {}): Round => ({
  echo: { ...FIGURES, ...echo },
  express: FIGURES,
  injector: { ...FIGURES, ...own },
});

const verdicts = (load: "500/s" | "16 connections", ...rounds: Round[]) => {
  const outcome: Outcome = { scenario: { pod: "10 KB pod", load }, rounds };
  const all = judge(summarize(outcome), compare(outcome));
  return Object.fromEntries(all.map(({ target, verdict }) => [target.what, verdict]));
};

describe("a target", () => {
  test("holds at its limit", () =>
    assert.deepEqual(verdicts("500/s", round({ p50: 1, p99: 5 })), {
      "latency, p50": "ok",
      "latency, p99": "ok",
    }));

  test("is missed beyond it", () =>
    assert.deepEqual(verdicts("500/s", round({ p50: 1.01, p99: 4 })), {
      "latency, p50": "missed",
      "latency, p99": "ok",
    }));

  test("is unclear where the bare echo did not hold it either", () =>
    assert.equal(verdicts("500/s", round({ p99: 6 }, { p99: 5.5 }))["latency, p99"], "unclear"));

  test("is ok even where the echo did not hold it", () =>
    assert.equal(verdicts("500/s", round({ p99: 4 }, { p99: 5.5 }))["latency, p99"], "ok"));

  test("is unclear where the server waited for its core, if it was not kept all the same", () =>
    assert.deepEqual(verdicts("500/s", round({ p50: 0.9, p99: 6, waitedPercent: 11 })), {
      "latency, p50": "ok",
      "latency, p99": "unclear",
    }));

  test("that compares is unclear where either of the two waited, whatever came out", () => {
    const waited = { ...round({}), express: { ...FIGURES, waitedPercent: 11 } };
    assert.equal(verdicts("16 connections", waited)["throughput of Express's"], "unclear");
    assert.equal(
      verdicts("16 connections", round({ waitedPercent: 11 }))["throughput of Express's"],
      "unclear",
    );
  });

  test("is judged by the median of the rounds", () =>
    assert.equal(
      verdicts("500/s", round({ p50: 9 }), round({ p50: 0.5 }), round({ p50: 0.6 }))["latency, p50"],
      "ok",
    ));

  test("is missed where it cannot be measured", () =>
    assert.equal(verdicts("16 connections", round({ cpuMicros: undefined }))["CPU a request"], "missed"));

  test("of a comparison counts the quotient of each round by itself", () => {
    const slow = { ...round({ perSecond: 80 }), express: { ...FIGURES, perSecond: 100 } };
    const fast = { ...round({ perSecond: 800 }), express: { ...FIGURES, perSecond: 1000 } };
    assert.equal(verdicts("16 connections", slow, fast, fast)["throughput of Express's"], "ok");
  });
});
