import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseConfig } from "../../../src/config/parse.ts";
import { ownPlace } from "../../../src/serve/own-place.ts";
import { reloadLook } from "../../../src/serve/reload-look.ts";

const config = parseConfig("webhook: {registration: {service: {name: hook}}}", "config.yaml", {
  clusterDomain: "cluster.local",
});
const look = (environment: NodeJS.ProcessEnv) =>
  reloadLook(config, { ownNamespace: "injector" }, environment, () => new Date());

test("the authorities are kept beside those of the webhook", () => {
  assert.deepEqual(look({}).authorities, { namespace: "injector", name: "hook-reload-ca" });
});

test("the token is read anew each time, from the file that the environment names; without one nobody is asked", async (t) => {
  assert.equal(look({}).token, undefined);
  const folder = await mkdtemp(join(tmpdir(), "reload-look-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "token");
  const { token } = look({ RELOAD_TOKEN_FILE: file });
  for (const text of ["one", "two"]) {
    await writeFile(file, `${text}\n`);
    assert.equal(await token?.(), text);
  }
});

test("whom the process runs as is told by its environment", () => {
  const own = ownPlace({ POD_NAMESPACE: "injector", POD_SERVICE_ACCOUNT: "runner" });
  assert.deepEqual(own, { ownNamespace: "injector", ownServiceAccount: "runner" });
  assert.equal(ownPlace({ POD_NAMESPACE: "injector" }).ownServiceAccount, undefined);
});
