import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "../../../src/json/value.ts";
import { isService, itemsIn, podPath, subjectOf, withPod } from "../../../src/offline/workloads.ts";

const pod = { metadata: { labels: { a: "b" } }, spec: { containers: [] } };
const templated = (apiVersion: string, kind: string, more: JsonObject = {}): JsonObject => ({
  apiVersion,
  kind,
  metadata: { name: "pg", namespace: "db" },
  spec: { ...more, template: pod },
});

const kinds: readonly (readonly [object: JsonObject, subject: object | undefined])[] = [
  [
    templated("apps/v1", "StatefulSet", { serviceName: "pg" }),
    { origin: "stateful-template", serviceName: "pg", job: false },
  ],
  [templated("apps/v1beta2", "StatefulSet"), { origin: "stateful-template", job: false }],
  [templated("apps/v1", "Deployment"), { origin: "template", job: false }],
  [templated("extensions/v1beta1", "Deployment"), { origin: "template", job: false }],
  [templated("apps/v1", "DaemonSet"), { origin: "template", job: false }],
  [templated("apps/v1", "ReplicaSet"), { origin: "template", job: false }],
  [templated("v1", "ReplicationController"), { origin: "template", job: false }],
  [templated("batch/v1", "Job"), { origin: "template", job: true }],
  [templated("jobs.example.com/v1", "Job"), undefined],
  [templated("apps", "Deployment"), undefined],
  [templated("v1", "Deployment"), undefined],
  [templated("apps/v1", "constructor"), undefined],
];

describe("workloads", () => {
  for (const [object, wanted] of kinds) {
    test(`${object.apiVersion} ${object.kind}`, () => {
      const [item] = itemsIn(object);
      assert.ok(item);
      const subject = subjectOf(item, "db");
      assert.deepEqual(subject, wanted === undefined ? undefined : { pod, namespace: "db", ...wanted });
    });
  }

  test("a CronJob's pods are two levels down", () => {
    const object = {
      apiVersion: "batch/v1",
      kind: "CronJob",
      spec: { jobTemplate: { spec: { template: pod } } },
    };
    const [item] = itemsIn(object);
    assert.ok(item);
    assert.equal(subjectOf(item, "db")?.pod, pod);
    assert.equal(subjectOf(item, "db")?.job, true);
    assert.deepEqual(podPath(object), ["spec", "jobTemplate", "spec", "template"]);
  });

  test("a Pod is its own template", () => {
    const object = { apiVersion: "v1", kind: "Pod", ...pod };
    const [item] = itemsIn(object);
    assert.ok(item);
    assert.deepEqual(subjectOf(item, "db"), { pod: object, namespace: "db", origin: "request", job: false });
  });

  test("the items of Lists in Lists, each with its path", () => {
    const list = (...items: JsonObject[]) => ({ apiVersion: "v1", kind: "List", items });
    const set = templated("apps/v1", "StatefulSet");
    const found = itemsIn(list(list(set), { kind: "Secret" }));
    assert.deepEqual(
      found.map(({ path, kind, name, namespace }) => ({ path, kind, name, namespace })),
      [
        { path: ["items", 0, "items", 0], kind: "StatefulSet", name: "pg", namespace: "db" },
        { path: ["items", 1], kind: "Secret", name: "", namespace: undefined },
      ],
    );
  });

  test("values of any shape give no pods and no error", () => {
    for (const value of [null, 1, "x", [], {}, { kind: 1, apiVersion: [], metadata: "x" }]) {
      for (const item of itemsIn(value)) assert.equal(subjectOf(item, "db"), undefined);
    }
  });

  test("only the pod is put back; everything else is the same object", () => {
    const secret = { kind: "Secret" };
    const set = templated("apps/v1", "StatefulSet", { selector: {} });
    const list = { apiVersion: "v1", kind: "List", items: [secret, set] };
    const planned = { spec: {} };
    const result = withPod(list, ["items", 1, "spec", "template"], planned) as typeof list;
    assert.equal(result.items[0], secret);
    assert.deepEqual(result.items[1], { ...set, spec: { selector: {}, template: planned } });
    assert.equal(set.spec && (set.spec as JsonObject).template, pod, "the original is not changed");
  });

  test("a Service of another group is none", () => {
    assert.equal(isService({ apiVersion: "v1", kind: "Service" }), true);
    assert.equal(isService({ apiVersion: "serving.knative.dev/v1", kind: "Service" }), false);
  });
});
