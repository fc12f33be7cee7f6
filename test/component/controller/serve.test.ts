import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Program } from "../../../demo/program.ts";
import { asObject, at } from "../../../src/json/value.ts";
import { until } from "../kube-api/support.ts";
import { NAMESPACE, startWorld, type World } from "./world.ts";

/** A Secret as the chart makes it, for the controller to fill. */
const addKept = (world: World, namespace: string, name: string, keeps: string) =>
  world.post(`/api/v1/namespaces/${namespace}/secrets`, {
    metadata: { name, labels: { "patroni-injector.io/keeps": keeps } },
    type: "Opaque",
  });

const CONFIG = `
webhook: { host: 127.0.0.1, port: 0, registration: { mode: none } }
operations: { host: 127.0.0.1, port: 0 }
drainSeconds: 0
`;

/** How replicas of serve are started against this world. */
async function startServe(t: TestContext, world: World): Promise<(name: string) => Program> {
  const folder = await mkdtemp(join(tmpdir(), "controller-"));
  t.after(() => rm(folder, { recursive: true }));
  const [config, kubeconfig] = [join(folder, "config.yaml"), join(folder, "kubeconfig")];
  await writeFile(config, CONFIG);
  await writeFile(kubeconfig, world.api.kubeconfig());
  return (name) => {
    const args = ["serve", "--config", config, "--kubeconfig", kubeconfig];
    const program = new Program(args, { POD_NAME: name, POD_NAMESPACE: "patroni-injector" });
    world.endsWith(() => program.stop());
    return program;
  };
}

test("of two replicas of serve one reconciles, and the other goes on where it ends", async (t) => {
  const world = await startWorld(t);
  await world.post("/api/v1/namespaces", { metadata: { name: "patroni-injector" } });
  const start = await startServe(t, world);
  const one = start("one");
  await one.said("leading");
  await world.untilPublished(world.cluster.primary);
  const two = start("two");
  await two.said("listening");

  const listening = one.log.find(({ msg }) => msg === "listening") as
    | { operations?: { port: number } }
    | undefined;
  const metrics = await (await fetch(`http://127.0.0.1:${listening?.operations?.port}/metrics`)).text();
  assert.match(metrics, /^patroni_injector_controller_leader 1$/m);
  assert.match(metrics, /^patroni_injector_controller_clusters 1$/m);
  assert.match(metrics, /^patroni_injector_controller_pods\{sidecar="absent"\} 3$/m);

  await one.stop();
  await two.said("leading");
  const lease = world.api.get(
    "leases.coordination.k8s.io",
    "patroni-injector",
    "patroni-injector-controller",
  );
  assert.match(String(at(lease?.spec, "holderIdentity")), /^two_/);
  const [, second] = world.cluster.members;
  assert.ok(second);
  await world.cluster.switchover(second);
  await until("the other one is published", () => world.published?.join() === second.host);
});

test("serve keeps the certificate of reload APIs that members ask for", async (t) => {
  const world = await startWorld(t, { pods: false });
  await world.post("/api/v1/namespaces", { metadata: { name: "patroni-injector" } });
  await addKept(world, "patroni-injector", "patroni-injector-reload-ca", "reload-authorities");
  await addKept(world, NAMESPACE, "patroni-injector-reload-tls", "reload-certificate");
  await world.addStatefulSet({ annotations: { "patroni-injector.io/reload-postgres-version": "dcs" } });
  const program = (await startServe(t, world))("one");
  await program.said("leading");
  await program.said("the reload API's certificate was written");
  const { data } = await world.send(
    "GET",
    `/api/v1/namespaces/${NAMESPACE}/secrets/patroni-injector-reload-tls`,
  );
  assert.deepEqual(Object.keys(asObject(data) ?? {}).sort(), ["ca.crt", "tls.crt", "tls.key"]);
});
