import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { primarySliceName } from "../../../src/contract/slice-annotations.ts";
import { at, objectsIn } from "../../../src/json/value.ts";
import { runBehindPools } from "../faults/run-behind-pools.ts";
import { switchOver } from "../faults/switchover.ts";
import { poolConfig, poolSecrets } from "../manifests/pgbouncer.ts";
import { POOLER_COUNT, POOLERS, poolersObjects } from "../manifests/poolers.ts";
import type { Form } from "../rig/deploy.ts";
import { keepFigure } from "../rig/figures.ts";
import { until } from "../rig/kubectl.ts";
import { grantedTo } from "../rig/permissions.ts";
import { Pool, startLonePool } from "../rig/pool.ts";
import { hasSidecar, RECONNECTS, sidecarMetric } from "../rig/sidecars.ts";
import { extent } from "./selection.ts";
import { setStage } from "./stage.ts";

const FORM: Form = { name: "poolers", dcs: "configmaps", synchronous: false, ttlSeconds: 20 };
const TIMEOUT = { timeout: 300_000 };
/** RECONNECTs for each change: one as soon as another primary is published, one a moment later. */
const TWICE = 2;

interface PoolerPod {
  readonly name: string;
  readonly ip: string;
}

describe("PgBouncer in pods without Patroni", { skip: extent === "quick" }, () => {
  const { deployed } = setStage(FORM);
  let pods: readonly PoolerPod[];

  before(async () => {
    const { kubectl, members, service, target } = deployed();
    const { namespace, scope } = members;
    await kubectl.apply([
      poolConfig(namespace, service, 1),
      ...poolSecrets(namespace),
      ...poolersObjects(namespace, scope, target.images.pgbouncer),
    ]);
    const inNamespace = `--namespace=${namespace}`;
    await kubectl.run(["rollout", "status", `deployment/${POOLERS}`, inNamespace, "--timeout=100s"]);
    const { items } = await kubectl.json(["get", "pods", inNamespace, `--selector=app=${POOLERS}`]);
    for (const pod of objectsIn(items)) assert.ok(hasSidecar(pod), JSON.stringify(pod.metadata));
    pods = objectsIn(items).map((pod) => ({
      name: String(at(pod, "metadata", "name")),
      ip: String(at(pod, "status", "podIP")),
    }));
    assert.equal(pods.length, POOLER_COUNT);
  }, TIMEOUT);

  it("their ServiceAccount may look at one EndpointSlice, and nothing else", TIMEOUT, async () => {
    const { kubectl, members, service } = deployed();
    const granted = await until("something is granted", 30_000, async () => {
      const rules = await grantedTo(kubectl, members.namespace, POOLERS);
      return rules.length > 0 ? rules : undefined;
    });
    const rules = granted.map(({ verbs, ...rule }) => ({ ...rule, verbs: [...(verbs as string[])].sort() }));
    assert.deepEqual(rules, [
      {
        apiGroups: ["discovery.k8s.io"],
        resources: ["endpointslices"],
        resourceNames: [primarySliceName(service)],
        verbs: ["get", "watch"],
      },
    ]);
  });

  it("after a switchover they reconnect, and the clients behind each write again", TIMEOUT, async () => {
    const { kubectl, members, target } = deployed();
    const reconnects = (result: string) =>
      Promise.all(
        pods.map(({ name }) =>
          sidecarMetric(kubectl, { namespace: members.namespace, name }, RECONNECTS, { result }),
        ),
      );
    const lone = await startLonePool(deployed());
    const before = await reconnects("done");
    const [one, other] = pods;
    const found = await runBehindPools(
      deployed(),
      "poolers",
      () => ({ one: one?.ip ?? "", other: other?.ip ?? "", alone: lone }),
      ({ primary, standbys }) => switchOver(members, primary, standbys[0] ?? primary),
    );
    await until("all have reconnected", 30_000, async () => {
      const now = await reconnects("done");
      return now.every((count, index) => count - (before[index] ?? 0) === TWICE) || undefined;
    });
    assert.deepEqual(await reconnects("failed"), [0, 0]);
    for (const { name } of pods)
      assert.equal(await new Pool(deployed(), name).logged("RECONNECT command issued"), TWICE);
    for (const [name, value] of Object.entries(found)) {
      const what = `poolers: a switchover, longest time without a write behind ${name}`;
      keepFigure(target, { kind: "number", what, value, unit: "ms" });
    }
  });
});
