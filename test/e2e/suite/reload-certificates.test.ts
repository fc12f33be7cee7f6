import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { RELOAD_TLS_SECRET } from "../../../src/contract/names.ts";
import { objectsIn } from "../../../src/json/value.ts";
import type { Form } from "../rig/deploy.ts";
import { keepFigure } from "../rig/figures.ts";
import { until } from "../rig/kubectl.ts";
import { Pool } from "../rig/pool.ts";
import { upgrade } from "../rig/release-changes.ts";
import { askForReload, podNames, reload, touch } from "../rig/reload.ts";
import { extent } from "./selection.ts";
import { setStage } from "./stage.ts";

const FORM: Form = { name: "reload-certificates", dcs: "configmaps", synchronous: false, ttlSeconds: 20 };
const TIMEOUT = { timeout: 400_000 };
const OPENS_WITHIN_MS = 150_000;

describe("the reload API with a certificate that the controller keeps", { skip: extent === "quick" }, () => {
  const { deployed } = setStage(FORM);

  before(() => askForReload(deployed(), undefined), TIMEOUT);
  after(() => upgrade(deployed().target), TIMEOUT);

  const ask = (what: string, version: number) =>
    reload(deployed(), what, { component: "pgbouncer", version, timeoutSeconds: 20 });

  it("before the Secret exists the pods run, and the listener is closed", TIMEOUT, async () => {
    const { code, stderr } = await ask("pod/books-0", 1);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`secrets "${RELOAD_TLS_SECRET}" not found`));
  });

  it(
    "once its namespace is named, the listeners open, and its ca.crt is who vouches for them",
    TIMEOUT,
    async () => {
      const { target, members } = deployed();
      await upgrade(target, { rbac: { reloadCertificates: [members.namespace] } });
      const began = performance.now();
      const result = await until("the whole cluster is proven", OPENS_WITHIN_MS, async () => {
        await touch(deployed());
        const attempt = await ask("cluster/books", 1);
        return attempt.code === 0 ? attempt : undefined;
      });
      const value = (performance.now() - began) / 1000;
      const what = "reload API: from the upgrade that names the namespace to a proven reload of the cluster";
      keepFigure(target, { kind: "number", what, value, unit: "s" });
      assert.equal(result.stdout.match(/proven \(console\)/g)?.length, podNames(deployed()).length);
    },
  );

  it("a reload that fails is an Event of its pod", TIMEOUT, async () => {
    const { kubectl, members } = deployed();
    await new Pool(deployed(), "books-1").configure(2, { settings: { max_client_conn: "lots" } });
    const { code, stdout } = await ask("pod/books-1", 2);
    assert.equal(code, 1);
    assert.match(stdout, /configuration-invalid \(422\)/);
    const [event] = await until("the Event", 120_000, async () => {
      const selector = "involvedObject.kind=Pod,involvedObject.name=books-1,reason=reload-failed";
      const place = [`--namespace=${members.namespace}`, `--field-selector=${selector}`];
      const found = objectsIn((await kubectl.json(["get", "events", ...place])).items);
      return found.length > 0 ? found : undefined;
    });
    assert.equal(event?.type, "Warning");
    assert.match(String(event?.message), /^pgbouncer .*configuration-invalid/);
  });
});
