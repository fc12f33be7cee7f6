import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pino } from "pino";
import { stringify } from "yaml";
import { ephemeralCertificate } from "../../../src/certificates/ephemeral.ts";
import { issueAuthority } from "../../../src/certificates/issue.ts";
import { CLUSTER_LABEL } from "../../../src/contract/names.ts";
import { at, type JsonObject } from "../../../src/json/value.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { createWebhookApp } from "../../../src/webhook/app.ts";
import { createWebhookServer } from "../../../src/webhook/server.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { contextOf } from "../../component/webhook/reviews.ts";
import { issueClient } from "../../support/client-certificate.ts";
import { eventually } from "../suite/eventually.ts";
import { patroniPod } from "./injector.ts";

const logger = pino({ level: "silent" });
const ends: (() => unknown)[] = [];
let plane: ControlPlane;
let port: number;

/** As certs/client-certificates.md says: a kubeconfig whose user is the webhook's host. */
async function admissionConfiguration(folder: string, user: string, client: { cert: string; key: string }) {
  const file = async (name: string, text: string) => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const credentials = {
    "client-certificate": await file("client.crt", client.cert),
    "client-key": await file("client.key", client.key),
  };
  const kubeConfigFile = await file(
    "kubeconfig.yaml",
    stringify({ apiVersion: "v1", kind: "Config", users: [{ name: user, user: credentials }] }),
  );
  const apiVersion = "apiserver.config.k8s.io/v1";
  const configuration = { apiVersion, kind: "WebhookAdmissionConfiguration", kubeConfigFile };
  const plugins = [{ name: "MutatingAdmissionWebhook", configuration }];
  return file("admission.yaml", stringify({ apiVersion, kind: "AdmissionConfiguration", plugins }));
}

before(async () => {
  const folder = await mkdtemp(join(tmpdir(), "patroni-injector-clients-"));
  ends.push(() => rm(folder, { recursive: true }));
  const authority = await issueAuthority("clients", { from: new Date(), days: 1 });
  const names = { dnsNames: ["localhost"], ipAddresses: ["127.0.0.1"] };
  const certificate = await ephemeralCertificate({ ...names, logger });
  const metrics = createMetrics();
  const app = createWebhookApp({ context: () => contextOf(), draining: () => false, logger, metrics });
  const server: Server = createWebhookServer(app, certificate, {
    logger,
    metrics,
    clientCaPem: authority.certPem,
  });
  ends.push(() => server.close().closeAllConnections());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
  // The other name of the same host is one that the API server has no certificate for.
  const file = await admissionConfiguration(folder, `127.0.0.1:${port}`, await issueClient(authority));
  plane = await startControlPlane({ apiServerFlags: [`--admission-control-config-file=${file}`] });
  ends.push(() => plane.stop());
  for (const [namespace, host] of [
    ["known", "127.0.0.1"],
    ["unknown", "localhost"],
  ] as const) {
    await prepareNamespace(plane.api, namespace);
    const { status } = await plane.api.request(
      "POST",
      "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
      webhook(namespace, host, certificate.caPem),
    );
    assert.equal(status, 201);
  }
});
after(async () => {
  for (const end of ends.reverse()) await end();
});

const webhook = (namespace: string, host: string, caPem: string): JsonObject => ({
  apiVersion: "admissionregistration.k8s.io/v1",
  kind: "MutatingWebhookConfiguration",
  metadata: { name: namespace },
  webhooks: [
    {
      name: `${namespace}.patroni-injector.io`,
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      failurePolicy: "Fail",
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
      rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
      clientConfig: {
        url: `https://${host}:${port}/mutate`,
        caBundle: Buffer.from(caPem).toString("base64"),
      },
    },
  ],
});

const create = (namespace: string) =>
  plane.api.request("POST", `/api/v1/namespaces/${namespace}/pods?dryRun=All`, patroniPod("pg-0"));

describe("webhook.clientCA, with a real API server", () => {
  it("takes the calls of one that was told to show its certificate", async () => {
    await eventually("it is called", async () => {
      const { body } = await create("known");
      return at(body, "metadata", "labels", CLUSTER_LABEL) !== undefined;
    });
  });

  it("refuses them where it shows none", async () => {
    await eventually("it is called", async () => {
      const { status, body } = await create("unknown");
      return status === 500 && /certificate required/.test(String(at(body, "message")));
    });
  });
});
