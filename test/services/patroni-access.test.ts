import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Database, REST_AUTH } from "./rig/database.ts";
import { postgresEnvironment, ReloadApi } from "./rig/reload-api.ts";

let database: Database;

before(async () => {
  database = await Database.start({ secured: true });
});
after(() => database?.stop());

test("a REST API with TLS and credentials: from the Secret, also when it changes in place", async (t) => {
  const api = await ReloadApi.start(
    { ...postgresEnvironment(database), PATRONI_INJECTOR_AUTH_DIR: database.authDir },
    database.rest,
  );
  t.after(() => api.stop());
  await database.configure(2, { parameters: { work_mem: "5MB" } });
  assert.equal((await api.reload("postgres", 2)).status, 200);
  assert.equal(await database.setting("work_mem"), "5MB");
  await writeFile(join(database.authDir, "password"), "another");
  const { status, body } = await api.reload("postgres", 2);
  assert.equal(status, 502);
  assert.match(body.detail, /Patroni answers POST \/reload with 401: not authenticated/);
  await writeFile(join(database.authDir, "password"), `${REST_AUTH.password}\n`);
  assert.equal((await api.reload("postgres", 2)).status, 200);
});

test("without credentials: Patroni's words", async (t) => {
  const api = await ReloadApi.start(postgresEnvironment(database), database.rest);
  t.after(() => api.stop());
  const { status, body } = await api.reload("postgres", 1);
  assert.equal(status, 502);
  assert.equal(body.type, "https://patroni-injector.io/problems/reload-rejected");
  assert.match(body.detail, /401: no auth header received/);
});

test("a certificate that nobody vouches for is not called with credentials", async (t) => {
  const api = await ReloadApi.start(
    { ...postgresEnvironment(database), PATRONI_INJECTOR_AUTH_DIR: database.authDir },
    { ...database.rest, tls: {} },
  );
  t.after(() => api.stop());
  const { status, body } = await api.reload("postgres", 1);
  assert.equal(status, 502);
  assert.match(body.detail, /Patroni does not answer: .*certificate/);
});

test("a PostgreSQL that takes nobody without TLS is asked with it", async (t) => {
  const api = await ReloadApi.start(
    { ...postgresEnvironment(database), PATRONI_INJECTOR_AUTH_DIR: database.authDir },
    database.rest,
  );
  t.after(() => api.stop());
  const home = join(database.volume.folder, "..", "home");
  const parameters = { ssl: "on", ssl_cert_file: join(home, "tls.crt"), ssl_key_file: join(home, "tls.key") };
  const hba = [
    "local all all trust",
    "host all postgres 127.0.0.1/32 trust",
    "hostssl all prober 127.0.0.1/32 trust",
    "host replication all 127.0.0.1/32 trust",
  ];
  await database.configure(3, { parameters, hba });
  assert.equal((await api.reload("postgres", 3)).status, 200);
  await assert.rejects(database.sql("SELECT 1"), /no pg_hba.conf entry for host .* no encryption/);
  await database.configure(4, { parameters: { ...parameters, work_mem: "9MB" }, hba });
  const { status, body } = await api.reload("postgres", 4);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.appliedVersion, 4);
});
