import assert from "node:assert/strict";
import { test } from "node:test";
import { proven } from "../../../../src/sidecar/reload/outcome.ts";
import {
  judge,
  judgeWithDcs,
  LEFT_OUT,
  type Shown,
  unproven,
} from "../../../../src/sidecar/reload/postgres/evidence.ts";
import { readingOf } from "../../../../src/sidecar/reload/versions/source.ts";

const shown = (changes: Partial<Shown> = {}): Shown => ({
  reloaded: true,
  marker: undefined,
  errors: [],
  pendingRestart: [],
  ...changes,
});
const FAULT = { file: "f", line: 1, message: "m", setting: "work_mem" };

/** What is shown, whether the marker is needed, and what is said: now, and once the time is over. */
const CASES: readonly (readonly [string, Shown, boolean, string | undefined, string])[] = [
  ["nothing was loaded", shown({ reloaded: false }), false, undefined, "reload-unproven"],
  [
    "nothing was loaded, old faults",
    shown({ reloaded: false, errors: [FAULT] }),
    false,
    undefined,
    "configuration-invalid",
  ],
  [
    "nothing was loaded, the marker is there",
    shown({ reloaded: false, marker: "7" }),
    false,
    undefined,
    "reload-unproven",
  ],
  ["loaded", shown(), false, "load-time", "reload-unproven"],
  ["loaded, and the DCS asks for the marker", shown(), true, undefined, "reload-unproven"],
  ["loaded with the marker", shown({ marker: "7" }), true, "marker", "reload-unproven"],
  ["loaded with another marker", shown({ marker: "6" }), false, undefined, "reload-unproven"],
  [
    "loaded with a fault",
    shown({ errors: [FAULT] }),
    false,
    "configuration-invalid",
    "configuration-invalid",
  ],
  [
    "loaded with a fault and the marker",
    shown({ errors: [FAULT], marker: "7" }),
    true,
    "configuration-invalid",
    "configuration-invalid",
  ],
  [
    "loaded, to be restarted",
    shown({ errors: [FAULT], pendingRestart: ["work_mem"] }),
    false,
    "load-time",
    "reload-unproven",
  ],
];
for (const [what, seen, needsMarker, now, atTheEnd] of CASES) {
  test(`evidence: ${what}`, () => {
    const outcome = judge(seen, 7, needsMarker);
    const said = outcome?.kind === "proven" ? outcome.success.proof : outcome?.failure.problem;
    assert.equal(said, now);
    const end = unproven(seen, 7);
    assert.equal(end.kind === "failed" && end.failure.problem, atTheEnd);
  });
}

test("what Patroni leaves out of a member's own configuration is never seen", () => {
  for (const marker of [undefined, "7"]) {
    const outcome = judge(shown({ marker }), 7, false);
    assert.deepEqual(outcome?.kind === "proven" && outcome.success.unverified, [LEFT_OUT]);
  }
  const ofDcs = judge(shown({ marker: "7" }), 7, true);
  assert.deepEqual(ofDcs?.kind === "proven" && ofDcs.success.unverified, []);
});

test("the DCS: a fault counts once nothing older is to be seen; what is decided elsewhere is told", () => {
  const marker = proven("marker", ["shared_buffers"]);
  const fault = { faults: ["f"], unverified: ["u"] };
  assert.equal(judgeWithDcs(marker, fault, false), undefined);
  const invalid = judgeWithDcs(marker, fault, true);
  assert.deepEqual(invalid?.kind === "failed" && invalid.failure.errors, [
    { file: undefined, line: undefined, message: "f" },
  ]);
  assert.deepEqual(
    judgeWithDcs(marker, { faults: [], unverified: ["u"] }, false),
    proven("marker", ["shared_buffers"], ["u"]),
  );
  const gone = judgeWithDcs(marker, undefined, false);
  assert.equal(gone?.kind === "failed" && gone.failure.problem, "reload-unproven");
});

const READINGS: readonly (readonly [string, number | RegExp])[] = [
  ["42\n", 42],
  [" 007 ", 7],
  ["0", 0],
  ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ["9007199254740993", /no version/],
  ["", /empty/],
  ["-1", /no version/],
  ["1e3", /no version/],
  ["v1", /no version/],
  ["1\n2", /no version/],
];
for (const [text, expected] of READINGS) {
  test(`a version's text ${JSON.stringify(text)}`, () => {
    const reading = readingOf(text, "here");
    if (typeof expected === "number") assert.deepEqual(reading, { kind: "version", version: expected });
    else assert.match(reading.kind === "none" ? reading.why : "", expected);
  });
}
