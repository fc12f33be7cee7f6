import assert from "node:assert/strict";
import { test } from "node:test";
import { KubeApi } from "../../src/sidecar/kube-api.ts";
import { SERVICE, SLICES, World } from "../component/sidecar/world.ts";
import { Pooler } from "./rig/pooler.ts";
import { pgbouncerEnvironment, ReloadApi } from "./rig/reload-api.ts";
import { until } from "./rig/service.ts";

test("another primary is published: PgBouncer reconnects, at once and once more", async (t) => {
  const world = await World.open(t);
  const pooler = await Pooler.start();
  t.after(() => pooler.stop());
  const place = { name: "pg-0" };
  await world.writeToken(place);
  const { hostname, port } = new URL(world.api.url);
  const environment = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
  const api = await ReloadApi.start(
    { ...pgbouncerEnvironment(pooler), PATRONI_INJECTOR_RELOAD_PGBOUNCER_RECONNECT: "on" },
    undefined,
    new KubeApi(environment, world.tokenDir(place)),
  );
  t.after(() => api.stop());
  const publish = async (...addresses: string[]) => {
    const endpoints = addresses.length === 0 ? [] : [{ addresses, conditions: { ready: true } }];
    await world.client.replace(`${SLICES}/${SERVICE}`, { ...world.slice, endpoints });
  };
  const reconnects = () => (pooler.log.match(/RECONNECT command issued/g) ?? []).length;
  await publish("10.0.0.1");
  await publish();
  await publish("10.0.0.1");
  assert.equal(reconnects(), 0, "the first that is seen, and the same again, are no other primary");
  await publish("10.0.0.2");
  await until("RECONNECT", () => reconnects() === 1, 2000);
  await until("RECONNECT, once more", () => reconnects() === 2, 5000);
  assert.match(api.metrics.text(), /sidecar_reconnects_total\{result="done"\} 2\n/);
});
