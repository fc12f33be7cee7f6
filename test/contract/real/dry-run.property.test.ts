import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { CLUSTER_LABEL, NAMESPACE_LABEL, SIDECAR_CONTAINER } from "../../../src/contract/names.ts";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import type { ApiResponse } from "../../cluster/api-client.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { runs } from "../../properties/runs.ts";
import { type Injector, startInjector } from "./injector.ts";
import { asSent, withoutRandomNames } from "./stored.ts";
import { almostValidPod } from "./valid-pods.ts";

/** Services by namespace: a pod's subdomain may name one of them, or our own headless Service's name may be taken. */
const SERVICES: Readonly<Record<string, readonly JsonObject[]>> = {
  none: [],
  leader: [{ metadata: { name: "pg" }, spec: { ports: [{ port: 5432 }] } }],
  headless: ["pods", "pg", "mine"].map((name) => ({
    metadata: { name },
    spec: { clusterIP: "None", publishNotReadyAddresses: true, selector: { application: "patroni" } },
  })),
  taken: [{ metadata: { name: "pg-headless" }, spec: { ports: [{ port: 5432 }] } }],
};

const UNINJECTED = "without-us";

let plane: ControlPlane;
let injector: Injector;

before(async () => {
  plane = await startControlPlane();
  await prepareNamespace(plane.api, UNINJECTED);
  for (const [namespace, services] of Object.entries(SERVICES)) {
    await prepareNamespace(plane.api, namespace, { [NAMESPACE_LABEL]: "enabled" });
    for (const service of services) {
      const { status, body } = await plane.api.request(
        "POST",
        `/api/v1/namespaces/${namespace}/services`,
        service,
      );
      assert.equal(status, 201, JSON.stringify(body));
    }
  }
  injector = await startInjector(plane);
});
after(async () => {
  await injector?.stop();
  await plane?.stop();
});

const dryRun = (namespace: string, pod: JsonObject): Promise<ApiResponse> =>
  plane.api.request("POST", `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod);

/** A sidecar of an earlier time is brought to the class that the other containers have. */
const hasSidecar = (pod: JsonObject): boolean =>
  [at(pod, "spec", "containers"), at(pod, "spec", "initContainers")].some((list) =>
    objectsIn(list).some(({ name }) => name === SIDECAR_CONTAINER),
  );

test("no pod that the API server accepts is refused because of us", async (t) => {
  const tally = { tried: 0, accepted: 0, injected: 0 };
  const property = fc.asyncProperty(
    almostValidPod,
    fc.constantFrom(...Object.keys(SERVICES)),
    async (pod, namespace) => {
      tally.tried++;
      const without = await dryRun(UNINJECTED, pod);
      if (without.status !== 201) return;
      tally.accepted++;
      const { status, body } = await dryRun(namespace, pod);
      assert.equal(status, 201, JSON.stringify(body));
      const stored = body as JsonObject;
      if (at(stored, "metadata", "labels", CLUSTER_LABEL) !== undefined) tally.injected++;
      if (!hasSidecar(pod)) {
        assert.equal(at(stored, "status", "qosClass"), at(without.body, "status", "qosClass"));
      }

      const sent = asSent(stored, pod);
      const again = await dryRun(namespace, sent);
      assert.equal(again.status, 201, JSON.stringify(again.body));
      const [one, other] = [again.body as JsonObject, stored].map((its) =>
        withoutRandomNames(asSent(its, pod)),
      );
      assert.deepEqual(one, other, "a second pass changes nothing");
    },
  );
  await fc.assert(property, runs(500));
  t.diagnostic(`${tally.tried} pods, ${tally.accepted} accepted, ${tally.injected} injected`);
  assert.ok(tally.accepted * 2 >= tally.tried, `only ${tally.accepted} of ${tally.tried} pods count`);
  assert.ok(
    tally.injected * 2 >= tally.accepted,
    `only ${tally.injected} of ${tally.accepted} were injected`,
  );
});
