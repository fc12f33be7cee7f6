import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { askReplicas } from "../../../src/audit/collect/replicas.ts";
import { DECISIONS_PATH } from "../../../src/contract/decisions.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { createOperationsApp } from "../../../src/webhook/operations.ts";
import { RecentDecisions } from "../../../src/webhook/recent.ts";
import { namespace } from "../../unit/audit/world.ts";
import { startConnected, startPlain } from "../kube/support.ts";
import { audited, keep } from "./world.ts";

const NOW = Date.UTC(2026, 0, 1);

/** What a replica answers after it was asked to change nothing for a pod of a namespace in audit mode. */
function replica(): RequestListener {
  const recent = new RecentDecisions(() => NOW);
  recent.keep({
    ...{ uid: "u", namespace: "db", name: "pg-0", mode: "audit", dryRun: false },
    ...{ decision: "inject", reason: "injected", notes: [], applied: ["sidecar"], patchOperations: 1 },
  });
  return createOperationsApp({
    missing: () => [],
    beforeScrape: () => {},
    metrics: createMetrics(),
    decisions: () => recent.told(),
  });
}

/** Answers of what is no replica, or no longer in order; and what is said of each. */
const HOSTILE: readonly (readonly [name: string, listener: RequestListener, why: RegExp])[] = [
  ["huge", (_, response) => response.end(`{"x":"${"y".repeat(1 << 20)}"}`), /too large|larger than/],
  ["words", (_, response) => response.end("<html>"), /status 200|no JSON/],
  ["other", (_, response) => response.end('{"status":"ok"}'), /not that of a replica/],
  ["failing", (_, response) => response.writeHead(500).end("{}"), /500/],
  ["cut", (_, response) => response.write('{"since":') && response.destroy(), /hang up|aborted|broke off/],
];

/** Neither ends: one says nothing, one a little of it all the time. */
const SLOW: readonly (readonly [name: string, listener: RequestListener, why: RegExp])[] = [
  ["silent", () => {}, /nothing in 1000 ms/],
  [
    "dripping",
    (_, response) => {
      const drip = setInterval(() => response.write(" "), 50);
      response.on("close", () => clearInterval(drip));
    },
    /nothing in 1000 ms/,
  ],
];

async function listening(t: TestContext, server: Server & { closeAllConnections(): void }): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const podOf = (name: string, port: number): JsonObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "injector", labels: { "app.kubernetes.io/name": "patroni-injector" } },
  spec: { containers: [{ name: "serve", ports: [{ name: "metrics", containerPort: port }] }] },
  status: { phase: "Running", podIP: "127.0.0.1" },
});

const TOLD = {
  since: new Date(NOW).toISOString(),
  decisions: [{ namespace: "db", pod: "pg-0", reason: "injected" }],
};

describe("replicas that are asked directly", () => {
  it("tell what they remember; each that cannot be read is named with the reason, and stops nothing", async (t) => {
    const connection = await startPlain(t, () => assert.fail("the API server was asked"));
    const servers = [["well", replica(), /./] as const, ...HOSTILE, ...SLOW];
    const pods = await Promise.all(
      servers.map(async ([name, listener]) => podOf(name, await listening(t, createServer(listener)))),
    );
    const gone = createServer();
    const port = await listening(t, gone);
    gone.close();
    await once(gone, "close");
    const secure = podOf(
      "secure",
      await listening(
        t,
        createSecureServer(() => {}),
      ),
    );
    const homeless = { ...podOf("homeless", 1), status: { phase: "Running" } };
    const ended = { ...podOf("ended", 1), status: { phase: "Succeeded" } };

    const asked = [...pods, podOf("gone", port), secure, homeless, ended];
    const memories = await askReplicas(connection, { value: asked }, "direct");

    const [first, ...others] = memories;
    assert.deepEqual(first, { replica: "injector/well", told: { value: TOLD } });
    const expected = [
      ...[...HOSTILE, ...SLOW].map(([name, , why]) => [name, why] as const),
      ...([
        ["gone", /ECONNREFUSED/],
        ["secure", /./],
        ["homeless", /no address/],
      ] as const),
    ];
    assert.deepEqual(
      others.map((each) => each.replica),
      expected.map(([name]) => `injector/${name}`),
    );
    for (const [index, [name, why]] of expected.entries()) {
      const told = others[index]?.told;
      assert.ok(told && "unseen" in told, name);
      assert.match(told.unseen, why, name);
    }
  });

  it("are in the report of the command", async (t) => {
    const { connection, kubeconfig } = await startConnected(t);
    const port = await listening(t, createServer(replica()));
    await keep(connection, [
      namespace("db", { "patroni-injector.io/injection": "audit" }),
      namespace("injector"),
      podOf("well", port),
      podOf("gone", 1),
    ]);
    const argv = ["-A", "--direct", "--kubeconfig", kubeconfig, "-o", "json"];
    const { code, stdout, stderr } = await audited(argv);
    assert.equal(code, 0, stderr);
    const { auditMode } = JSON.parse(stdout);
    assert.deepEqual(auditMode.groups, [{ namespace: "db", reason: "injected", pods: ["pg-0"] }]);
    assert.deepEqual(auditMode.since, { "injector/well": TOLD.since });
    assert.deepEqual(
      auditMode.unread.map((each: JsonObject) => each.replica),
      ["injector/gone"],
    );
  });
});

describe("replicas that are asked through the API server", () => {
  it("are held to the same", async (t) => {
    const listeners = new Map([["well", replica()], ...HOSTILE.map(([name, each]) => [name, each] as const)]);
    const connection = await startPlain(t, (request, response) => {
      const [, name = ""] =
        /^\/api\/v1\/namespaces\/injector\/pods\/http%3A(\w+)%3A9\/proxy/.exec(request.url ?? "") ?? [];
      request.url = DECISIONS_PATH;
      const listener = listeners.get(name);
      if (listener === undefined) response.writeHead(403).end('{"message":"pods/proxy is forbidden"}');
      else listener(request, response);
    });
    const pods = [...listeners.keys(), "forbidden"].map((name) => podOf(name, 9));
    const [first, ...others] = await askReplicas(connection, { value: pods }, "proxy");
    assert.deepEqual(first, { replica: "injector/well", told: { value: TOLD } });
    const reasons = [...HOSTILE.map(([, , why]) => why), /pods\/proxy is forbidden/];
    for (const [index, why] of reasons.entries()) {
      const told = others[index]?.told;
      assert.ok(told && "unseen" in told);
      assert.match(told.unseen, why);
    }
  });

  it("that cannot even be listed are one line", async (t) => {
    const connection = await startPlain(t, () => assert.fail("something was asked"));
    const unseen = { unseen: "pods: forbidden" };
    assert.deepEqual(await askReplicas(connection, unseen, "proxy"), [
      { replica: "every replica", told: unseen },
    ]);
    assert.deepEqual(await askReplicas(connection, { value: [] }, "proxy"), [
      { replica: "every replica", told: { unseen: "no pod of `serve` runs" } },
    ]);
  });
});
