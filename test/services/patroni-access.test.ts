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

const withTls = () => {
  const home = join(database.volume.folder, "..", "home");
  return { ssl: "on", ssl_cert_file: join(home, "tls.crt"), ssl_key_file: join(home, "tls.key") };
};
const hbaWith = (prober: string): string[] => [
  "local all all trust",
  "host all postgres 127.0.0.1/32 trust",
  `${prober} 127.0.0.1/32 trust`,
  "host replication all 127.0.0.1/32 trust",
];

test("a PostgreSQL that takes nobody without TLS is asked with it", async (t) => {
  const api = await ReloadApi.start(
    { ...postgresEnvironment(database), PATRONI_INJECTOR_AUTH_DIR: database.authDir },
    database.rest,
  );
  t.after(() => api.stop());
  const [parameters, hba] = [withTls(), hbaWith("hostssl all prober")];
  await database.configure(3, { parameters, hba });
  assert.equal((await api.reload("postgres", 3)).status, 200);
  await assert.rejects(database.sql("SELECT 1"), /no pg_hba.conf entry for host .* no encryption/);
  await database.configure(4, { parameters: { ...parameters, work_mem: "9MB" }, hba });
  const { status, body } = await api.reload("postgres", 4);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.appliedVersion, 4);
});

test("a PostgreSQL with TLS that does not take the role with it is asked without", async (t) => {
  const api = await ReloadApi.start(
    { ...postgresEnvironment(database), PATRONI_INJECTOR_AUTH_DIR: database.authDir },
    database.rest,
  );
  t.after(() => api.stop());
  const [parameters, hba] = [withTls(), hbaWith("hostnossl all prober")];
  await database.configure(5, { parameters, hba });
  assert.equal((await api.reload("postgres", 5)).status, 200);
  assert.equal((await database.sql("SHOW ssl"))[0]?.ssl, "on");
  await database.configure(6, { parameters: { ...parameters, work_mem: "11MB" }, hba });
  const { status, body } = await api.reload("postgres", 6);
  assert.equal(status, 200, JSON.stringify(body));
  await database.configure(7, { parameters, hba: hbaWith("host all nobody") });
  assert.equal((await api.reload("postgres", 7)).status, 200, "asked before the rules changed");
  const refused = await api.reload("postgres", 7);
  assert.equal(refused.status, 502);
  assert.match(refused.body.detail, /SSL encryption; no pg_hba.conf entry .* no encryption/);
});
