import assert from "node:assert/strict";
import { test } from "node:test";
import { replicationVerdict } from "../../../src/audit/pg-hba.ts";

const IP = "10.244.1.7";

for (const [what, verdict, ...lines] of [
  ["nothing", "no-rule"],
  ["a rule for everybody", "allowed", "host replication all all md5"],
  [
    "a rule for the user and the network",
    "allowed",
    "hostssl replication standby 10.244.0.0/16 scram-sha-256",
  ],
  ["another network", "no-rule", "host replication standby 10.0.0.0/16 md5"],
  ["another user", "no-rule", "host replication replicator all md5"],
  ["all databases are not replication", "no-rule", "host all all all md5"],
  ["one of several databases", "allowed", "host postgres,replication standby,admin 0.0.0.0/0 md5"],
  ["over a socket only", "no-rule", "local replication all trust"],
  ["rejected first", "rejected", "host replication all all reject", "host replication all all md5"],
  ["allowed first", "allowed", "host replication standby all md5", "host replication all all reject"],
  [
    "a rejection for others",
    "allowed",
    "host replication all 192.0.2.0/24 reject",
    "host replication all all md5",
  ],
  ["address and mask", "allowed", "host replication all 10.244.0.0 255.255.0.0 md5"],
  ["address and mask elsewhere", "no-rule", "host replication all 10.245.0.0 255.255.0.0 md5"],
  ["rejected behind a mask", "rejected", "host replication all 10.244.0.0 255.255.0.0 reject"],
  ["a comment is no rule", "no-rule", "# host replication all all md5"],
  ["a comment behind a rule", "allowed", "host replication all all md5 # standbys"],
  ["a quoted user", "allowed", 'host replication "standby" all md5'],
  ["samehost is not another pod", "no-rule", "host replication all samehost md5"],
  ["samenet cannot be told from here", "unknown", "host replication all samenet md5"],
  ["a role's members cannot be told from here", "unknown", "host replication +replicators all md5"],
  ["a host name cannot be told from here", "unknown", "host replication all .db.svc md5"],
  [
    "an included file cannot be read from here",
    "unknown",
    "include extra.conf",
    "host replication all all md5",
  ],
  [
    "what is unknown for others does not matter",
    "allowed",
    "host all +x all md5",
    "host replication all all md5",
  ],
] as const)
  test(what, () => assert.equal(replicationVerdict(lines, { user: "standby", ip: IP }), verdict));

test("a user that is not known fits a rule for all, and no other for certain", () => {
  const standby = { user: undefined, ip: IP };
  assert.equal(replicationVerdict(["host replication all all md5"], standby), "allowed");
  assert.equal(replicationVerdict(["host replication standby all md5"], standby), "unknown");
});

test("IPv6", () => {
  const standby = { user: "standby", ip: "fd00::7" };
  assert.equal(replicationVerdict(["host replication all fd00::/8 md5"], standby), "allowed");
  assert.equal(replicationVerdict(["host replication all 0.0.0.0/0 md5"], standby), "no-rule");
});

for (const [what, verdict, ...lines] of [
  ["everywhere", "allowed", "host replication standby 0.0.0.0/0 md5"],
  ["a network", "unknown", "host replication standby 10.0.0.0/8 md5"],
  ["a network, and a rule for all behind it", "unknown", "host all,replication all 10.0.0.0/8 reject"],
  ["the loopback", "no-rule", "host replication all 127.0.0.1/32 md5", "host replication all ::1/128 md5"],
  ["another user in a network", "no-rule", "host replication other 10.0.0.0/8 md5"],
] as const)
  test(`an address that is not known yet: ${what}`, () =>
    assert.equal(replicationVerdict(lines, { user: "standby", ip: undefined }), verdict));

for (const [what, verdict, ...lines] of [
  ["a user", "unknown", "host replication {{ user }} all md5"],
  ["a user of the environment", "unknown", `host replication \${USER} all md5`],
  ["an address", "unknown", "host replication all $(POD_IP)/16 md5"],
  ["a method", "unknown", "host replication all all {{method}}"],
  ["a database", "unknown", "host {{database}} all all md5"],
  ["a whole rule", "unknown", "{{rule}}", "host replication all all md5"],
  ["something of a rule for others", "no-rule", "host all {{user}} all md5"],
  ["something behind the rule that fits", "allowed", "host replication all all md5", "{{rule}}"],
] as const)
  test(`yet to be filled in: ${what}`, () =>
    assert.equal(replicationVerdict(lines, { user: "standby", ip: IP }), verdict));
