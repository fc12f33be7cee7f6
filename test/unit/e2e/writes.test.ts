import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  countOutcomes,
  fromFormerServers,
  longestGap,
  lostNumbers,
  parseWrites,
  type Write,
} from "../../e2e/analysis/writes.ts";

/** A write that `server` acknowledged at `endedMs`. */
const acknowledged = (n: number, endedMs: number, server = "10.0.0.1"): Write => ({
  n,
  sentMs: endedMs - 2,
  endedMs,
  outcome: "acknowledged",
  server,
});

const failed = (
  n: number,
  endedMs: number,
  outcome: "before" | "refused" | "unknown",
  error = "",
): Write => ({
  n,
  sentMs: endedMs - 1000,
  endedMs,
  outcome,
  error,
});

describe("the log of the counter client", () => {
  test("says of each number what became of it", () => {
    const log = [
      '{"n": 1, "sent": 1000.5, "ms": 2.5, "server": "10.0.0.1"}',
      '{"n": 2, "sent": 1020, "ms": 1000, "lost": "unknown", "error": "time out"}',
      "",
    ].join("\n");
    assert.deepEqual(parseWrites(log), [
      { n: 1, sentMs: 1000.5, endedMs: 1003, outcome: "acknowledged", server: "10.0.0.1" },
      { n: 2, sentMs: 1020, endedMs: 2020, outcome: "unknown", error: "time out" },
    ]);
  });

  for (const line of [
    '{"n": 1, "sent": 5, "ms": 1}',
    '{"n": "1", "sent": 5, "ms": 1, "server": "a"}',
    "[]",
    "null",
  ]) {
    test(`is refused, not guessed at, where a line is ${line}`, () => {
      assert.throws(() => parseWrites(line), /not a line of the counter client/);
    });
  }
});

describe("the time without an acknowledged write", () => {
  const cases: readonly [
    what: string,
    writes: readonly Write[],
    expected: readonly [from: number, to: number] | undefined,
  ][] = [
    ["is unknown where nothing was acknowledged", [failed(1, 1000, "before")], undefined],
    ["is zero after a single write", [acknowledged(1, 100)], [100, 100]],
    [
      "lies between two acknowledgements, whatever failed meanwhile",
      [acknowledged(1, 100), failed(2, 1100, "unknown"), acknowledged(3, 1150), acknowledged(4, 1170)],
      [100, 1150],
    ],
    [
      "does not end where the record ends without a write",
      [acknowledged(1, 100), acknowledged(2, 120), failed(3, 1120, "before"), failed(4, 2120, "before")],
      [120, 2120],
    ],
  ];
  for (const [what, writes, expected] of cases) {
    test(what, () => {
      const gap = longestGap(writes);
      assert.deepEqual(gap && [gap.fromMs, gap.toMs], expected);
      if (gap !== undefined) assert.equal(gap.ms, gap.toMs - gap.fromMs);
    });
  }
});

describe("lost numbers", () => {
  test("are those that were acknowledged and are not stored, and no others", () => {
    const writes = [
      acknowledged(1, 100),
      acknowledged(2, 120),
      failed(3, 1120, "unknown"),
      failed(4, 1200, "refused"),
      acknowledged(5, 1300),
    ];
    assert.deepEqual(lostNumbers(writes, new Set([1, 3])), [2, 5]);
  });
});

describe("writes from a former server", () => {
  test("are none where one takes the other's place", () => {
    const writes = [
      acknowledged(1, 1, "a"),
      failed(2, 2, "unknown"),
      acknowledged(3, 3, "b"),
      acknowledged(4, 4, "b"),
    ];
    assert.deepEqual(fromFormerServers(writes), []);
  });

  test("are those that the first acknowledges after the second has", () => {
    const writes = [
      acknowledged(1, 1, "a"),
      acknowledged(2, 2, "b"),
      acknowledged(3, 3, "a"),
      acknowledged(4, 4, "b"),
    ];
    assert.deepEqual(
      fromFormerServers(writes).map(({ n }) => n),
      [3, 4],
    );
  });
});

describe("outcomes", () => {
  test("are counted by kind; a read-only server by its SQLSTATE", () => {
    const writes = [
      acknowledged(1, 1),
      failed(2, 2, "before", "connection refused"),
      failed(3, 3, "refused", "25006 ERROR: cannot execute INSERT in a read-only transaction"),
      failed(4, 4, "refused", "53300 FATAL: sorry, too many clients already"),
      failed(5, 5, "unknown", "time out"),
    ];
    assert.deepEqual(countOutcomes(writes), {
      acknowledged: 1,
      before: 1,
      refused: 2,
      unknown: 1,
      readOnly: 1,
    });
  });
});
