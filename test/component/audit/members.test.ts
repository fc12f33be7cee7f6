import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { askMembers } from "../../../src/audit/collect/members.ts";
import { contextOf } from "../../../src/audit/context.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { groundOf, member, namespace } from "../../unit/audit/world.ts";
import { startPlain } from "../kube/support.ts";

const DATE = "Thu, 01 Jan 2026 12:00:00 GMT";
const PATRONI = { state: "running", role: "replica" };
const ETCD = { name: "PATRONI_ETCD3_HOSTS", value: "etcd:2379" };
const SCOPE = { name: "PATRONI_SCOPE", value: "pg" };

/** The one member of a cluster whose DCS is not Kubernetes, at this machine. @param port of its REST API */
function casesOf(port: number) {
  const spec = { containers: [{ name: "postgres", env: [SCOPE, ETCD] }] };
  const pod: JsonObject = {
    ...member(0, spec, { annotations: { "patroni-injector.io/patroni-port": String(port) } }),
    status: { phase: "Running", podIP: "127.0.0.1" },
  };
  const ground = groundOf({ objects: [namespace("db"), pod] });
  return ground.clusters.map((cluster) => ({ cluster, dcs: contextOf(cluster, ground).dcs }));
}

describe("what members are asked", () => {
  it("comes with their own clock, through the API server's proxy", async (t) => {
    const paths: string[] = [];
    const connection = await startPlain(t, ({ url }, answer) => {
      paths.push(decodeURIComponent(url ?? ""));
      answer.writeHead(200, { date: DATE }).end(JSON.stringify(PATRONI));
    });
    const answers = await askMembers(connection, casesOf(8008), "proxy");
    const seen = answers.get("db/pg-0");
    assert.ok(seen && "value" in seen);
    assert.deepEqual([seen.value.patroni, seen.value.patroniDate], [PATRONI, new Date(DATE)]);
    assert.deepEqual(
      paths,
      ["patroni", "cluster", "config"].map(
        (path) => `/api/v1/namespaces/db/pods/http:pg-0:8008/proxy/${path}`,
      ),
    );
  });

  it("and at their own addresses", async (t) => {
    const server = createServer((_, answer) => {
      answer.writeHead(200, { date: DATE }).end(JSON.stringify(PATRONI));
    }).listen(0, "127.0.0.1");
    t.after(() => void server.close());
    await once(server, "listening");
    let isAsked = false;
    const nobody = await startPlain(t, (_, answer) => {
      isAsked = true;
      answer.writeHead(500).end();
    });
    const { port } = server.address() as AddressInfo;
    const seen = (await askMembers(nobody, casesOf(port), "direct")).get("db/pg-0");
    assert.ok(seen && "value" in seen && !isAsked, JSON.stringify(seen));
    assert.deepEqual([seen.value.patroni, seen.value.patroniDate], [PATRONI, new Date(DATE)]);
  });
});
