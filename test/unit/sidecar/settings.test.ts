import assert from "node:assert/strict";
import { test } from "node:test";
import { readPoolerSettings, readRole, readSettings } from "../../../src/sidecar/settings.ts";

const GOOD = {
  POD_NAME: "pg-0",
  POD_NAMESPACE: "db",
  POD_UID: "u",
  POD_IP: "10.0.0.1",
  PATRONI_INJECTOR_CLUSTER: "pg",
  PATRONI_INJECTOR_PRIMARY_SERVICE: "pg-primary",
  PATRONI_INJECTOR_PORT: "8010",
  PATRONI_INJECTOR_POSTGRES_PORT: "5432",
  PATRONI_INJECTOR_PATRONI_PORT: "8008",
  PATRONI_INJECTOR_TOKEN_DIR: "/token",
};

test("what is left out has its default", () => {
  const { patroni, leaderObject, discovery, logLevel, pod } = readSettings(GOOD);
  assert.equal(patroni.scheme, "http");
  assert.equal(leaderObject, undefined);
  assert.equal(discovery, true);
  assert.equal(logLevel, "info");
  assert.equal(pod.nodeName, undefined);
});

const WRONG: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
  [{ POD_NAME: "" }, /POD_NAME is not set/],
  [{ PATRONI_INJECTOR_PORT: "http" }, /PATRONI_INJECTOR_PORT is not /],
  [{ PATRONI_INJECTOR_PATRONI_PORT: "0" }, /PATRONI_INJECTOR_PATRONI_PORT is not /],
  [{ PATRONI_INJECTOR_PATRONI_SCHEME: "ftp" }, /PATRONI_INJECTOR_PATRONI_SCHEME is not one of http, https/],
  [
    { PATRONI_INJECTOR_LOG_LEVEL: "loud" },
    /PATRONI_INJECTOR_LOG_LEVEL is not one of debug, info, warn, error/,
  ],
  [{ PATRONI_INJECTOR_LEADER_OBJECT: "secrets/x" }, /PATRONI_INJECTOR_LEADER_OBJECT is not/],
  [{ PATRONI_INJECTOR_LEADER_OBJECT: "configmaps/" }, /PATRONI_INJECTOR_LEADER_OBJECT is not/],
  [{ PATRONI_INJECTOR_LEADER_OBJECT: "configmaps/a/b" }, /PATRONI_INJECTOR_LEADER_OBJECT is not/],
];
for (const [change, message] of WRONG) {
  test(`${JSON.stringify(change)} is refused by name`, () => {
    assert.throws(() => readSettings({ ...GOOD, ...change }), message);
  });
}

test("all that is wrong is said at once", () => {
  assert.throws(() => readSettings({}), /POD_NAME is not set; .*PATRONI_INJECTOR_TOKEN_DIR is not set/);
});

const ADDRESSES: readonly (readonly [string, string | undefined, readonly string[]])[] = [
  ["10.0.0.1", undefined, ["10.0.0.1"]],
  ["10.0.0.1", "10.0.0.1,fd00::1", ["10.0.0.1", "fd00::1"]],
  ["fd00::1", "10.0.0.1, fd00::1", ["10.0.0.1", "fd00::1"]],
  ["fd00::1", "10.0.0.1", ["fd00::1", "10.0.0.1"]],
];
for (const [podIP, podIPs, expected] of ADDRESSES) {
  test(`POD_IP ${podIP} and POD_IPS ${podIPs ?? "absent"}`, () => {
    const environment = { ...GOOD, POD_IP: podIP, ...(podIPs === undefined ? {} : { POD_IPS: podIPs }) };
    assert.deepEqual(readSettings(environment).addresses, expected);
    assert.equal(readSettings(environment).patroni.host, podIP);
  });
}

const POOLER = {
  POD_NAME: "pool-0",
  POD_NAMESPACE: "db",
  POD_UID: "u",
  PATRONI_INJECTOR_ROLE: "pooler",
  PATRONI_INJECTOR_CLUSTER: "pg",
  PATRONI_INJECTOR_PRIMARY_SERVICE: "pg-primary",
  PATRONI_INJECTOR_PORT: "8011",
  PATRONI_INJECTOR_TOKEN_DIR: "/token",
};

test("beside PgBouncer alone nothing of Patroni's is asked for", () => {
  assert.equal(readRole(POOLER), "pooler");
  const { reload, reconnect, port, primaryService } = readPoolerSettings(POOLER);
  assert.deepEqual([reload, reconnect, port, primaryService], [false, false, 8011, "pg-primary"]);
  const on = { ...POOLER, PATRONI_INJECTOR_RELOAD_PGBOUNCER_RECONNECT: "on" };
  assert.equal(readPoolerSettings(on).reconnect, true);
  assert.throws(() => readPoolerSettings({ ...POOLER, PATRONI_INJECTOR_CLUSTER: "" }), /CLUSTER is not set/);
});

test("the role is Patroni's unless it is said, and nothing unknown", () => {
  assert.equal(readRole({}), "member");
  assert.throws(
    () => readRole({ PATRONI_INJECTOR_ROLE: "proxy" }),
    /PATRONI_INJECTOR_ROLE is not one of member, pooler/,
  );
});
