import assert from "node:assert/strict";
import { test } from "node:test";
import type { Verdict } from "../../../src/primary/decide.ts";
import type { RoundResult } from "../../../src/primary/round.ts";
import { type Observation, standingOf } from "../../../src/primary/standing.ts";
import { ApiProblem } from "../../../src/sidecar/api-object.ts";
import { Journal } from "../../../src/sidecar/journal.ts";
import { Log } from "../../../src/sidecar/log.ts";
import { answered } from "./world.ts";

interface Line {
  readonly level: string;
  readonly msg: string;
}

class Told {
  readonly lines: Line[] = [];
  readonly journal = new Journal(new Log("info", (line) => void this.lines.push(JSON.parse(line))), "db/pg");

  observe(observation: Observation, now: number, published = false): void {
    this.journal.observed(observation, standingOf(observation), published, now);
  }

  round(result: RoundResult, now = 0): void {
    this.journal.round(result, "10.0.0.1", 120.4, now);
  }

  /** What was said since the last call. */
  get said(): string[] {
    return this.lines.splice(0).map(({ msg }) => msg);
  }
}

const REPLICA = answered(503, "replica", "running");
const PRIMARY = answered(200, "primary", "running");
const SILENT: Observation = { kind: "silent", sentAt: 0, error: "nothing in 1000 ms" };
const SLICE = {
  prefix: "/apis/discovery.k8s.io/v1",
  resource: "endpointslices",
  namespace: "db",
  name: "pg",
};
const answer = (code: number, problem: string) => ({
  code,
  problem,
  body: {},
  retryAfterMs: 0,
  expired: false,
});
const failed = (verb: string, code: number, problem: string): RoundResult => ({
  kind: "failed",
  during: "read",
  error: new ApiProblem(verb, SLICE, answer(code, problem)),
});
const publish: Verdict = { kind: "publish", term: { system: "7", timeline: 4 } };
const published: RoundResult = { kind: "wrote", verdict: publish, observation: PRIMARY };
const rested: RoundResult = { kind: "rested", verdict: { kind: "rest", why: "published" } };

test("a change of the role is told once, in the same word for every version", () => {
  const told = new Told();
  for (let now = 0; now < 10; now++) told.observe(REPLICA, now);
  told.observe(answered(200, "master", "running"), 20);
  told.observe(PRIMARY, 21);
  told.observe(answered(200, undefined, "starting"), 22, true);
  told.observe(PRIMARY, 23);
  assert.deepEqual(told.said, ["this member is replica", "this member is primary"]);
});

test("waiting is told when it begins, when its cause changes, once a minute, and when it is over", () => {
  const told = new Told();
  const refused: Observation = { kind: "refused", sentAt: 0, postgres: "refused" };
  for (let now = 0; now <= 60_000; now += 1000) told.journal.waiting(refused, now);
  const gone = "waiting for Patroni: its port refuses connections, and so does PostgreSQL's";
  assert.deepEqual(told.said, [gone, gone]);
  told.journal.waiting(answered(503, "uninitialized", "creating replica"), 61_000);
  assert.deepEqual(told.said, [
    "waiting for Patroni: PostgreSQL does not run yet (503, state creating replica)",
  ]);
  told.observe(REPLICA, 62_000);
  assert.deepEqual(told.said, ["Patroni answers, and PostgreSQL runs", "this member is replica"]);
});

test("an outage of Patroni is told when it begins and when it ends", () => {
  const told = new Told();
  told.observe(PRIMARY, 0, true);
  for (let now = 1; now < 5; now++) told.observe(SILENT, now, true);
  told.observe(PRIMARY, 9, true);
  assert.deepEqual(told.said, [
    "this member is primary",
    "Patroni does not answer: nothing in 1000 ms",
    "Patroni answers again",
  ]);
});

test("a promotion is not told as a reason not to publish; a lease without a primary that lasts is", () => {
  const told = new Told();
  told.observe(answered(200, "replica", "running"), 0);
  told.observe(answered(200, "replica", "running"), 160);
  told.observe(PRIMARY, 200);
  assert.deepEqual(told.said, ["this member is replica", "this member is primary"]);
  for (let now = 1000; now < 4000; now += 50) told.observe(answered(200, "primary", "starting"), now);
  assert.deepEqual(told.said, [
    "not published, though this member holds the lease: 200, role primary, state starting",
  ]);
});

test("a publication is told with address, term and time; a rest is not, but for the first", () => {
  const told = new Told();
  told.round(published);
  const [line] = told.lines.splice(0);
  assert.deepEqual(
    { ...line, time: "" },
    { level: "info", time: "", msg: "published", address: "10.0.0.1", term: "7/4", tookMs: 120 },
  );
  told.round(rested);
  assert.deepEqual(told.said, []);
  const restarted = new Told();
  restarted.round(rested);
  restarted.round(rested);
  assert.deepEqual(restarted.said, ["published already"]);
});

test("a withdrawal is told with its reason", () => {
  const told = new Told();
  told.round({
    kind: "wrote",
    verdict: { kind: "withdraw", why: "503, role demoted, state stopped" },
    observation: REPLICA,
  });
  assert.match(JSON.stringify(told.lines), /withdrawn.*503, role demoted, state stopped/);
});

test("a missing permission is told with verb and object", () => {
  const told = new Told();
  told.round(failed("get", 403, "no rule"));
  told.round(failed("update", 403, "no rule"));
  const watch = new ApiProblem("watch", SLICE, answer(403, "Forbidden"));
  told.journal.watchBroken("slice", watch, 0);
  told.journal.watchBroken("slice", watch, 10);
  told.journal.watchHeard("slice");
  assert.deepEqual(told.said, [
    "permission missing: this pod's ServiceAccount may not get endpointslices db/pg (no rule)",
    "permission missing: this pod's ServiceAccount may not update endpointslices db/pg (no rule)",
    "permission missing: this pod's ServiceAccount may not watch endpointslices db/pg (Forbidden)",
    "the slice can be watched",
  ]);
});

test("watches that come and go are not told", () => {
  const told = new Told();
  told.journal.watchBroken("slice", new Error("socket hang up"), 0);
  told.journal.watchHeard("slice");
  assert.deepEqual(told.said, []);
});

test("a slice that is not there is told once, whether a read or a write finds it so", () => {
  const told = new Told();
  told.round({ kind: "no-slice" });
  told.round(failed("update", 404, "not found"));
  told.round(published);
  assert.deepEqual(told.said, [
    "EndpointSlice db/pg does not exist: waiting for the controller to make it",
    "EndpointSlice db/pg can be read and written again",
    "published",
  ]);
});

test("a refused term is told with both terms, once a minute", () => {
  const told = new Told();
  const refused: RoundResult = {
    kind: "rested",
    verdict: {
      kind: "term-refused",
      offered: { system: "7", timeline: 1 },
      current: { system: "7", timeline: 9 },
    },
  };
  for (const now of [0, 5000, 59_999, 60_000]) told.round(refused, now);
  const text = "not published: term 7/1 is of a lower timeline, or of another system, than the slice's 7/9";
  assert.deepEqual(told.said, [text, text]);
});
