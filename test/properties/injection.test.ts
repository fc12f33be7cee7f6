import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import jsonPatch from "fast-json-patch";
import { sidecarIn } from "../../src/controller/facts/sidecar.ts";
import type { Part } from "../../src/injection/decision.ts";
import { answerReview } from "../../src/injection/review.ts";
import { type JsonObject, objectsIn } from "../../src/json/value.ts";
import { decideOn, settingsOf, surroundingsOf, type World } from "../unit/injection/world.ts";
import { type Scene, scene } from "./arbitraries/scenes.ts";
import { checkAdmissionReview } from "./oracles/admission-review.ts";
import { asTheApiServerHasIt } from "./oracles/api-defaults.ts";
import { applyJsonPatch } from "./oracles/json-patch.ts";
import { kubernetesQos } from "./oracles/kubernetes-qos.ts";
import { runs } from "./runs.ts";

/** Tries a rule on every generated pod that is injected, with the pod as planned. */
function forEveryInjectedPod(
  name: string,
  rule: (planned: JsonObject, scene: Scene, applied: readonly Part[]) => void,
  { numRuns } = runs(150),
): void {
  test(name, () =>
    fc.assert(
      fc.property(scene, (its) => {
        const decision = decideOn(its.pod, its.world);
        if (decision.kind === "inject") rule(decision.pod, its, decision.applied);
      }),
      { numRuns },
    ),
  );
}

const containersOf = (pod: JsonObject): JsonObject[] => {
  const { containers, initContainers } = pod.spec as JsonObject;
  return [...objectsIn(containers), ...objectsIn(initContainers)];
};

const again = (pod: JsonObject, world: World) => {
  const decision = decideOn(pod, world);
  assert.equal(decision.kind, "inject");
  return decision.kind === "inject" ? decision : assert.fail();
};

describe("injected twice is injected once", () => {
  forEveryInjectedPod("at once", (planned, { world }) => {
    const second = again(planned, world);
    assert.deepEqual(second.pod, planned);
    assert.equal(second.reason, "already-injected");
  });

  forEveryInjectedPod("after the API server's own defaults", (planned, { world }) => {
    const stored = asTheApiServerHasIt(planned);
    const second = again(stored, world);
    assert.deepEqual(second.pod, stored);
    assert.equal(second.reason, "already-injected");
  });

  forEveryInjectedPod(
    "after another webhook changed the pod, it settles in one more pass",
    (planned, { world }) => {
      const spec = planned.spec as JsonObject;
      const proxy = { name: "mesh-agent", image: "mesh", restartPolicy: "Always" };
      const changed = {
        ...planned,
        spec: { ...spec, initContainers: [proxy, ...objectsIn(spec.initContainers)] },
      };
      const second = again(changed, world);
      assert.equal(again(second.pod, world).reason, "already-injected");
      assert.equal(objectsIn((second.pod.spec as JsonObject).initContainers)[0], proxy);
    },
  );
});

const PODS = { group: "", version: "v1", resource: "pods" };
const reviewOf = (object: JsonObject): JsonObject => ({
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  request: { uid: "u-1", resource: PODS, operation: "CREATE", namespace: "db", object },
});

test("the patch of the answer makes exactly the planned pod", () =>
  fc.assert(
    fc.property(scene, ({ pod, world }) => {
      const context = {
        mode: "enabled",
        failurePolicy: "Fail",
        settings: settingsOf(world),
        surroundings: surroundingsOf(world),
      } as const;
      const answered = answerReview(reviewOf(pod), context);
      if (answered.status !== 200) assert.fail(answered.message);
      const { patch } = checkAdmissionReview(answered.review, "u-1");
      const decision = decideOn(pod, world);
      const expected = decision.kind === "inject" ? decision.pod : pod;
      assert.deepEqual(applyJsonPatch(pod, patch as never), expected);
      assert.deepEqual(
        jsonPatch.applyPatch(structuredClone(pod), patch as never, true).newDocument,
        expected,
      );
      assert.equal(patch.length > 0, decision.reason === "injected");
    }),
    runs(150),
  ));

function freeze<Value>(value: Value): Value {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
  return value;
}

test("the pod as it came is never changed", () =>
  fc.assert(
    fc.property(scene, ({ pod, world }) => {
      const before = structuredClone(pod);
      const decision = decideOn(freeze(pod), world);
      assert.deepEqual(pod, before);
      assert.deepEqual(decideOn(pod, world), decision, "the same pod gives the same decision");
    }),
    runs(150),
  ));

/** A sidecar of an earlier pass is replaced by one that fits the others: they decide the class. */
function withoutSidecar(pod: JsonObject): JsonObject {
  const { containers, initContainers, ...spec } = pod.spec as JsonObject;
  const others = (list: unknown) => objectsIn(list).filter(({ name }) => name !== "patroni-injector");
  return {
    ...pod,
    spec: { ...spec, containers: others(containers), initContainers: others(initContainers) },
  };
}

forEveryInjectedPod(
  "the QoS class stays",
  (planned, { pod }, applied) => {
    const isKept = sidecarIn(planned) !== undefined && !applied.includes("sidecar");
    assert.equal(kubernetesQos(planned), kubernetesQos(isKept ? pod : withoutSidecar(pod)));
  },
  runs(400),
);

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL_VALUE = /^[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

const unique = (values: readonly unknown[], what: string) =>
  assert.equal(new Set(values).size, values.length, `${what} are unique: ${values.join(", ")}`);

forEveryInjectedPod("every generated name is valid, and unique", (planned, { pod }) => {
  const [before, after] = [pod.spec, planned.spec] as [JsonObject, JsonObject];
  for (const key of ["hostname", "subdomain"]) {
    if (after[key] !== before[key]) assert.match(String(after[key]), LABEL);
  }
  const { labels, annotations } = planned.metadata as Record<string, Record<string, string>>;
  // A pooler's is left alone: the headless Service would take it for a member.
  const label = labels?.["patroni-injector.io/cluster"];
  if (labels?.application === undefined) assert.equal(label, undefined);
  else assert.match(label ?? "", LABEL_VALUE);
  for (const value of Object.values(annotations ?? {})) assert.equal(typeof value, "string");
  const all = containersOf(planned);
  const volumes = objectsIn(after.volumes).map(({ name }) => name);
  unique(
    all.map(({ name }) => name),
    "containers",
  );
  unique(volumes, "volumes");
  unique(
    objectsIn(after.imagePullSecrets).map(({ name }) => name),
    "pull secrets",
  );
  const sidecar = all.find(({ name }) => name === "patroni-injector");
  if (sidecar?.livenessProbe === undefined) return; // none, or one that was there before
  const mounts = objectsIn(sidecar.volumeMounts);
  unique(
    mounts.map(({ mountPath }) => mountPath),
    "mount paths",
  );
  for (const { name } of mounts.slice(0, 1)) assert.ok(volumes.includes(name as string));
  for (const { name } of objectsIn(sidecar.env)) assert.match(String(name), VARIABLE);
  unique(
    objectsIn(sidecar.env).map(({ name }) => name),
    "variables of the sidecar",
  );
  for (const { name } of objectsIn(sidecar.ports))
    assert.match(String(name), /^(?=.{1,15}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
});

forEveryInjectedPod(
  "the pod's name is defined, once, before anything refers to it",
  (planned, _, applied) => {
    if (!applied.includes("connect-addresses")) return;
    for (const { env } of containersOf(planned)) {
      const entries = objectsIn(env);
      const uses = entries.findIndex(({ value }) => String(value).includes("$(PATRONI_INJECTOR_POD_NAME)"));
      const ours = entries.some(
        ({ name, value }) => ADDRESS.test(String(name)) && String(value).includes(POD_NAME),
      );
      if (!ours) continue;
      const definitions = entries.filter(({ name }) => name === "PATRONI_INJECTOR_POD_NAME");
      assert.equal(definitions.length, 1);
      assert.deepEqual(definitions[0]?.valueFrom, {
        fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" },
      });
      assert.ok(entries.indexOf(definitions[0] as JsonObject) < uses);
    }
  },
);

const POD_NAME = "$(PATRONI_INJECTOR_POD_NAME)";
const ADDRESS = /^(PATRONI_(POSTGRESQL|RESTAPI)_CONNECT_ADDRESS|SPILO_CONFIGURATION|PATRONI_CONFIGURATION)$/;
