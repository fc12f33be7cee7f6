import assert from "node:assert/strict";
import { test } from "node:test";
import { readReloadSettings } from "../../../../src/sidecar/reload/settings.ts";

const POSTGRES = { PATRONI_INJECTOR_RELOAD_POSTGRES_VERSION: "dcs" };
const PGBOUNCER = {
  PATRONI_INJECTOR_RELOAD_PGBOUNCER_VERSION: "/pool/version",
  PATRONI_INJECTOR_RELOAD_PGBOUNCER_INI: "/pool/pgbouncer.ini",
};

test("what is left out has its default", () => {
  const config = readReloadSettings({ ...POSTGRES, ...PGBOUNCER });
  assert.deepEqual(config.postgres, { version: "dcs", connection: undefined });
  assert.deepEqual(config.pgbouncer?.console, {
    host: "127.0.0.1",
    port: 6432,
    user: "pgbouncer",
    secretDir: undefined,
  });
  assert.equal(config.pgbouncer?.method, "console");
  assert.equal(config.secure, undefined);
  assert.equal(config.socket, undefined);
  assert.equal(config.automatic, false);
});

const CONNECTIONS: readonly (readonly [string, object | undefined])[] = [
  ["10.0.0.1:5432", { user: "postgres", host: "10.0.0.1", port: 5432, database: "postgres" }],
  ["[fd00::1]:5432/app", { user: "postgres", host: "fd00::1", port: 5432, database: "app" }],
  ["prober@db:1/app", { user: "prober", host: "db", port: 1, database: "app" }],
  ["/run/postgresql:5433", { user: "postgres", host: "/run/postgresql", port: 5433, database: "postgres" }],
  ["10.0.0.1", undefined],
  ["10.0.0.1:0", undefined],
  ["fd00::1:5432", undefined],
  ["", undefined],
];
for (const [text, expected] of CONNECTIONS) {
  test(`the connection ${JSON.stringify(text)}`, () => {
    const environment = { ...POSTGRES, PATRONI_INJECTOR_RELOAD_POSTGRES_CONNECTION: text };
    if (expected === undefined && text !== "")
      assert.throws(
        () => readReloadSettings(environment),
        /RELOAD_POSTGRES_CONNECTION is not \[<user>@\]<host>:<port>/,
      );
    else {
      const { connection } = readReloadSettings(environment).postgres ?? {};
      assert.deepEqual(connection, expected && { ...expected, secretDir: undefined });
    }
  });
}

test("all that is wrong is said at once, by name", () => {
  const environment = {
    PATRONI_INJECTOR_RELOAD_PGBOUNCER_VERSION: "/pool/version",
    PATRONI_INJECTOR_RELOAD_PGBOUNCER_METHOD: "kill",
    PATRONI_INJECTOR_RELOAD_PORT: "http",
  };
  assert.throws(
    () => readReloadSettings(environment),
    /RELOAD_PGBOUNCER_INI is not set; .*PGBOUNCER_METHOD is not one of console, signal; .*RELOAD_PORT is not /,
  );
});
