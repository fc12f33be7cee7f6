import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { KubeApi } from "../../../src/sidecar/kube-api.ts";
import { SERVICE, SLICES, World } from "./world.ts";

/** A way to the API server on which every new connection stands still at first. */
async function slowWay(t: TestContext, world: World, ms: number): Promise<string> {
  const proxy = createServer((socket) => {
    const onward = connect(Number(new URL(world.api.url).port), "127.0.0.1");
    for (const end of [socket, onward]) end.on("error", () => undefined);
    onward.pipe(socket);
    setTimeout(() => socket.pipe(onward), ms);
  });
  t.after(() => proxy.close());
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return String((proxy.address() as AddressInfo).port);
}

async function client(t: TestContext, world: World, port?: string): Promise<KubeApi> {
  await world.writeToken({ name: "pg-0" });
  const { hostname, port: own } = new URL(world.api.url);
  const environment = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port ?? own };
  const api = new KubeApi(environment, world.tokenDir({ name: "pg-0" }));
  t.after(() => api.close());
  return api;
}

const updates = (world: World) => world.api.audit.entries.filter(({ verb }) => verb === "update").length;

// The last look at the clock is taken when the connection stands, not when it is asked for: what lies between may be long.
test("a write whose connection stood too late is not sent", async (t) => {
  const world = await World.open(t);
  const api = await client(t, world, await slowWay(t, world, 400));
  const put = { method: "PUT", path: `${SLICES}/${SERVICE}`, body: world.slice, timeoutMs: 2000 } as const;
  const late = await api.send({ ...put, notAfter: performance.now() + 100 });
  assert.equal(late.expired, true);
  assert.equal(late.code, 0);
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(updates(world), 0);
  const inTime = await api.send({ ...put, notAfter: performance.now() + 1500 });
  assert.equal(inTime.code, 200);
});

test("on a connection that stands already, the clock counts as well", async (t) => {
  const world = await World.open(t);
  const api = await client(t, world);
  const path = `${SLICES}/${SERVICE}`;
  assert.equal((await api.send({ method: "GET", path, timeoutMs: 2000 })).code, 200);
  const put = { method: "PUT", path, body: world.slice, timeoutMs: 2000 } as const;
  assert.equal((await api.send({ ...put, notAfter: performance.now() - 1 })).expired, true);
  assert.equal(updates(world), 0);
  assert.equal((await api.send({ ...put, notAfter: performance.now() + 1000 })).code, 200);
});

test("an answer that does not come in time is no answer, in words", async (t) => {
  const world = await World.open(t);
  const api = await client(t, world);
  world.api.faults.add({ kind: "hang", times: 1 });
  const answer = await api.send({ method: "GET", path: `${SLICES}/${SERVICE}`, timeoutMs: 200 });
  assert.deepEqual([answer.code, answer.problem, answer.expired], [0, "nothing in 200 ms", false]);
});

test("without a token file there is no answer either, and nothing is thrown", async () => {
  const api = new KubeApi({}, "/does/not/exist");
  const answer = await api.send({ method: "GET", path: "/", timeoutMs: 200 });
  assert.equal(answer.code, 0);
  assert.match(answer.problem, /ENOENT/);
  api.close();
});
