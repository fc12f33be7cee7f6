import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type KubeApi, startKubeApi } from "../../../demo/kube-api/server.ts";
import { WEBHOOK_CONFIGURATION } from "../../../src/contract/names.ts";
import { at, objectsIn } from "../../../src/json/value.ts";
import { startServe } from "./serve-process.ts";

const CONFIGURATION = `
webhook: {host: 127.0.0.1, port: 0, registration: {mode: full, url: "https://127.0.0.1:0"}}
operations: {host: 127.0.0.1, port: 0}
drainSeconds: 0
`;

async function embeddedApi(t: TestContext): Promise<{ api: KubeApi; kubeconfig: string }> {
  const api = await startKubeApi();
  const directory = await mkdtemp(join(tmpdir(), "kubeconfig-"));
  t.after(async () => {
    await api.close();
    await rm(directory, { recursive: true });
  });
  const kubeconfig = join(directory, "kubeconfig");
  await writeFile(kubeconfig, api.kubeconfig());
  return { api, kubeconfig };
}

const registered = (api: KubeApi) =>
  objectsIn(
    api.get("mutatingwebhookconfigurations.admissionregistration.k8s.io", "", WEBHOOK_CONFIGURATION)
      ?.webhooks,
  );

async function readiness(port: number): Promise<{ status: number; missing: unknown }> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`);
  const { missing } = (await response.json()) as { missing?: unknown };
  return { status: response.status, missing };
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let left = 500; !(await condition()); left--) {
    assert.ok(left > 0, `it did not come true that ${what}`);
    await delay(20);
  }
}

describe("serve, with a cluster", () => {
  it("registers where it really listens, is ready then, and registers anew when its configuration asks for it", async (t) => {
    const { api, kubeconfig } = await embeddedApi(t);
    const serve = await startServe(t, CONFIGURATION, ["--kubeconfig", kubeconfig]);
    const { webhook, operations } = (await serve.line("listening")) as Record<string, { port: number }>;
    assert.ok(webhook && operations);
    await until("it is ready", async () => (await readiness(operations.port)).status === 200);
    assert.deepEqual(
      registered(api).map((entry) => at(entry, "clientConfig", "url")),
      // Patroni's pods, and poolers.
      ["mutate", "audit", "mutate", "audit"].map((path) => `https://127.0.0.1:${webhook.port}/${path}`),
    );

    await writeFile(serve.configPath, `${CONFIGURATION}presets: [stackgres]\n`);
    await until("six entries are registered", () => registered(api).length === 6);
    assert.deepEqual(at(registered(api)[2] ?? null, "objectSelector", "matchExpressions"), [
      { key: "stackgres.io/cluster", operator: "In", values: ["true"] },
    ]);

    serve.child.kill("SIGTERM");
    assert.deepEqual(await serve.ended(), { code: 0, stderr: "" });
    assert.equal(registered(api).length, 6, "the configuration stays: another replica may serve it");
  });

  it("starts while the API server is away, says what is missing, and stops when told to", async (t) => {
    const { api, kubeconfig } = await embeddedApi(t);
    await api.close();
    const serve = await startServe(t, CONFIGURATION, ["--kubeconfig", kubeconfig]);
    const { operations } = (await serve.line("listening")) as Record<string, { port: number }>;
    assert.ok(operations);
    assert.deepEqual(await readiness(operations.port), {
      status: 503,
      missing: ["certificate", "caches", "registration"],
    });
    serve.child.kill("SIGTERM");
    assert.equal((await serve.ended()).code, 0);
  });
});
