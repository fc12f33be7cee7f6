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
