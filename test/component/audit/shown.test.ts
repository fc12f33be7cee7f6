import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer as createPlainServer } from "node:net";
import { Duplex } from "node:stream";
import { after, before, describe, test } from "node:test";
import { createServer, type Server } from "node:tls";
import { askShown } from "../../../src/audit/collect/shown.ts";
import { entriesIn } from "../../../src/audit/webhook/entries.ts";
import { keyOf, targetOf } from "../../../src/audit/webhook/target.ts";
import { type Issued, issueAuthority, issueLeaf } from "../../../src/certificates/issue.ts";
import { certificatesIn } from "../../../src/certificates/pem.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import type { OpenPort } from "../../../src/kube/port-forward.ts";
import { snapshotOf } from "../../unit/audit/world.ts";

const NOW = new Date("2026-03-10T12:00:00Z");

let leaf: Issued;
let server: Server;
let port = 0;
/** Of the clients, as they came. */
let names: string[] = [];

before(async () => {
  const validity = { from: new Date(), days: 1 };
  const authority = await issueAuthority("CA", validity);
  leaf = await issueLeaf("s", { dnsNames: ["hook.injector.svc"], ipAddresses: [] }, validity, authority);
  const SNICallback = (name: string, done: (error: null) => void): void => {
    names.push(name);
    done(null);
  };
  server = createServer({ cert: leaf.certPem, key: leaf.keyPem, SNICallback });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});
after(() => void server.close());

const configuration = (clientConfig: JsonObject): JsonObject => ({
  kind: "MutatingWebhookConfiguration",
  metadata: { name: "hook" },
  webhooks: [{ name: "0.mutate.patroni-injector.io", clientConfig }],
});
const byService = configuration({ service: { namespace: "injector", name: "hook", port: 8443 } });

/** A Service with two ports, and two pods behind it that are ready, at the server's port. */
const objects = (): JsonObject[] => [
  {
    kind: "Service",
    metadata: { namespace: "injector", name: "hook" },
    spec: {
      ports: [
        { name: "metrics", port: 9090 },
        { name: "webhook", port: 8443 },
      ],
    },
  },
  {
    kind: "EndpointSlice",
    metadata: { namespace: "injector", labels: { "kubernetes.io/service-name": "hook" } },
    ports: [
      { name: "metrics", port: 1 },
      { name: "webhook", port },
    ],
    endpoints: ["serve-1", "serve-2", "serve-3"].map((name, index) => ({
      addresses: ["127.0.0.1"],
      conditions: { ready: index < 2 },
      targetRef: { kind: "Pod", namespace: "injector", name },
    })),
  },
];

/** No pod's port can be opened. */
const closed: OpenPort = async () => {
  throw new Error("403");
};

async function shown(hook: JsonObject, way: "proxy" | "direct", openPort: OpenPort = closed) {
  names = [];
  const entries = entriesIn([hook]);
  const options = { snapshot: snapshotOf({ objects: objects() }), way, openPort, now: () => NOW };
  const all = await askShown(entries, options);
  const target = targetOf(entries[0]?.entry ?? {});
  assert.ok(target);
  const seen = all.get(keyOf(target));
  assert.ok(seen && "value" in seen);
  return seen.value.map(({ by, chain }) => {
    if ("unseen" in chain) return [by, chain.unseen];
    assert.equal(chain.value.at, NOW);
    return [by, certificatesIn(chain.value.pem)[0]?.fingerprint256];
  });
}

const own = () => certificatesIn(leaf.certPem)[0]?.fingerprint256;

describe("what the webhook shows", () => {
  test("each ready pod is asked at its address, by the name that API servers call", async () => {
    assert.deepEqual(await shown(byService, "direct"), [
      ["injector/serve-1", own()],
      ["injector/serve-2", own()],
    ]);
    assert.deepEqual(names, ["hook.injector.svc", "hook.injector.svc"]);
  });

  test("through the API server, over a stream; who cannot be reached is told", async () => {
    const opened: Duplex[] = [];
    const openPort: OpenPort = async (namespace, pod, wanted) => {
      assert.deepEqual([namespace, wanted], ["injector", port]);
      if (pod === "serve-2") throw new Error("Unexpected server response: 403");
      const socket = connect({ host: "127.0.0.1", port });
      const stream = Duplex.from({ readable: socket, writable: socket });
      opened.push(stream);
      return stream;
    };
    assert.deepEqual(await shown(byService, "proxy", openPort), [
      ["injector/serve-1", own()],
      ["injector/serve-2", "Unexpected server response: 403"],
    ]);
    assert.deepEqual(
      opened.map(({ destroyed }) => destroyed),
      [true],
    );
  });

  test("a URL is called from here, whichever way pods are", async () => {
    const hook = configuration({ url: `https://127.0.0.1:${port}/mutate` });
    for (const way of ["direct", "proxy"] as const)
      assert.deepEqual(await shown(hook, way), [[`127.0.0.1, port ${port}`, own()]]);
    assert.deepEqual(names, [], "an address is no server name");
  });

  test("who hangs up, or is not there, is told", async () => {
    const rude = createPlainServer((socket) => void socket.destroy());
    rude.listen(0, "127.0.0.1");
    await once(rude, "listening");
    const { port: rudePort } = rude.address() as AddressInfo;
    const [[, why] = []] = await shown(configuration({ url: `https://127.0.0.1:${rudePort}` }), "direct");
    assert.match(String(why), /ECONNRESET|socket disconnected/);
    rude.close();
    await once(rude, "close");
    const [[, gone] = []] = await shown(configuration({ url: `https://127.0.0.1:${rudePort}` }), "direct");
    assert.match(String(gone), /ECONNREFUSED/);
  });
});
