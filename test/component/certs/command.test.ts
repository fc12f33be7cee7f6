import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { stringify } from "yaml";
import { run } from "../../../src/certs/command.ts";
import type { Report } from "../../../src/certs/report.ts";
import { Sink } from "../../support/sink.ts";
import { NAME, quiet, startScene } from "../certificates/scene.ts";

async function scene(t: TestContext) {
  const started = await startScene(t, 1);
  const { api, admin, time, replicas } = started;
  time.now = Date.now();
  const [replica] = replicas;
  await replica?.look();
  await replica?.look();
  await quiet(replicas);
  const folder = await mkdtemp(join(tmpdir(), "certs-"));
  t.after(() => rm(folder, { recursive: true }));
  const [config, kubeconfig] = [join(folder, "config.yaml"), join(folder, "kubeconfig")];
  const registration = { name: NAME, service: { name: "patroni-injector", namespace: "injector" } };
  await writeFile(config, stringify({ webhook: { port: replica?.port, registration } }));
  await writeFile(kubeconfig, api.kubeconfig());
  const certs = async (...options: string[]) => {
    const [stdout, stderr] = [new Sink(), new Sink()];
    const argv = ["--config", config, "--kubeconfig", kubeconfig, ...options];
    const code = await run(argv, { stdout, stderr, env: {} });
    return { code, stdout: stdout.text, stderr: stderr.text };
  };
  const distrust = async () => {
    await replica?.registration?.stop();
    const path = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${NAME}`;
    const body = [{ op: "remove", path: "/webhooks/1/clientConfig/caBundle" }];
    await admin.send({ method: "PATCH", path, contentType: "application/json-patch+json", body });
  };
  return { ...started, certs, distrust };
}

describe("patroni-injector certs", () => {
  it("says what is served, who trusts it, and when it rotates", async (t) => {
    const { certs } = await scene(t);
    const { code, stdout } = await certs();
    assert.equal(code, 0);
    for (const line of [
      /^Served +CN=patroni-injector, by CN=patroni-injector CA$/m,
      /^ +DNS:patroni-injector\.injector\.svc$/m,
      /^Entry +0\.mutate\.patroni-injector\.io: accepts it for patroni-injector\.injector\.svc$/m,
      /^Authority +CN=patroni-injector CA, valid to .*; in every caBundle; signed what is served$/m,
      /^Rotation +certificate after 20\S+Z, authority after 20\S+Z$/m,
      /^Verdict +trusted$/m,
    ]) {
      assert.match(stdout, line);
    }
  });

  it("says so in JSON", async (t) => {
    const { certs } = await scene(t);
    const { code, stdout } = await certs("--output", "json");
    const report = JSON.parse(stdout) as Report;
    assert.deepEqual([code, report.trusted, report.problems], [0, true, []]);
    assert.deepEqual(
      report.entries.map(({ problem }) => problem),
      [null, null],
    );
    assert.equal(report.rotation.upToDate, true);
    assert.ok(Math.abs(report.clock.localAheadSeconds) <= 2);
  });

  it("ends with 1 where one entry does not trust it", async (t) => {
    const { certs, distrust } = await scene(t);
    await distrust();
    const { code, stdout } = await certs();
    assert.equal(code, 1);
    assert.match(stdout, /0\.audit\.patroni-injector\.io: REFUSES it/);
    assert.match(stdout, /^Verdict +BROKEN: 0\.audit\.patroni-injector\.io: the caBundle is empty$/m);
    assert.match(stdout, /NOT in every caBundle/);
  });

  it("ends with 2 where it cannot look: no webhook, no API server", async (t) => {
    const { certs, api } = await scene(t);
    const away = await certs("--address", "127.0.0.1:1");
    assert.equal(away.code, 2);
    assert.match(away.stderr, /could not look: the webhook at 127\.0\.0\.1, port 1/);
    await api.close();
    const { code, stderr } = await certs();
    assert.equal(code, 2);
    assert.match(stderr, /could not look: GET/);
  });

  it("ends with 2 for wrong options, and with 0 for help", async () => {
    for (const [argv, expected] of [
      [[], 2],
      [["--config", "x", "--output", "yaml"], 2],
      [["--config", "x", "--address", "nowhere"], 2],
      [["--config", "x", "--wrong"], 2],
      [["--help"], 0],
    ] as const) {
      assert.equal(
        await run(argv, { stdout: new Sink(), stderr: new Sink(), env: {} }),
        expected,
        argv.join(" "),
      );
    }
  });
});
