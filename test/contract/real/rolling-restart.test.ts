import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { stringify } from "yaml";
import { CLUSTER_LABEL, NAMESPACE_LABEL } from "../../../src/contract/names.ts";
import { at, type JsonObject } from "../../../src/json/value.ts";
import { Balancer } from "../../chaos/rollout/balancer.ts";
import { load } from "../../chaos/rollout/load.ts";
import { type Replica, rollingRestart, startReplica } from "../../chaos/rollout/restart.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { eventually } from "../suite/eventually.ts";
import { patroniPod } from "./injector.ts";

/** A replica is out of the balancer 0.7 s after it is not ready any more, and goes on for 3 s. */
const PROXY_DELAY_MS = 700;
const DRAIN_SECONDS = 3;

/** What an API server, its etcd and three replicas bear on two cores that others use as well. */
const PODS_PER_SECOND = 20;

let plane: ControlPlane;
let balancer: Balancer;
let folder: string;
const replicas: Replica[] = [];

/**
 * A pod that the webhook is not asked about is refused: every failed call is seen. The API server is patient, so that a machine which
 * is short of time is not taken for a call that was lost.
 */
const configuration = (port: number): JsonObject => ({
  clusterDomain: "cluster.local",
  webhook: {
    host: "127.0.0.1",
    port: 0,
    failurePolicy: "Fail",
    timeoutSeconds: 15,
    registration: { mode: "full", url: `https://127.0.0.1:${port}` },
  },
  operations: { host: "127.0.0.1", port: 0 },
  drainSeconds: DRAIN_SECONDS,
});

before(async () => {
  plane = await startControlPlane();
  balancer = await Balancer.start(PROXY_DELAY_MS);
  folder = await mkdtemp(join(tmpdir(), "rolling-restart-"));
});
after(async () => {
  await Promise.all(replicas.map(({ program }) => program.stop(20_000)));
  await balancer?.close();
  await plane?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

async function admit(number: number): Promise<void> {
  const path = "/api/v1/namespaces/rolled/pods?dryRun=All";
  const { status, body } = await plane.api.request("POST", path, patroniPod(`pg-${number}`));
  if (status !== 201) throw new Error(`${status}: ${String(at(body, "message"))}`);
  if (at(body, "metadata", "labels", CLUSTER_LABEL) === undefined) throw new Error("not injected");
}

test("no pod's creation fails while every replica is replaced", { timeout: 180_000 }, async () => {
  const config = join(folder, "config.yaml");
  await writeFile(config, stringify(configuration(balancer.port)));
  const options = ["--config", config, "--kubeconfig", plane.kubeconfig.path];
  for (let count = 0; count < 2; count++) replicas.push(await startReplica(balancer, options));
  await prepareNamespace(plane.api, "rolled", { [NAMESPACE_LABEL]: "enabled" });
  await eventually("the webhook is in force", () =>
    admit(0).then(
      () => true,
      () => false,
    ),
  );

  const ended = new AbortController();
  const loaded = load(PODS_PER_SECOND, admit, ended.signal);
  const before = replicas.map(({ port }) => port);
  await rollingRestart(balancer, replicas, options);
  ended.abort();
  const { calls, failures } = await loaded;
  assert.deepEqual([...failures], [], `of ${calls} creations`);
  assert.ok(calls > 100, `only ${calls} creations were tried`);
  assert.deepEqual(
    replicas.filter(({ port }) => before.includes(port)),
    [],
    "every replica was replaced",
  );
});
