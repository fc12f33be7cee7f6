import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type DecisionReason, type PartReason, REASONS, type Reason } from "../../../src/contract/reasons.ts";
import { answerReview } from "../../../src/injection/review.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import {
  decideOn,
  injected,
  ours,
  patroniPod,
  settingsOf,
  spiloPod,
  surroundingsOf,
  type World,
} from "./world.ts";

interface Row {
  readonly pod: JsonObject;
  readonly world?: World;
}

/** For every reason code a pod that gets it: a code that nothing produces is a promise that nothing keeps. */
const ROWS: Readonly<Record<Exclude<DecisionReason | PartReason, "not-a-pod" | "internal-error">, Row>> = {
  injected: { pod: patroniPod() },
  "already-injected": { pod: injected(patroniPod()) },
  "not-selected": { pod: patroniPod({ labels: { application: "postgresql" } }) },
  "namespace-excluded": { pod: patroniPod(), world: { subject: { namespace: "kube-system" } } },
  "opted-out": { pod: patroniPod({ annotations: ours({ inject: "false" }) }) },
  "static-pod": { pod: patroniPod({ annotations: { "kubernetes.io/config.mirror": "abc" } }) },
  windows: { pod: patroniPod({ spec: { os: { name: "windows" } } }) },
  job: { pod: patroniPod(), world: { native: false, subject: { job: true } } },
  "no-patroni-container": { pod: patroniPod({ container: { env: [], image: "postgres:17" } }) },
  "ambiguous-container": {
    pod: patroniPod({
      containers: [{ name: "two", image: "acme/patroni:4.1", env: [{ name: "PATRONI_NAME", value: "b" }] }],
    }),
  },
  "no-scope": { pod: patroniPod({ labels: { "cluster-name": "" } }) },
  "malformed-pod": { pod: patroniPod({ spec: { containers: "none" } }) },
  "invalid-annotation": { pod: patroniPod({ annotations: ours({ mesh: "maybe" }) }) },

  "subdomain-in-use": { pod: patroniPod({ spec: { subdomain: "somewhere" } }) },
  "headless-unusable": { pod: patroniPod(), world: { services: { "pg-headless": { headless: false } } } },
  "no-stable-name": {
    pod: patroniPod({ metadata: { name: null, generateName: "pg-" }, spec: { hostname: null } }),
  },
  "no-cluster-dns": { pod: patroniPod({ spec: { dnsPolicy: "Default" } }) },
  "invalid-name": { pod: patroniPod({ metadata: { name: "pg.0" }, spec: { hostname: null } }) },
  "copied-pod": {
    pod: {
      ...injected(patroniPod()),
      metadata: { name: "pg-0-debug", labels: { application: "patroni", "cluster-name": "pg" } },
    },
  },
  "address-may-be-set": {
    pod: patroniPod({ container: { envFrom: [{ configMapRef: { name: "settings" } }] } }),
  },
  "user-set-address": {
    pod: patroniPod({ env: [{ name: "PATRONI_RESTAPI_CONNECT_ADDRESS", value: "10.0.0.1:8008" }] }),
  },
  "spilo-configuration-from": {
    pod: spiloPod({
      env: [{ name: "SPILO_CONFIGURATION", valueFrom: { configMapKeyRef: { name: "a", key: "b" } } }],
    }),
  },
  "spilo-configuration-invalid": { pod: spiloPod({ env: [{ name: "SPILO_CONFIGURATION", value: "[" }] }) },
  "mesh-too-late": { pod: patroniPod({ spec: { initContainers: [{ name: "istio-init" }] } }) },
  "mesh-host-network": { pod: patroniPod({ spec: { hostNetwork: true } }) },
  "sidecar-port-in-use": { pod: patroniPod({ container: { ports: [{ containerPort: 8011 }] } }) },
  "reload-volume-missing": { pod: patroniPod({ annotations: ours({ "reload-pgbouncer-volume": "none" }) }) },
  "sidecar-suspended": { pod: patroniPod(), world: { suspended: true } },
  "spilo-token-unreadable": { pod: spiloPod({ spec: { securityContext: { fsGroup: 1000 } } }) },
  "legacy-discovery-sidecar": {
    pod: patroniPod({
      containers: [
        { name: "loop", command: ["sh", "-c", "while true; do kubectl patch endpoints pg; sleep 1; done"] },
      ],
    }),
  },
  "pod-level-resources": { pod: patroniPod({ spec: { resources: { limits: { memory: "1Gi" } } } }) },
};

describe("every reason code of a pod is given to some pod", () => {
  for (const [reason, { pod, world }] of Object.entries(ROWS)) {
    test(reason, () => {
      const decision = decideOn(pod, world);
      const given =
        REASONS[reason as Reason].level === "decision"
          ? [decision.reason]
          : decision.notes.map((note) => note.reason);
      assert.ok((given as string[]).includes(reason), JSON.stringify(decision).slice(0, 400));
    });
  }

  const review = (request: JsonObject, settings = settingsOf({})) =>
    answerReview(
      { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: { uid: "u", ...request } },
      { mode: "enabled", settings, surroundings: surroundingsOf({}), failurePolicy: "Ignore" },
    );

  test("not-a-pod", () => {
    const answer = review({
      operation: "CREATE",
      resource: { group: "", version: "v1", resource: "secrets" },
      object: {},
    });
    assert.equal(answer.status === 200 && answer.record.reason, "not-a-pod");
  });

  test("internal-error", () => {
    const broken = {
      ...settingsOf({}),
      get selectors(): never {
        throw new Error("a bug");
      },
    };
    const answer = review(
      { operation: "CREATE", resource: { group: "", version: "v1", resource: "pods" }, object: patroniPod() },
      broken,
    );
    assert.equal(answer.status === 200 && answer.record.reason, "internal-error");
  });

  test("the rows are all of them", () => {
    assert.deepEqual(
      [...Object.keys(ROWS), "not-a-pod", "internal-error"].sort(),
      Object.keys(REASONS)
        .filter((code) => REASONS[code as Reason].level !== "cluster")
        .sort(),
    );
  });
});
