import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { shapeProblem } from "../../../src/injection/shape.ts";

const spec = (more: object) => ({ spec: { containers: [], ...more } });
const container = (more: object) => spec({ containers: [{ name: "db" }, { name: "x", ...more }] });
const deep = (levels: number): unknown => (levels === 0 ? {} : { a: deep(levels - 1) });

describe("shapes that can be read", () => {
  const rows: Readonly<Record<string, unknown>> = {
    "the smallest pod": spec({}),
    "null where a field is absent": {
      metadata: { name: null, labels: null, annotations: null },
      spec: {
        containers: [
          { name: "db", env: null, ports: null, volumeMounts: null, resources: null, image: null },
        ],
        initContainers: null,
        volumes: null,
        imagePullSecrets: null,
        hostname: null,
        securityContext: null,
        os: null,
      },
    },
    "no metadata": { ...spec({}), metadata: undefined },
    "fields that nobody knows": { ...spec({ brandNew: [1, [2]] }), alsoNew: 3 },
    "62 levels below the spec's parent": { spec: { containers: [], x: deep(61) } },
  };
  for (const [name, pod] of Object.entries(rows)) {
    test(name, () => assert.equal(shapeProblem(pod), undefined));
  }
});

describe("the first problem is told with its place", () => {
  const rows: readonly [pod: unknown, problem: string][] = [
    [null, "not an object"],
    ["pod", "not an object"],
    [[], "not an object"],
    [{}, "spec is not an object"],
    [{ spec: [] }, "spec is not an object"],
    [{ spec: {} }, "spec.containers is not a list"],
    [{ spec: { containers: null } }, "spec.containers is not a list"],
    [{ spec: { containers: {} } }, "spec.containers is not a list"],
    [spec({ containers: ["db"] }), "spec.containers[0] is not an object"],
    [spec({ containers: [{}] }), "spec.containers[0].name is not a string"],
    [spec({ containers: [{ name: 1 }] }), "spec.containers[0].name is not a string"],
    [container({ image: {} }), "spec.containers[1].image is not a string"],
    [container({ env: {} }), "spec.containers[1].env is not a list"],
    [container({ env: [null] }), "spec.containers[1].env[0] is not an object"],
    [container({ env: [{ value: "x" }] }), "spec.containers[1].env[0].name is not a string"],
    [container({ resources: [] }), "spec.containers[1].resources is not an object"],
    [container({ resources: { limits: "x" } }), "spec.containers[1].resources.limits is not an object"],
    [container({ resources: { requests: [] } }), "spec.containers[1].resources.requests is not an object"],
    [container({ securityContext: 1 }), "spec.containers[1].securityContext is not an object"],
    [container({ volumeMounts: [1] }), "spec.containers[1].volumeMounts[0] is not an object"],
    [container({ ports: "5432" }), "spec.containers[1].ports is not a list"],
    [spec({ initContainers: 1 }), "spec.initContainers is not a list"],
    [spec({ initContainers: [{ name: "i", env: 1 }] }), "spec.initContainers[0].env is not a list"],
    [spec({ volumes: [{}] }), "spec.volumes[0].name is not a string"],
    [spec({ imagePullSecrets: ["a"] }), "spec.imagePullSecrets[0] is not an object"],
    [spec({ hostname: 1 }), "spec.hostname is not a string"],
    [spec({ subdomain: {} }), "spec.subdomain is not a string"],
    [spec({ dnsPolicy: [] }), "spec.dnsPolicy is not a string"],
    [spec({ securityContext: "x" }), "spec.securityContext is not an object"],
    [spec({ resources: 1 }), "spec.resources is not an object"],
    [spec({ os: "windows" }), "spec.os is not an object"],
    [spec({ nodeSelector: [] }), "spec.nodeSelector is not an object"],
    [{ ...spec({}), metadata: [] }, "metadata is not an object"],
    [{ ...spec({}), metadata: { name: 1 } }, "metadata.name is not a string"],
    [{ ...spec({}), metadata: { generateName: {} } }, "metadata.generateName is not a string"],
    [{ ...spec({}), metadata: { labels: [] } }, "metadata.labels is not an object"],
    [{ ...spec({}), metadata: { labels: { a: 1 } } }, 'metadata.labels["a"] is not a string'],
    [{ ...spec({}), metadata: { annotations: { a: null } } }, 'metadata.annotations["a"] is not a string'],
    [
      { ...spec({}), metadata: { annotations: { ["k".repeat(200)]: 1 } } },
      `metadata.annotations["${"k".repeat(80)}"] is not a string`,
    ],
    [{ spec: { containers: [], x: deep(62) } }, "nested deeper than 64 levels"],
  ];
  for (const [pod, problem] of rows) {
    test(problem, () => assert.equal(shapeProblem(pod), problem));
  }
});
