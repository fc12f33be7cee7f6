import assert from "node:assert/strict";
import { test } from "node:test";
import { looksLikePatroni, replicationExcerpt } from "../../../src/patroni/replication-excerpt.ts";

const RULES = ["local all all trust", "host replication all all md5"];
const WHOLE = {
  scope: "pg",
  postgresql: {
    pg_hba: RULES,
    parameters: { hba_file: "/etc/hba", work_mem: "4MB" },
    authentication: {
      replication: { username: "standby", password: "secret" },
      superuser: { password: "x" },
    },
  },
  bootstrap: { method: "initdb", dcs: { ttl: 30, postgresql: { pg_hba: RULES, use_slots: true } } },
};
const EXCERPT = {
  postgresql: {
    pg_hba: RULES,
    parameters: { hba_file: "/etc/hba" },
    authentication: { replication: { username: "standby" } },
  },
  bootstrap: { method: "initdb", dcs: { postgresql: { pg_hba: RULES } } },
};

for (const [what, text, configuration] of [
  ["JSON as operators write it", JSON.stringify(WHOLE), EXCERPT],
  ["JSON as people write it", JSON.stringify(WHOLE, null, 2), EXCERPT],
  ["an anchor", "x: &rules [a]\npostgresql: {pg_hba: *rules}", { postgresql: { pg_hba: ["a"] } }],
  ["a merge key", "x: &x {pg_hba: [a]}\npostgresql: {<<: *x}", { postgresql: { pg_hba: ["a"] } }],
  ["the last of two counts", "postgresql: {pg_hba: [a], pg_hba: [b]}", { postgresql: { pg_hba: ["b"] } }],
  ["an empty value is null", "postgresql:\n  pg_hba:\n", { postgresql: { pg_hba: null } }],
  [
    "a section that is null",
    "postgresql: ~\nbootstrap: {dcs: null}",
    { postgresql: null, bootstrap: { dcs: null } },
  ],
  ["nothing", "", {}],
  ["nothing of that", "scope: pg\npostgresql: 5", {}],
] as const)
  test(what, () => assert.deepEqual(replicationExcerpt(text), { kind: "read", configuration }));

for (const [what, text] of [
  ["a list", "- a"],
  ["a bracket that stays open", "a: ["],
  ["a merge of what is no mapping", "x: &x 5\npostgresql: {<<: *x}"],
] as const)
  test(`unreadable: ${what}`, () => assert.equal(replicationExcerpt(text).kind, "unreadable"));

for (const [is, text] of [
  [true, "scope: pg"],
  [true, '{"postgresql":{}}'],
  [true, "# x\n'bootstrap' :\n"],
  [false, "postgresql is a database"],
  [false, "my_scope: x"],
] as const)
  test(`${is ? "looks" : "does not look"} like Patroni's: ${JSON.stringify(text)}`, () =>
    assert.equal(looksLikePatroni(text), is));
