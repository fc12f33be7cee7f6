import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "node:tls";
import { startKubeApi } from "../../../demo/kube-api/server.ts";
import { run as certs } from "../../../src/certs/command.ts";
import { WEBHOOK_CONFIGURATION } from "../../../src/contract/names.ts";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { Sink } from "../../support/sink.ts";
import { onlyThorough } from "../../support/thorough.ts";
import { bystander } from "../kube/support.ts";
import { loopbackCertificate } from "./certificate.ts";
import { type ServeProcess, startServe } from "./serve-process.ts";

const COLLECTION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const RESOURCE = "mutatingwebhookconfigurations.admissionregistration.k8s.io";

const configuration = (mode: string, more = "") => `
webhook: {host: 127.0.0.1, port: 0, registration: {mode: ${mode}, url: "https://127.0.0.1:0"}${more}}
operations: {host: 127.0.0.1, port: 0}
controller: {enabled: false}
drainSeconds: 0
`;

async function scene(t: TestContext) {
  const api = await startKubeApi();
  const folder = await mkdtemp(join(tmpdir(), "serve-certificates-"));
  t.after(async () => {
    await api.close();
    await rm(folder, { recursive: true });
  });
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, api.kubeconfig());
  return { api, folder, kubeconfig, admin: await bystander(t, api) };
}

async function listening(serve: ServeProcess) {
  const line = await serve.line("listening");
  const { webhook, operations } = line as unknown as Record<"webhook" | "operations", { port: number }>;
  const ready = async () => (await fetch(`http://127.0.0.1:${operations.port}/readyz`)).ok;
  return { port: webhook.port, ready };
}

/** The serial number of what is served. */
async function served(port: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { raw } = socket.getPeerCertificate();
  socket.destroy();
  return new X509Certificate(raw).serialNumber;
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (let left = 500; !(await condition()); left--) {
    assert.ok(left > 0, `it did not come true that ${what}`);
    await delay(20);
  }
}

describe("serve and its certificate", () => {
  it("self: a second process serves the same one, and certs finds it trusted", {
    skip: onlyThorough,
  }, async (t) => {
    const { api, kubeconfig } = await scene(t);
    const start = () => startServe(t, configuration("full"), ["--kubeconfig", kubeconfig]);
    const first = await start();
    const one = await listening(first);
    await until("it is ready", one.ready);
    const two = await listening(await start());
    await until("both are ready", async () => (await one.ready()) && (await two.ready()));
    assert.equal(await served(one.port), await served(two.port));
    const [entry] = objectsIn(api.get(RESOURCE, "", WEBHOOK_CONFIGURATION)?.webhooks);
    const bundle = Buffer.from(String(at(entry, "clientConfig", "caBundle")), "base64").toString();
    assert.equal(bundle.match(/BEGIN/g)?.length, 1, "the processes have an authority each");

    const stdout = new Sink();
    const argv = ["--config", first.configPath, "--address", `127.0.0.1:${one.port}`];
    const code = await certs(argv, { stdout, stderr: stdout, env: { KUBECONFIG: kubeconfig } });
    assert.equal(code, 0, stdout.text);
    assert.match(stdout.text, /^Verdict +trusted$/m);

    await api.close();
    await delay(300);
    assert.ok(await one.ready(), "an API server that is away took it out of service");
  });

  it("provided: files are taken up while it runs, the caBundle is not touched, and readiness goes by it", async (t) => {
    const { api, folder, kubeconfig, admin } = await scene(t);
    const put = async ({ certPem, keyPem }: { certPem: string; keyPem: string }) => {
      await writeFile(join(folder, "tls.key"), keyPem);
      await writeFile(join(folder, "tls.crt"), certPem);
    };
    const [one, other] = await Promise.all([loopbackCertificate(), loopbackCertificate()]);
    await put(one);
    const certificates = `, certificates: {source: provided, directory: ${folder}}`;
    const serve = await startServe(t, configuration("caBundle", certificates), ["--kubeconfig", kubeconfig]);
    const { port, ready } = await listening(serve);
    const serialOf = (pem: string) => new X509Certificate(pem).serialNumber;
    assert.equal(await served(port), serialOf(one.certPem));
    assert.equal(await ready(), false);

    const entry = (caPem: string): JsonObject => ({
      name: "0.mutate.patroni-injector.io",
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      clientConfig: {
        url: `https://127.0.0.1:${port}/mutate`,
        caBundle: Buffer.from(caPem).toString("base64"),
      },
    });
    const body = {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: { name: WEBHOOK_CONFIGURATION },
      webhooks: [entry(one.caPem)],
    };
    await admin.send({ method: "POST", path: COLLECTION, body });
    await until("it is ready", ready);

    // The new one is not trusted yet: the old one is served on, until it is.
    await put(other);
    await serve.line("read a certificate");
    await delay(300);
    assert.equal(await served(port), serialOf(one.certPem));
    const patch = [{ op: "replace", path: "/webhooks/0", value: entry(other.caPem) }];
    const path = `${COLLECTION}/${WEBHOOK_CONFIGURATION}`;
    const contentType = "application/json-patch+json";
    await admin.send({ method: "PATCH", path, contentType, body: patch });
    await until("the new one is served", async () => (await served(port)) === serialOf(other.certPem));
    assert.ok(await ready());

    await writeFile(join(folder, "tls.key"), "nonsense");
    await serve.line("the certificate cannot be used; the one before it goes on to count");
    assert.equal(await served(port), serialOf(other.certPem));
    assert.ok(await ready());
    const ours = api.audit.entries.filter(
      ({ verb, resource, user }) => resource === RESOURCE && verb === "patch" && user === "kubernetes-admin",
    );
    assert.deepEqual(ours, []);
  });
});
