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

const cluster = (changes: JsonObject = {}, of = 1): JsonObject[] => [
  namespace("db"),
  statefulSet(),
  ...[0, 1, 2].map((ordinal) => saying(ordinal, ordinal === of ? changes : {})),
];

describe("Kubernetes as DCS", () => {
  for (const [what, codes, objects] of [
    ["a sound cluster", [], [...cluster(), ...dcs()]],
    ["synchronous, and in force", [], [...cluster(), ...dcs({ synchronous_mode: true })]],
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
    ["as far behind as may be", [], [...cluster({ replay_lsn: 50331648 - 1048576 }), ...dcs()]],
    ["further behind", ["replication-lag"], [...cluster({ replay_lsn: 50331648 - 1048577 }), ...dcs()]],
    [
      "further behind than usual, as configured",
      [],
      [...cluster({ replay_lsn: 40000000 }), ...dcs({ maximum_lag_on_failover: 33554432 })],
    ],
    ["ahead of what the leader last wrote", [], [...cluster({ replay_lsn: 60000000 }), ...dcs()]],
    ["a pending restart", ["pending-restart"], [...cluster({ pending_restart: true }), ...dcs()]],
    ["paused", ["paused"], [...cluster(), ...dcs({ pause: true })]],
    [
      "synchronous, and nobody is",
      ["synchronous-not-in-force"],
      [...cluster(), ...dcs({ synchronous_mode: true }, "")],
    ],
    [
      "quorum, and nobody is",
      ["synchronous-not-in-force"],
      [...cluster(), ...dcs({ synchronous_mode: "quorum" }, "")],
    ],
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

  for (const [what, codes, config, changes] of [
    ["a sound cluster", [], { synchronous_mode: true }, {}],
    ["no failsafe mode", ["failsafe-off"], { failsafe_mode: false }, {}],
    ["a standby on the archive", ["standby-not-streaming"], {}, { state: "in archive recovery" }],
    ["a standby that starts", ["member-state"], {}, { state: "starting" }],
    ["lag", ["replication-lag"], {}, { lag: 9_000_000 }],
    ["lag of replay", ["replication-lag"], {}, { lag: 0, replay_lag: 9_000_000 }],
    ["lag that is not known", [], {}, { lag: "unknown" }],
    ["nobody synchronous", ["synchronous-not-in-force"], { synchronous_mode: true }, { role: "replica" }],
    ["quorum", [], { synchronous_mode: "quorum" }, { role: "quorum_standby" }],
  ] as const)
    test(what, () => {
      const outcome = audited(REPLICATION, { objects, answers: { "db/pg-1": answers(config, changes) } });
      assert.deepEqual(codesOf(outcome), codes);
      assert.deepEqual(outcome.unseen, []);
    });

  test("nobody could be asked: nothing is clean", () => {
    const { findings, unseen } = audited(REPLICATION, { objects });
    assert.deepEqual(findings, []);
    assert.equal(unseen.length, REPLICATION.length);
  });
});
