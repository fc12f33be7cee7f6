import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { PRESETS } from "../../../src/config/presets.ts";
import { decide } from "../../../src/injection/decide.ts";
import type { Decision } from "../../../src/injection/decision.ts";
import { answerReview } from "../../../src/injection/review.ts";
import { type InjectionSettings, type Surroundings, serviceFacts } from "../../../src/injection/settings.ts";
import { asObject, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import {
  ASSUMPTIONS,
  type Expectation,
  loadPod,
  NAMESPACE,
  type Shape,
  shapes,
} from "../../fixtures/index.ts";
import { checkAdmissionReview } from "../../properties/oracles/admission-review.ts";
import { applyJsonPatch } from "../../properties/oracles/json-patch.ts";
import { kubernetesQos } from "../../properties/oracles/kubernetes-qos.ts";
import { named, settingsOf } from "./world.ts";

const settings: InjectionSettings = {
  ...settingsOf({ settings: { clusterDomain: ASSUMPTIONS.clusterDomain } }),
  selectors: [
    { key: "application", values: ["patroni", "spilo"] },
    ...ASSUMPTIONS.presets.flatMap((preset) => PRESETS[preset]),
  ],
  poolerSelectors: ASSUMPTIONS.poolers,
};

function surroundingsOf({ services }: Shape, nativeSidecars: boolean, openshift: boolean): Surroundings {
  return {
    service(namespace, name) {
      const service = services.find(({ metadata }) => asObject(metadata)?.name === name);
      return namespace === NAMESPACE && service !== undefined ? serviceFacts(service) : undefined;
    },
    nativeSidecars,
    openshift,
    apiServerAddresses: ASSUMPTIONS.apiServerAddresses,
    suspended: () => false,
  };
}

const isOfJob = (pod: JsonObject): boolean =>
  objectsIn(asObject(pod.metadata)?.ownerReferences).some(({ kind }) => kind === "Job");

/** The decision on a shape's pod, in the form that is asked for. */
function decided(
  shape: Shape,
  pod: JsonObject = loadPod(shape.name),
  native = true,
  openshift = false,
): Decision {
  const subject = { pod, namespace: NAMESPACE, origin: "request", job: isOfJob(pod) } as const;
  return decide(subject, settings, surroundingsOf(shape, native, openshift));
}

const told = ({ reason, notes }: Decision): Expectation => ({
  decision: reason,
  parts: [...new Set(notes.map((note) => note.reason))].sort() as Expectation["parts"],
});

const containersOf = (pod: JsonObject): JsonObject[] => {
  const spec = asObject(pod.spec);
  return [...objectsIn(spec?.containers), ...objectsIn(spec?.initContainers)];
};

describe("shapes of real pods", () => {
  for (const shape of shapes) {
    describe(`${shape.name}: ${shape.describes}`, () => {
      const pod = loadPod(shape.name);
      for (const native of [true, false]) {
        const expected = native ? shape.expect : (shape.withoutNativeSidecars ?? shape.expect);
        test(`${native ? "native" : "container"}: ${[expected.decision, ...expected.parts].join(", ")}`, () => {
          const decision = decided(shape, pod, native);
          assert.deepEqual(told(decision), {
            decision: expected.decision,
            parts: [...expected.parts].sort(),
          });
          if (decision.kind !== "inject") return;
          assert.equal(decided(shape, decision.pod, native).reason, "already-injected");
          const ours = containersOf(decision.pod).filter(({ name }) => name === "patroni-injector");
          assert.equal(ours.length, decision.applied.includes("sidecar") ? 1 : 0);
        });
      }

      test("the answer's patch makes the planned pod", () => {
        const request = {
          uid: "u-1",
          namespace: NAMESPACE,
          operation: "CREATE",
          resource: { group: "", version: "v1", resource: "pods" },
          object: pod,
        };
        const answered = answerReview(
          { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request },
          {
            mode: "enabled",
            failurePolicy: "Fail",
            settings,
            surroundings: surroundingsOf(shape, true, false),
          },
        );
        if (answered.status !== 200) assert.fail(answered.message);
        const { allowed, patch } = checkAdmissionReview(answered.review, "u-1");
        const decision = decided(shape);
        assert.equal(allowed, decision.kind !== "deny");
        assert.deepEqual(
          applyJsonPatch(pod, patch as never),
          decision.kind === "inject" ? decision.pod : pod,
        );
        assert.deepEqual(pod, loadPod(shape.name), "the pod as it came is not changed");
      });
    });
  }
});

/** A shape's pod as planned, with what most assertions ask for. */
function planned(name: string, native = true, openshift = false) {
  const shape = shapes.find((each) => each.name === name) ?? assert.fail(`no shape ${name}`);
  const pod = loadPod(name);
  const decision = decided(shape, pod, native, openshift);
  if (decision.kind !== "inject") assert.fail(`not injected: ${decision.reason}`);
  const [before, after] = [asObject(pod.spec) ?? {}, asObject(decision.pod.spec) ?? {}];
  const env = objectsIn(after.containers).flatMap((container) => objectsIn(container.env));
  return {
    ...decision,
    before,
    after,
    original: pod,
    value: (variable: string) => String(named(env, variable)?.value),
    annotation: (key: string) => asObject(asObject(decision.pod.metadata)?.annotations)?.[key],
    sidecar: containersOf(decision.pod).find((container) => container.name === "patroni-injector") ?? {},
  };
}

describe("what becomes of the interesting ones", () => {
  test("plain Patroni leaves the leader Service for the headless one, and announces its name", () => {
    const { before, after, value } = planned("plain-patroni");
    assert.deepEqual([before.subdomain, after.subdomain], ["orders", "orders-headless"]);
    assert.equal(
      value("PATRONI_POSTGRESQL_CONNECT_ADDRESS"),
      "$(PATRONI_INJECTOR_POD_NAME).orders-headless.databases.svc.cluster.local:5432",
    );
  });

  test("Spilo's YAML stays YAML, its JSON stays JSON, and neither loses anything", () => {
    for (const name of ["spilo-yaml", "spilo-json", "zalando-operator"]) {
      const { original, value } = planned(name);
      const before = String(
        named(
          containersOf(original).flatMap(({ env }) => objectsIn(env)),
          "SPILO_CONFIGURATION",
        )?.value,
      );
      const after = value("SPILO_CONFIGURATION");
      const [one, other] = [before, after].map((text) => parse(text, { version: "1.1" }));
      assert.match(other.postgresql.connect_address, /-headless\.databases\.svc\.cluster\.local:5432$/);
      assert.match(other.restapi.connect_address, /-headless\.databases\.svc\.cluster\.local:8008$/);
      delete other.postgresql.connect_address;
      delete other.restapi.connect_address;
      assert.deepEqual({ postgresql: {}, restapi: {}, ...other }, { postgresql: {}, restapi: {}, ...one });
      if (before.trimStart().startsWith("{")) JSON.parse(after);
    }
  });

  test("Crunchy: headless already, named in its certificates: the subdomain and the addresses stay", () => {
    const { before, after, reasons } = { ...planned("crunchy"), reasons: planned("crunchy").notes };
    assert.equal(after.subdomain, before.subdomain);
    assert.equal(after.hostname, before.hostname);
    assert.ok(reasons.every(({ reason }) => reason === "user-set-address"));
  });

  test("a copy answers to its own name", () => {
    const { original, after, before } = planned("debug-copy");
    assert.notEqual(before.hostname, after.hostname);
    assert.equal(after.hostname, asObject(original.metadata)?.name);
  });

  test("a copy in container form keeps one sidecar", () => {
    const names = containersOf(planned("debug-copy-container-form").pod).map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
  });

  test("a Guaranteed pod stays one", () => {
    for (const name of ["guaranteed", "guaranteed-limits-only"]) {
      const { sidecar } = planned(name);
      const { requests, limits } = sidecar.resources as JsonObject;
      assert.deepEqual(requests, limits);
      assert.deepEqual(Object.keys(requests as JsonObject).sort(), ["cpu", "memory"]);
    }
  });

  test("a BestEffort pod stays one, and pod-level resources are shared", () => {
    for (const name of ["best-effort", "pod-level-resources"])
      assert.deepEqual(planned(name).sidecar.resources, {});
    assert.equal(kubernetesQos(planned("best-effort").pod), "BestEffort");
  });

  test("where every container limits its CPU, so does the sidecar", () => {
    assert.ok(asObject(asObject(planned("cpu-limits-everywhere").sidecar.resources)?.limits)?.cpu);
    assert.equal(asObject(asObject(planned("several-containers").sidecar.resources)?.limits)?.cpu, undefined);
  });

  test("a pod that runs as root does not make the sidecar root; OpenShift gives users itself", () => {
    assert.equal(asObject(planned("run-as-root").sidecar.securityContext)?.runAsUser, 65532);
    assert.equal(asObject(planned("openshift", true, true).sidecar.securityContext)?.runAsUser, undefined);
  });

  test("fields that no client of today knows survive", () => {
    const { original, pod } = planned("future-fields");
    const unknown = (value: unknown): string[] => JSON.stringify(value).match(/"future[^"]*"/gi) ?? [];
    assert.ok(unknown(original).length > 0);
    assert.deepEqual(unknown(pod), unknown(original));
  });

  test("Istio's own exclusions stay; a list of included ports loses ours; * stays *", () => {
    const key = "traffic.sidecar.istio.io/";
    assert.equal(planned("istio-include-all").annotation(`${key}includeInboundPorts`), "*");
    const list = String(planned("istio-include-list").annotation(`${key}includeInboundPorts`)).split(",");
    assert.ok(!list.includes("5432") && !list.includes("8008"));
    const { original, annotation } = planned("istio-user-exclusions");
    const before = String(
      asObject(asObject(original.metadata)?.annotations)?.[`${key}excludeInboundPorts`],
    ).split(/\s*,\s*/);
    const after = String(annotation(`${key}excludeInboundPorts`)).split(",");
    assert.deepEqual(after.slice(0, before.length), before);
    assert.ok(after.includes("5432") && after.includes("8008") && after.includes("8011"));
  });

  test("Istio's native sidecar stays first", () => {
    const { before, after } = planned("istio-native");
    const [first] = objectsIn(before.initContainers);
    assert.equal(objectsIn(after.initContainers)[0], first);
    assert.equal(objectsIn(after.initContainers).at(-1)?.name, "patroni-injector");
  });

  test("Spilo's group: told, fixed by choice, right already", () => {
    assert.equal(asObject(planned("spilo-fsgroup-1000").after.securityContext)?.fsGroup, 1000);
    assert.equal(asObject(planned("spilo-fsgroup-fix").after.securityContext)?.fsGroup, 103);
    assert.equal(asObject(planned("spilo-fsgroup-103").after.securityContext)?.fsGroup, 103);
  });

  test("a long scope gets names that are valid", () => {
    for (const name of ["long-scope", "very-long-scope"]) {
      const { pod, after } = planned(name);
      assert.match(String(after.subdomain), /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/);
      assert.match(
        String(asObject(asObject(pod.metadata)?.labels)?.["patroni-injector.io/cluster"]),
        /^[A-Za-z0-9][-._A-Za-z0-9]{0,62}$/,
      );
    }
  });

  test("with every part off nothing but the label and the status is written", () => {
    const { before, after } = planned("parts-off");
    assert.deepEqual(after, before);
  });
});
