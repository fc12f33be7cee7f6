import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { REPLICATION } from "../../../../src/audit/checks/replication.ts";
import type { MemberAnswers } from "../../../../src/audit/snapshot.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { audited, codesOf, member, namespace, object, statefulSet } from "../world.ts";

const HBA = ["host replication all all md5", "host all all all md5"];

/** What Patroni keeps in the cluster's objects, with Kubernetes as DCS. */
const dcs = (config: JsonObject = {}, sync = "pg-1"): JsonObject[] => {
  const map = (suffix: string, annotations: JsonObject): JsonObject =>
    object("ConfigMap", `pg-${suffix}`, {}, { annotations });
  return [
    map("leader", { leader: "pg-0", ttl: "30", optime: "50331648" }),
    map("config", { config: JSON.stringify({ ttl: 30, postgresql: { pg_hba: HBA }, ...config }) }),
    map("sync", { leader: "pg-0", sync_standby: sync }),
  ];
};

const saying = (ordinal: number, status: JsonObject): JsonObject =>
  member(
    ordinal,
    {},
    {
      annotations: {
        status: JSON.stringify({
          conn_url: `postgres://pg-${ordinal}.pg-headless:5432/postgres`,
          state: "running",
          version: "4.1.5",
          timeline: 3,
          ...(ordinal === 0
            ? { role: "primary", xlog_location: 50331648 }
            : { role: "replica", replication_state: "streaming", replay_lsn: 50331648 }),
          ...status,
        }),
      },
    },
  );

/** What a running member answers to `GET /patroni`, a second after the objects were read. */
const AT = new Date("2026-01-01T12:00:00Z");
const answer = (patroni: JsonObject): MemberAnswers => ({
  patroni: { state: "running", ...patroni },
  patroniDate: AT,
});
const replayed = (location: number, ago: number | null): MemberAnswers => {
  const committed = ago === null ? null : new Date(AT.getTime() - ago * 1000);
  const timestamp = committed?.toISOString().replace("T", " ").replace("Z", "456+00:00") ?? null;
  return answer({
    role: "replica",
    xlog: { replayed_location: location, replayed_timestamp: timestamp },
  });
};
/** The leader, with `<member>: <state> <sync state>` of its standbys. */
const leading = (senders: Readonly<Record<string, string>>): MemberAnswers =>
  answer({
    role: "primary",
    replication: Object.entries(senders).map(([application_name, both]) => {
      const [state = "", sync_state = ""] = both.split(" ");
      return { application_name, state, sync_state };
    }),
  });

const cluster = (changes: JsonObject = {}, of = 1): JsonObject[] => [
  namespace("db"),
  statefulSet(),
  ...[0, 1, 2].map((ordinal) => saying(ordinal, ordinal === of ? changes : {})),
];

describe("Kubernetes as DCS", () => {
  for (const [what, codes, objects] of [
    ["a sound cluster", [], [...cluster(), ...dcs()]],
    ["no failsafe mode", [], [...cluster(), ...dcs({ failsafe_mode: false })]],
    [
      "a standby on the archive",
      ["standby-not-streaming"],
      [...cluster({ replication_state: "in archive recovery" }), ...dcs()],
    ],
    [
      "a standby whose receiver does not run",
      ["standby-not-streaming"],
      [...cluster({ replication_state: null }), ...dcs()],
    ],
    [
      "a version that does not say",
      [],
      [...cluster({ replication_state: null, version: "3.0.2" }), ...dcs()],
    ],
    ["a crashed member", ["member-state"], [...cluster({ state: "crashed" }), ...dcs()]],
    ["an older timeline", ["timelines-differ"], [...cluster({ timeline: 2 }), ...dcs()]],
    ["no timeline yet", [], [...cluster({ timeline: null }), ...dcs()]],
    ["ahead of what the leader last wrote", [], [...cluster({ replay_lsn: 60000000 }), ...dcs()]],
    ["a pending restart", ["pending-restart"], [...cluster({ pending_restart: true }), ...dcs()]],
    ["paused", ["paused"], [...cluster(), ...dcs({ pause: true })]],
    ["asynchronous, and nobody is", [], [...cluster(), ...dcs({ synchronous_mode: "off" }, "")]],
    [
      "pg_hba without a rule for replication",
      ["pg-hba-replication"],
      [...cluster(), ...dcs({ postgresql: { pg_hba: ["host all all all md5"] } })],
    ],
  ] as const satisfies readonly (readonly [string, readonly string[], readonly JsonObject[]])[])
    test(what, () => {
      const outcome = audited(REPLICATION, { objects });
      assert.deepEqual(codesOf(outcome), codes);
      assert.deepEqual(outcome.unseen, []);
    });

  const END = 50331648;
  for (const [what, codes, status, config, answers] of [
    ["as far behind as may be", [], END - 1048576, {}, replayed(END - 1048576, 300)],
    ["further behind", ["replication-lag"], END - 1048577, {}, replayed(END - 1048577, 2)],
    ["further behind, and caught up since", [], END - 1048577, {}, replayed(END, 9999)],
    [
      "further behind than usual, as configured",
      [],
      40000000,
      { maximum_lag_on_failover: 33554432 },
      replayed(40000000, 5),
    ],
    ["a little behind, for long", ["replication-lag"], END - 1, {}, replayed(END - 1, 301)],
    ["a little behind, and no commit since it started", [], END - 1, {}, replayed(END - 1, null)],
    ["nothing behind, and the last commit was long ago", [], END, {}, replayed(END, 9999)],
  ] as const)
    test(what, () => {
      const objects = [...cluster({ replay_lsn: status }), ...dcs(config)];
      const outcome = audited(REPLICATION, { objects, answers: { "db/pg-1": answers } });
      assert.deepEqual(codesOf(outcome), codes);
      assert.deepEqual(outcome.unseen, []);
    });

  const both = { "pg-1": "streaming async", "pg-2": "streaming async" };
  for (const [what, evidence, answers] of [
    [
      "its age, and what the leader sees of it",
      "2000000 bytes behind its leader; more than 1048576 make it no candidate; the newest commit that it has replayed is 42 seconds old; its leader sees it streaming, sync state async",
      { "db/pg-0": leading(both), "db/pg-1": replayed(END - 2000000, 42) },
    ],
    [
      "nobody could be asked",
      "2000000 bytes behind its leader; more than 1048576 make it no candidate; for how long is not known: pg-1 was not asked; what its leader sees of it is not known: pg-0 was not asked",
      {},
    ],
    [
      "no commit since it started, and no connection",
      "2000000 bytes behind its leader; more than 1048576 make it no candidate; for how long is not known: it has replayed no commit since it started; its leader has no connection of it",
      { "db/pg-0": leading({}), "db/pg-1": replayed(END - 2000000, null) },
    ],
  ] as const)
    test(`evidence of a lag: ${what}`, () => {
      const objects = [...cluster({ replay_lsn: END - 2000000 }), ...dcs()];
      const { findings } = audited(REPLICATION, { objects, answers });
      assert.deepEqual(
        findings.map((finding) => finding.evidence),
        [evidence],
      );
    });

  test("a little behind, for how long nobody could ask: that is said", () => {
    const { findings, unseen } = audited(REPLICATION, {
      objects: [...cluster({ replay_lsn: END - 1 }), ...dcs()],
    });
    assert.deepEqual(findings, []);
    assert.deepEqual(unseen, [
      { codes: ["replication-lag"], why: "for how long pg-1 is behind is not known: pg-1 was not asked" },
    ]);
  });

  test("a standby that does not stream: what the leader sees of it is evidence", () => {
    const { findings } = audited(REPLICATION, {
      objects: [...cluster({ replication_state: null }), ...dcs()],
      answers: { "db/pg-0": leading({ "pg-2": "streaming async" }) },
    });
    assert.deepEqual(
      findings.map(({ evidence }) => evidence),
      ["PostgreSQL is running: no WAL receiver streams; its leader has no connection of it"],
    );
  });

  const ON = { synchronous_mode: true };
  for (const [what, codes, config, named, senders] of [
    ["in force", [], ON, "pg-1", { "pg-1": "streaming sync", "pg-2": "streaming async" }],
    ["nobody is named", ["synchronous-not-in-force"], ON, "", both],
    ["named, and PostgreSQL does not wait", ["synchronous-not-in-force"], ON, "pg-1", both],
    ["named, and gone", ["synchronous-not-in-force"], ON, "pg-1", { "pg-2": "streaming sync" }],
    ["named, and catching up", ["synchronous-not-in-force"], ON, "pg-1", { "pg-1": "catchup sync" }],
    [
      "strict, and anybody will do for PostgreSQL, but not for Patroni",
      ["synchronous-not-in-force"],
      { ...ON, synchronous_mode_strict: true },
      "",
      { "pg-1": "streaming sync" },
    ],
    [
      "two are asked for",
      [],
      { ...ON, synchronous_node_count: 2 },
      "pg-1,pg-2",
      { "pg-1": "streaming sync", "pg-2": "streaming sync" },
    ],
    [
      "two are asked for, and there is one",
      ["synchronous-nodes-short"],
      { ...ON, synchronous_node_count: "2" },
      "pg-1,pg-2",
      { "pg-1": "streaming sync", "pg-2": "streaming potential" },
    ],
    [
      "a quorum of any one",
      [],
      { synchronous_mode: "quorum" },
      "pg-1,pg-2",
      { "pg-1": "streaming quorum", "pg-2": "streaming quorum" },
    ],
    ["a quorum of nobody", ["synchronous-not-in-force"], { synchronous_mode: "quorum" }, "", both],
    [
      "a quorum of two, and there is one",
      ["synchronous-nodes-short"],
      { synchronous_mode: "quorum", synchronous_node_count: 2 },
      "pg-1",
      { "pg-1": "streaming quorum" },
    ],
    ["in a standby cluster it is off", [], { ...ON, standby_cluster: { host: "dc1.example" } }, "", both],
  ] as const)
    test(`synchronous: ${what}`, () => {
      const objects = [...cluster(), ...dcs(config, named)];
      const outcome = audited(REPLICATION, { objects, answers: { "db/pg-0": leading(senders) } });
      assert.deepEqual(codesOf(outcome), codes);
      assert.deepEqual(outcome.unseen, []);
    });

  test("synchronous by Patroni's word, and PostgreSQL was not asked: that is said", () => {
    const { findings, unseen } = audited(REPLICATION, { objects: [...cluster(), ...dcs(ON)] });
    assert.deepEqual(findings, []);
    assert.deepEqual(
      unseen.map(({ why }) => why),
      ["whether PostgreSQL waits for pg-1 is not known: pg-0 was not asked"],
    );
  });

  test("not in force: the evidence is what is asked for, whom Patroni names and what the leader sees", () => {
    const { findings } = audited(REPLICATION, {
      objects: [...cluster(), ...dcs({ ...ON, synchronous_mode_strict: true })],
      answers: { "db/pg-0": leading({ "pg-1": "catchup async" }) },
    });
    assert.deepEqual(
      findings.map(({ evidence }) => evidence),
      [
        "synchronous_mode: true, strict, with 1; Patroni names pg-1; pg-1: its leader sees it catchup, sync state async; pg-2: its leader has no connection of it",
      ],
    );
  });

  test("pg_hba that is elsewhere is said", () => {
    const { findings, unseen } = audited(REPLICATION, {
      objects: [...cluster(), ...dcs({ postgresql: {} })],
    });
    assert.deepEqual(findings, []);
    assert.deepEqual(unseen, [
      { codes: ["pg-hba-replication"], why: "pg_hba is not in the dynamic configuration" },
    ]);
  });

  test("a member that says nothing hides no other", () => {
    const objects = [...cluster({ state: "crashed" }, 2), ...dcs()].map((each) =>
      (each.metadata as JsonObject).name === "pg-1" ? member(1) : each,
    );
    const { findings, unseen } = audited(REPLICATION, { objects });
    assert.deepEqual(
      findings.map(({ code, object: { name } }) => [code, name]),
      [["member-state", "pg-2"]],
    );
    assert.ok(unseen.every(({ why }) => why === "pg-1 says nothing of itself"));
    assert.equal(unseen.length, 5);
  });
});

test("a manifest of what Patroni writes into the DCS says nothing of it", () => {
  const { findings, unseen } = audited(REPLICATION, {
    live: false,
    objects: [...cluster(), ...dcs({ pause: true, postgresql: { pg_hba: [] } })],
  });
  assert.deepEqual(findings, []);
  assert.ok(unseen.some(({ codes }) => codes.includes("paused")));
});

describe("another DCS", () => {
  const ETCD = { name: "PATRONI_ETCD3_HOSTS", value: "etcd:2379" };
  const SCOPE = { name: "PATRONI_SCOPE", value: "pg" };
  const withEtcd = { containers: [{ name: "postgres", env: [SCOPE, ETCD] }] };
  const entry = (name: string, more: JsonObject): JsonObject => ({
    name,
    host: name,
    state: "streaming",
    timeline: 3,
    ...more,
  });
  const answers = (config: JsonObject, changes: JsonObject = {}): MemberAnswers => ({
    config: { failsafe_mode: true, postgresql: { pg_hba: HBA }, ...config },
    cluster: {
      members: [
        entry("pg-0", { role: "leader", state: "running" }),
        entry("pg-1", { role: "sync_standby", lag: 0, ...changes }),
      ],
    },
  });
  const objects = [namespace("db"), member(0, withEtcd), member(1, withEtcd)];

  const ASYNC = {};
  for (const [what, codes, config, changes, age = 5] of [
    ["a sound cluster", [], { synchronous_mode: true }, {}],
    ["no failsafe mode", ["failsafe-off"], { failsafe_mode: false }, {}],
    ["a standby on the archive", ["standby-not-streaming"], {}, { state: "in archive recovery" }],
    ["a standby that starts", ["member-state"], {}, { state: "starting" }],
    ["lag", ["replication-lag"], {}, { lag: 9_000_000 }],
    ["lag of replay", ["replication-lag"], {}, { lag: 0, replay_lag: 9_000_000 }],
    ["lag that is not known", [], {}, { lag: "unknown" }],
    ["nobody synchronous", ["synchronous-not-in-force"], { synchronous_mode: true }, { role: "replica" }],
    ["synchronous in name only", ["synchronous-not-in-force"], { synchronous_mode: true }, ASYNC],
    ["a little behind, for long", ["replication-lag"], {}, { lag: 1 }, 301],
    ["quorum", [], { synchronous_mode: "quorum" }, { role: "quorum_standby" }],
  ] as const)
    test(what, () => {
      const pg1 = { ...answers(config, changes), ...replayed(0, age) };
      const pg0 = leading({ "pg-1": `streaming ${changes === ASYNC ? "async" : "quorum"}` });
      const outcome = audited(REPLICATION, { objects, answers: { "db/pg-0": pg0, "db/pg-1": pg1 } });
      assert.deepEqual(codesOf(outcome), codes);
      assert.deepEqual(outcome.unseen, []);
    });

  test("nobody could be asked: nothing is clean", () => {
    const { findings, unseen } = audited(REPLICATION, { objects });
    assert.deepEqual(findings, []);
    assert.equal(unseen.length, REPLICATION.length);
  });
});
