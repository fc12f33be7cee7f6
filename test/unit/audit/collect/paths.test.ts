import assert from "node:assert/strict";
import { test } from "node:test";
import { pathsFor } from "../../../../src/audit/collect/paths.ts";
import { contextOf } from "../../../../src/audit/context.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { groundOf, member, namespace, object } from "../world.ts";

const END = 5000;

const map = (suffix: string, annotations: JsonObject): JsonObject =>
  object("ConfigMap", `pg-${suffix}`, {}, { annotations });

const saying = (ordinal: number, status: JsonObject, spec: JsonObject): JsonObject => {
  const own =
    ordinal === 0
      ? { role: "primary", xlog_location: END }
      : { role: "replica", replication_state: "streaming", replay_lsn: END };
  const whole = JSON.stringify({ state: "running", version: "4.1.5", ...own, ...status });
  return member(ordinal, spec, { annotations: { status: whole } });
};

const ETCD = {
  containers: [
    {
      name: "postgres",
      env: [
        { name: "PATRONI_SCOPE", value: "pg" },
        { name: "PATRONI_ETCD3_HOSTS", value: "etcd:2379" },
      ],
    },
  ],
};

/** The members that are asked, with what. `pg-1` says `status`. */
function asked(status: JsonObject, config: JsonObject = {}, spec: JsonObject = {}): string[] {
  const ground = groundOf({
    objects: [
      namespace("db"),
      ...[0, 1, 2].map((ordinal) => saying(ordinal, ordinal === 1 ? status : {}, spec)),
      map("leader", { leader: "pg-0", optime: `${END}` }),
      map("config", { config: JSON.stringify(config) }),
    ],
  });
  const [cluster] = ground.clusters;
  assert.ok(cluster);
  const { dcs } = contextOf(cluster, ground);
  return cluster.members.flatMap((each) => {
    const paths = pathsFor(each, cluster, dcs);
    return paths.length === 0 ? [] : [`${each.facts.name} ${paths.join(" ")}`];
  });
}

for (const [what, expected, ...world] of [
  ["nobody of a cluster that is well", [], {}],
  ["of one that is behind, and its leader", ["pg-0 patroni", "pg-1 patroni"], { replay_lsn: END - 1 }],
  ["the leader of one that does not stream", ["pg-0 patroni"], { replication_state: null }],
  ["the leader of one that crashed", ["pg-0 patroni"], { state: "crashed" }],
  ["the leader of synchronous standbys", ["pg-0 patroni"], {}, { synchronous_mode: "quorum" }],
  ["both that claim to lead", ["pg-0 patroni", "pg-1 patroni"], { role: "primary" }],
  [
    "everybody everything with another DCS",
    [0, 1, 2].map((ordinal) => `pg-${ordinal} patroni cluster config`),
    {},
    {},
    ETCD,
  ],
] as const)
  test(`asked: ${what}`, () => {
    const [status, config, spec] = world;
    assert.deepEqual(asked(status, config, spec as JsonObject | undefined), expected);
  });
