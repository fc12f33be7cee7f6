import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import type { Lifetimes } from "../../../src/certificates/lifetimes.ts";
import { SelfSource } from "../../../src/certificates/self.ts";
import { Served } from "../../../src/certificates/served.ts";
import { Sightings } from "../../../src/certificates/sightings.ts";
import type { ServingCertificate } from "../../../src/certificates/source.ts";
import { CLUSTER_LABEL, NAMESPACE_LABEL } from "../../../src/contract/names.ts";
import { at, type JsonObject } from "../../../src/json/value.ts";
import { connect } from "../../../src/kube/connection.ts";
import { type Registration, registerWebhooks } from "../../../src/kube/registration.ts";
import { KubeSecrets } from "../../../src/kube/secrets.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { createWebhookApp } from "../../../src/webhook/app.ts";
import { createWebhookServer, useCertificate } from "../../../src/webhook/server.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { contextOf } from "../../component/webhook/reviews.ts";
import { eventually } from "../suite/eventually.ts";
import { patroniPod } from "./injector.ts";

/** Days become seconds: the API server and its clock are real. */
const LIFETIMES: Lifetimes = { authorityMs: 15_000, leafMs: 6_000, backdateMs: 1_000, cachesMs: 500 };
const WATCHED_MS = 25_000;

const logger = pino({ level: "silent" });
const ends: (() => unknown)[] = [];
let plane: ControlPlane;

before(async () => {
  plane = await startControlPlane();
  ends.push(() => plane.stop());
  await prepareNamespace(plane.api, "db", { [NAMESPACE_LABEL]: "enabled" });
});
after(async () => {
  for (const end of ends.reverse()) await end();
});

/** The whole configuration, for the one server of this test; a call that fails refuses the pod. */
function desired(caPem: string, port: number): JsonObject {
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "00-patroni-injector" },
    webhooks: [
      {
        name: "0.mutate.patroni-injector.io",
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        failurePolicy: "Fail",
        timeoutSeconds: 5,
        namespaceSelector: { matchLabels: { [NAMESPACE_LABEL]: "enabled" } },
        rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
        clientConfig: {
          url: `https://127.0.0.1:${port}/mutate`,
          caBundle: Buffer.from(caPem).toString("base64"),
        },
      },
    ],
  };
}

/** What `serve` puts together, with the short lifetimes. */
async function started(): Promise<{ server: Server; served: Served; made: string[]; leaves: Set<string> }> {
  const connection = connect(plane.kubeconfig.path);
  const metrics = createMetrics();
  // Every answer asks for another connection: only then the API server looks at the certificate.
  const app = createWebhookApp({ context: () => contextOf(), draining: () => true, logger, metrics });
  const server = createWebhookServer(app, undefined, { logger, metrics });
  ends.push(() => server.close().closeAllConnections());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  const now = () => connection.serverTime() ?? new Date();
  const sightings = new Sightings();
  const [made, leaves] = [[] as string[], new Set<string>()];
  let registration: Registration | undefined;
  const served = new Served({
    now,
    use(certificate) {
      leaves.add(certificate.certPem);
      useCertificate(server, certificate);
    },
  });
  const take = (certificate: ServingCertificate): void => {
    registration ??= registerWebhooks(connection, desired(certificate.caPem, port), {
      mode: "full",
      logger,
      now,
      onSeen({ trustees, bundles }) {
        sightings.see(bundles);
        served.see(trustees);
      },
      times: { calmMs: 10 },
    });
    registration.update(desired(certificate.caPem, port), { retiredPem: certificate.retiredPem });
    served.offer(certificate);
  };
  const source = new SelfSource({
    names: { dnsNames: [], ipAddresses: ["127.0.0.1"] },
    secrets: { authorities: "patroni-injector-ca", leaf: "patroni-injector-leaf" },
    store: new KubeSecrets(connection, "default"),
    sightings,
    now,
    logger,
    lifetimes: LIFETIMES,
    onMade: (what) => made.push(what),
    onCertificate: take,
  });
  const stopped = new AbortController();
  const looking = (async () => {
    while (!stopped.signal.aborted) {
      await source.look();
      await delay(100);
    }
  })();
  ends.push(async () => {
    stopped.abort();
    await looking;
    await registration?.stop();
  });
  return { server, served, made, leaves };
}

it("goes on calling the webhook through rotations of the leaf and of the authority", {
  timeout: 90_000,
}, async (t) => {
  const { served, made, leaves } = await started();
  await eventually("trusted", async () => served.trusted);
  const path = "/api/v1/namespaces/db/pods?dryRun=All";
  // The API server's own view of the configuration is a watch's, too.
  await eventually("in force", async () => {
    const { body } = await plane.api.request("POST", path, patroniPod("probe"));
    return at(body, "metadata", "labels", CLUSTER_LABEL) !== undefined;
  });
  const failures: unknown[] = [];
  let calls = 0;
  for (const end = performance.now() + WATCHED_MS; performance.now() < end; calls++) {
    const { status, body } = await plane.api.request("POST", path, patroniPod(`pg-${calls}`));
    if (status !== 201 || at(body, "metadata", "labels", CLUSTER_LABEL) === undefined) failures.push(body);
    assert.ok(served.trusted, served.refusals.join("; "));
    await delay(20);
  }
  assert.deepEqual(failures, []);
  const count = (what: string) => made.filter((one) => one === what).length;
  t.diagnostic(
    `${calls} calls; ${count("leaf")} leaves, ${count("authority")} authorities, ${count("retirement")} retired`,
  );
  assert.ok(leaves.size >= 5, `${leaves.size} certificates were served`);
  assert.ok(count("authority") >= 2 && count("retirement") >= 1);
});
