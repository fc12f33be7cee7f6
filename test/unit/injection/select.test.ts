import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { DecisionReason } from "../../../src/contract/reasons.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { decideOn, ours, patroniPod, spiloPod, type World } from "./world.ts";

interface Row {
  readonly name: string;
  readonly pod: JsonObject;
  readonly world?: World;
  readonly reason: DecisionReason;
}

const mirror = { "kubernetes.io/config.mirror": "" };
const crunchy: World = {
  settings: { selectors: [{ key: "postgres-operator.crunchydata.com/data", values: ["postgres"] }] },
};

const ROWS: readonly Row[] = [
  { name: "label application=patroni", pod: patroniPod(), reason: "injected" },
  { name: "label application=spilo", pod: spiloPod(), reason: "injected" },
  {
    name: "another value of the label",
    pod: patroniPod({ labels: { application: "Patroni" } }),
    reason: "not-selected",
  },
  { name: "no labels", pod: patroniPod({ metadata: { labels: null } }), reason: "not-selected" },
  { name: "no metadata", pod: { spec: { containers: [] } }, reason: "not-selected" },
  {
    name: "a selector for a prototype's key",
    pod: patroniPod(),
    world: { settings: { selectors: [{ key: "toString", values: ["x"] }] } },
    reason: "not-selected",
  },
  {
    name: "no selectors at all",
    pod: patroniPod(),
    world: { settings: { selectors: [] } },
    reason: "not-selected",
  },
  {
    name: "a selector of another operator",
    pod: patroniPod({ labels: { application: "x", "postgres-operator.crunchydata.com/data": "postgres" } }),
    world: crunchy,
    reason: "injected",
  },
  {
    name: "any of several selectors",
    pod: patroniPod(),
    world: {
      settings: {
        selectors: [
          { key: "a", values: ["b"] },
          { key: "application", values: ["patroni"] },
        ],
      },
    },
    reason: "injected",
  },
  {
    name: "kube-system",
    pod: patroniPod(),
    world: { subject: { namespace: "kube-system" } },
    reason: "namespace-excluded",
  },
  {
    name: "the injector's own namespace",
    pod: patroniPod(),
    world: { subject: { namespace: "patroni-injector" } },
    reason: "namespace-excluded",
  },
  {
    name: "excluded counts before the labels",
    pod: patroniPod({ labels: { application: "x" } }),
    world: { subject: { namespace: "kube-system" } },
    reason: "namespace-excluded",
  },
  {
    name: "a mirror of a static pod, even with an empty value",
    pod: patroniPod({ annotations: mirror }),
    reason: "static-pod",
  },
  {
    name: 'inject: "false"',
    pod: patroniPod({ annotations: ours({ inject: "false" }) }),
    reason: "opted-out",
  },
  { name: 'inject: "true"', pod: patroniPod({ annotations: ours({ inject: "true" }) }), reason: "injected" },
  {
    name: "a pod that opted out is not checked any further",
    pod: patroniPod({ annotations: ours({ inject: "false", mesh: "maybe" }) }),
    reason: "opted-out",
  },
  {
    name: "inject with another value",
    pod: patroniPod({ annotations: ours({ inject: "no" }) }),
    reason: "invalid-annotation",
  },
  { name: "Windows by spec.os", pod: patroniPod({ spec: { os: { name: "windows" } } }), reason: "windows" },
  {
    name: "Windows by the node selector",
    pod: patroniPod({ spec: { nodeSelector: { "kubernetes.io/os": "windows" } } }),
    reason: "windows",
  },
  {
    name: "Linux by both",
    pod: patroniPod({ spec: { os: { name: "linux" }, nodeSelector: { "kubernetes.io/os": "linux" } } }),
    reason: "injected",
  },
  {
    name: "a Job while sidecars are containers",
    pod: patroniPod(),
    world: { native: false, subject: { job: true } },
    reason: "job",
  },
  {
    name: "a Job with native sidecars",
    pod: patroniPod(),
    world: { native: true, subject: { job: true } },
    reason: "injected",
  },
  {
    name: "no Patroni container",
    pod: patroniPod({ container: { env: [], image: "postgres" } }),
    reason: "no-patroni-container",
  },
  {
    name: "the annotation names the container",
    pod: patroniPod({ container: { env: [], image: "postgres" }, annotations: ours({ container: "db" }) }),
    reason: "injected",
  },
  {
    name: "the annotation names a container that is not there",
    pod: patroniPod({ annotations: ours({ container: "postgres" }) }),
    reason: "invalid-annotation",
  },
  {
    name: "the same, with onInvalid: ignore",
    pod: patroniPod({ annotations: ours({ container: "postgres" }) }),
    world: { settings: { onInvalid: "ignore" } },
    reason: "no-patroni-container",
  },
  {
    name: "two candidates",
    pod: patroniPod({ containers: [{ name: "b", image: "acme/patroni", env: [{ name: "PATRONI_NAME" }] }] }),
    reason: "ambiguous-container",
  },
  {
    name: "two candidates, one named",
    pod: patroniPod({
      containers: [{ name: "b", image: "acme/patroni", env: [{ name: "PATRONI_NAME" }] }],
      annotations: ours({ container: "db" }),
    }),
    reason: "injected",
  },
  { name: "no scope", pod: patroniPod({ labels: { "cluster-name": "" } }), reason: "no-scope" },
  {
    name: "no scope, but the annotation",
    pod: patroniPod({ labels: { "cluster-name": "" }, annotations: ours({ cluster: "pg" }) }),
    reason: "injected",
  },
];

describe("which pods are injected", () => {
  for (const { name, pod, world, reason } of ROWS) {
    test(`${name}: ${reason}`, () => assert.equal(decideOn(pod, world).reason, reason));
  }

  test("a container that is not there is told with those that are", () => {
    const decision = decideOn(
      patroniPod({ annotations: ours({ container: "postgres" }), containers: [{ name: "exporter" }] }),
    );
    assert.deepEqual(decision, {
      kind: "deny",
      reason: "invalid-annotation",
      message:
        'annotation patroni-injector.io/container: the pod has no container "postgres"; it has db, exporter',
      notes: [],
    });
  });

  test("candidates are told by their names", () => {
    const decision = decideOn(
      patroniPod({ containers: [{ name: "b", image: "acme/patroni", env: [{ name: "PATRONI_NAME" }] }] }),
    );
    assert.deepEqual(decision, { kind: "skip", reason: "ambiguous-container", detail: "db, b", notes: [] });
  });
});
