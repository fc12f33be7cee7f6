import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { createServer } from "node:tls";
import { issueAuthority, issueLeaf } from "../../../src/certificates/issue.ts";
import { defaultConfig } from "../../../src/config/load.ts";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { desiredWebhookConfiguration } from "../../../src/webhook/registration.ts";
import { namespace, threeMembers } from "../../unit/audit/world.ts";
import { order, startConnected } from "../kube/support.ts";
import { audited, keep } from "./world.ts";

const WEBHOOK = defaultConfig().webhook.registration;
const NAME = `${WEBHOOK.service.name}.injector.svc`;

/** What is found of the cluster in `db`, and what could not be looked at, where only that namespace is audited. */
async function foundOf(kubeconfig: string) {
  const { stdout } = await audited(["-n", "db", "--direct", "--kubeconfig", kubeconfig, "-o", "json"]);
  const [cluster] = objectsIn(JSON.parse(stdout).clusters);
  return {
    findings: objectsIn(cluster?.findings).map(({ code, evidence }) => `${code}: ${evidence}`),
    unseen: objectsIn(cluster?.unseen).map(({ codes, why }) => `${String(codes)}: ${String(why)}`),
  };
}

const OPERATOR: JsonObject[] = [
  namespace("ops"),
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: "ops", name: "operator", labels: { name: "postgres-operator" } },
    spec: { containers: [{ name: "operator", image: "example.test/operator:1" }] },
  },
];

describe("an audit of one namespace", () => {
  it("reads the policies that shut the operator in where it is", async (t) => {
    const { api, connection, kubeconfig } = await startConnected(t);
    const shut: JsonObject = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { namespace: "ops", name: "shut" },
      spec: { podSelector: {}, policyTypes: ["Egress"] },
    };
    await keep(connection, [...threeMembers(), ...OPERATOR, shut]);
    const { findings } = await foundOf(kubeconfig);
    assert.ok(findings.some((line) => /^blocked-operator: .* ops\/shut isolates ops\/operator/.test(line)));

    order(
      api,
      { kind: "status", status: 403 },
      { verb: "list", resource: "networkpolicies.networking.k8s.io", namespace: "ops" },
    );
    const without = await foundOf(kubeconfig);
    assert.ok(!without.findings.some((line) => line.startsWith("blocked-operator")));
    assert.ok(
      without.unseen.some((line) => /blocked-operator: .*networkpolicies/.test(line)),
      without.unseen.join("\n"),
    );
  });

  it("asks the webhook's pods where they are, and finds that nobody trusts them", async (t) => {
    const { connection, kubeconfig } = await startConnected(t);
    const validity = { from: new Date(), days: 1 };
    const [own, other] = await Promise.all(["own", "other"].map((name) => issueAuthority(name, validity)));
    const names = { dnsNames: [NAME], ipAddresses: [] };
    assert.ok(own && other);
    const port = await serving(t, await issueLeaf("serve", names, validity, own));
    await keep(connection, [
      ...threeMembers(),
      namespace("injector"),
      webhookService,
      podsAt(port),
      configuration(other.certPem),
    ]);
    const { findings, unseen } = await foundOf(kubeconfig);
    const told = findings.filter((line) => line.startsWith("webhook-"));
    assert.ok(told.length > 0 && told.every((line) => line.startsWith("webhook-untrusted: ")));
    assert.match(told[0] ?? "", /what injector\/serve-1 serves is refused: no authority in the caBundle/);
    assert.ok(!unseen.some((line) => line.includes("webhook-")));

    const [path] = ["/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"];
    await connection.send({ method: "DELETE", path: `${path}/${WEBHOOK.name}` });
    await keep(connection, [configuration(own.certPem)]);
    const trusted = await foundOf(kubeconfig);
    assert.deepEqual(
      trusted.findings.filter((line) => line.startsWith("webhook-")),
      [],
    );
    assert.ok(!trusted.unseen.some((line) => line.includes("webhook-")));
  });
});

/** A TLS server, for the length of a test. @returns its port */
async function serving(t: TestContext, { certPem, keyPem }: { certPem: string; keyPem: string }) {
  const server = createServer({ cert: certPem, key: keyPem });
  t.after(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const webhookService: JsonObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "injector", name: WEBHOOK.service.name },
  spec: { ports: [{ name: "webhook", port: 443, targetPort: 10250 }] },
};

const podsAt = (port: number): JsonObject => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: {
    namespace: "injector",
    name: "webhook-1",
    labels: { "kubernetes.io/service-name": WEBHOOK.service.name },
  },
  addressType: "IPv4",
  ports: [{ name: "webhook", port }],
  endpoints: [
    {
      addresses: ["127.0.0.1"],
      conditions: { ready: true },
      targetRef: { kind: "Pod", namespace: "injector", name: "serve-1" },
    },
  ],
});

/** @param caPem whom API servers trust */
function configuration(caPem: string): JsonObject {
  const whole = desiredWebhookConfiguration(defaultConfig(), {
    ownNamespace: "injector",
    caPem,
    port: 10250,
  });
  return { ...whole, metadata: { name: at(whole, "metadata", "name") as string } };
}
