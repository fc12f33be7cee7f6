import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { FaultOrder } from "../../../../demo/kube-api/faults.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { KubeApi } from "../../../../src/sidecar/kube-api.ts";
import { Log } from "../../../../src/sidecar/log.ts";
import { SidecarMetrics } from "../../../../src/sidecar/metrics.ts";
import { startReconnect } from "../../../../src/sidecar/reload/reconnect.ts";
import { primarySlice } from "../../../../src/sidecar/slice-client.ts";
import { NAMESPACE, SERVICE, SLICES, until, World } from "../world.ts";
import { FakeConsole } from "./console.ts";

const POOLER = { name: "pool-0" };
const OTHER_PRIMARY = "PgBouncer reconnects, for another primary is published";
const REFUSED = "PgBouncer cannot be told to reconnect";

/** What a pooler's sidecar does beside a console, with an API server of its own. */
async function scene(t: TestContext, { slice = true, resyncMs = 60_000, password = "right" } = {}) {
  const world = await World.open(t, { slice });
  const console = await FakeConsole.start(t);
  await world.writeToken(POOLER);
  const secret = join(world.folder, "login");
  await mkdir(secret);
  await writeFile(join(secret, "password"), password);
  const { hostname, port } = new URL(world.api.url);
  const environment = {
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    PATRONI_INJECTOR_RELOAD_PGBOUNCER_CONSOLE: `admin@127.0.0.1:${console.port}`,
    PATRONI_INJECTOR_RELOAD_PGBOUNCER_DIR: secret,
  };
  const lines: { readonly level: string; readonly msg: string }[] = [];
  const log = new Log("info", (line) => void lines.push(JSON.parse(line)));
  const metrics = new SidecarMetrics();
  const fault = (order: FaultOrder) =>
    world.api.faults.add({ ...order, match: { ...order.match, user: world.userOf(POOLER) } });
  const begin = () => {
    const api = new KubeApi(environment, world.tokenDir(POOLER), (code) =>
      metrics.add("api_answers_total", 1, { code: String(code) }),
    );
    const surroundings = { log, metrics, api, slice: primarySlice(NAMESPACE, SERVICE) };
    const stop = startReconnect(environment, { ...surroundings, times: { absentAfterMs: 50, resyncMs } });
    t.after(() => {
      stop();
      api.close();
    });
    return stop;
  };
  const said = (text: string) =>
    until(`it says "${text}"`, () => lines.some(({ msg }) => msg.includes(text)));
  const counted = (pattern: RegExp) => until(`metrics of ${pattern}`, () => pattern.test(metrics.text()));
  const followed = () => said("the published primary is followed");
  const publish = (endpoints: JsonObject[]) =>
    world.client.replace(`${SLICES}/${SERVICE}`, { ...world.slice, endpoints });
  return { world, console, lines, metrics, secret, fault, begin, said, counted, followed, publish };
}

const endpoint = (address: string, uid: string): JsonObject => ({
  addresses: [address],
  targetRef: { kind: "Pod", namespace: NAMESPACE, name: "pg", uid },
});

describe("RECONNECT beside PgBouncer alone", { concurrency: 4 }, () => {
  test("is said when another pod is published, and at nothing else that happens to the slice", async (t) => {
    const { world, console, begin, followed, publish } = await scene(t);
    await publish([endpoint("10.0.0.1", "one")]);
    begin();
    await followed();
    const quiet = async (what: string, change: () => Promise<unknown>) => {
      await change();
      await delay(60);
      assert.deepEqual(console.said, [], what);
    };
    const annotated = {
      ...world.slice,
      metadata: { ...(world.slice.metadata as JsonObject), annotations: { a: "b" } },
    };
    await quiet("the beginning", async () => undefined);
    await quiet("another annotation", () => world.client.replace(`${SLICES}/${SERVICE}`, annotated));
    await quiet("nobody", () => publish([]));
    await quiet("the same again", () => publish([{ ...endpoint("10.0.0.1", "one"), nodeName: "moved" }]));
    await quiet("the slice is gone", () => world.client.remove(`${SLICES}/${SERVICE}`));
    await quiet("it is made anew", () => world.makeSlice({ endpoints: [endpoint("10.0.0.1", "one")] }));
    await publish([endpoint("10.0.0.1", "two")]);
    await until("another pod of the same address", () => console.said.length === 1);
    assert.deepEqual(console.said, ["RECONNECT"]);
  });

  test("is heard although the slice did not exist at first, which is told", async (t) => {
    const { world, console, lines, begin, said, publish } = await scene(t, { slice: false });
    begin();
    await said(`EndpointSlice ${NAMESPACE}/${SERVICE} does not exist: waiting for the controller to make it`);
    await world.makeSlice({ endpoints: [endpoint("10.0.0.1", "one")] });
    await said("exists");
    await publish([endpoint("10.0.0.2", "two")]);
    await until("RECONNECT", () => console.said.length > 0);
    assert.equal(lines.filter(({ level }) => level === "warn").length, 1);
  });

  const BROKEN: readonly (readonly [string, FaultOrder, RegExp, RegExp])[] = [
    [
      "403",
      { kind: "status", status: 403, times: 3, match: { verb: "watch" } },
      /^warn no other primary is heard of: permission missing: .* may not watch endpointslices db\/pg-primary/,
      /api_answers_total\{code="403"\} 3\n/,
    ],
    [
      "410",
      { kind: "watch-gone", times: 2 },
      /^info the watch of .* was interrupted/,
      /code="200"\} [3-9]\n/,
    ],
    [
      "429",
      { kind: "status", status: 429, times: 3, match: { verb: "watch" } },
      /^warn no other primary is heard of/,
      /code="429"\} 3\n/,
    ],
    ["no API server", { kind: "drop", times: 3 }, /^warn no other primary is heard of/, /code="0"\} 3\n/],
  ];
  for (const [what, order, told, answers] of BROKEN) {
    test(`is said after ${what}, which is told and counted`, async (t) => {
      const { console, lines, fault, begin, counted, followed, publish } = await scene(t);
      await publish([endpoint("10.0.0.1", "one")]);
      const struck = fault(order);
      begin();
      await until("the fault is over", () => struck.hits === order.times);
      await followed();
      await until("it is seen", () => lines.some(({ level, msg }) => told.test(`${level} ${msg}`)));
      await publish([endpoint("10.0.0.2", "two")]);
      await until("RECONNECT", () => console.said.length > 0);
      await counted(/reconnects_total\{result="done"\} 1\n/);
      await counted(answers);
      await counted(/primary_watched 1\n/);
    });
  }

  test("is said although the watch has gone silent", async (t) => {
    const { console, fault, begin, followed, publish } = await scene(t, { resyncMs: 30 });
    await publish([endpoint("10.0.0.1", "one")]);
    begin();
    await followed();
    fault({ kind: "watch-silent" });
    await publish([endpoint("10.0.0.2", "two")]);
    await until("RECONNECT", () => console.said.length > 0);
  });

  test("is tried again, less and less often, until the password is right", async (t) => {
    const { console, lines, secret, begin, counted, said, followed, publish } = await scene(t, {
      password: "wrong",
    });
    await publish([endpoint("10.0.0.1", "one")]);
    begin();
    await followed();
    await publish([endpoint("10.0.0.2", "two")]);
    await until("two attempts", () => console.refused === 2);
    await said(REFUSED);
    assert.match(JSON.stringify(lines), /"problem":"password authentication failed"/);
    await writeFile(join(secret, "password"), "right");
    await said(OTHER_PRIMARY);
    await counted(/reconnects_total\{result="failed"\} [23]\n/);
    await counted(/reconnects_total\{result="done"\} 1\n/);
  });

  test("is not tried any more once it is stopped", async (t) => {
    const { console, begin, said, followed, publish } = await scene(t, { password: "wrong" });
    await publish([endpoint("10.0.0.1", "one")]);
    const stop = begin();
    await followed();
    await publish([endpoint("10.0.0.2", "two")]);
    await said(REFUSED);
    stop();
    const { refused } = console;
    await delay(700);
    assert.equal(console.refused, refused);
  });
});
