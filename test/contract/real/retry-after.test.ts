import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import type { TLSSocket } from "node:tls";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { eventually } from "../suite/eventually.ts";
import { patroniPod } from "./injector.ts";

let plane: ControlPlane;
before(async () => {
  plane = await startControlPlane();
});
after(() => plane?.stop());

test("a webhook that answers 429 with Retry-After is called again, over the same connection, and no call fails", async (t) => {
  const { certPem, keyPem } = await plane.authority.issueServer(["127.0.0.1"]);
  const calls: { at: number; peer: number | undefined; protocol: unknown; busy: boolean }[] = [];
  const busy = { left: 0 };
  const server = createServer({ cert: certPem, key: keyPem }, async (incoming, outgoing) => {
    const isBusy = busy.left > 0;
    const socket = incoming.socket as TLSSocket;
    calls.push({
      at: performance.now(),
      peer: socket.remotePort,
      protocol: socket.alpnProtocol,
      busy: isBusy,
    });
    if (isBusy) {
      busy.left--;
      outgoing.writeHead(429, { "Retry-After": "1", "Content-Type": "application/json" }).end("{}");
      return;
    }
    const { request } = JSON.parse(await text(incoming));
    const response = { uid: request.uid, allowed: true };
    const review = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response };
    outgoing.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(review));
  }).listen(0, "127.0.0.1");
  t.after(() => server.close().closeAllConnections());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await plane.api.request("POST", "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations", {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: "busy" },
    webhooks: [
      {
        name: "busy.example.com",
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        failurePolicy: "Fail",
        timeoutSeconds: 5,
        clientConfig: {
          url: `https://127.0.0.1:${port}/mutate`,
          caBundle: Buffer.from(plane.authority.certPem).toString("base64"),
        },
        rules: [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }],
      },
    ],
  });
  await prepareNamespace(plane.api, "busy");
  const create = (name: string) =>
    plane.api.request("POST", "/api/v1/namespaces/busy/pods?dryRun=All", patroniPod(name));
  await eventually("the webhook is in force", async () => {
    await create("pg-0");
    return calls.length > 0;
  });

  calls.length = 0;
  busy.left = 2;
  const { status } = await create("pg-1");
  assert.equal(status, 201);
  assert.deepEqual(
    calls.map((call) => call.busy),
    [true, true, false],
  );
  const [first, second, third] = calls;
  assert.ok(first && second && third);
  for (const pauseMs of [second.at - first.at, third.at - second.at])
    assert.ok(pauseMs >= 900, `${pauseMs} ms`);
  assert.equal(new Set(calls.map(({ peer }) => peer)).size, 1, "the unread body did not cost the connection");
  assert.equal(first.protocol, "http/1.1");
});
