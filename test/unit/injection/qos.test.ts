import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  everyContainerLimitsCpu,
  hasPodLevelResources,
  type QosClass,
  qosClass,
} from "../../../src/injection/qos.ts";
import type { JsonObject } from "../../../src/json/value.ts";

type Resources = { readonly requests?: JsonObject; readonly limits?: JsonObject } | undefined;

const podOf = (
  containers: readonly Resources[],
  initContainers: readonly Resources[] = [],
  own?: JsonObject,
): JsonObject => {
  const list = (all: readonly Resources[], prefix: string) =>
    all.map((resources, index) => ({
      name: `${prefix}${index}`,
      ...(resources === undefined ? {} : { resources }),
    }));
  return {
    spec: {
      containers: list(containers, "c"),
      initContainers: list(initContainers, "i"),
      ...(own === undefined ? {} : { resources: own }),
    },
  };
};

const full = { cpu: "1", memory: "1Gi" };
const guaranteed: Resources = { requests: full, limits: full };

const ROWS: readonly [name: string, pod: JsonObject, expected: QosClass][] = [
  ["no resources", podOf([undefined, {}]), "BestEffort"],
  ["zero is nothing", podOf([{ requests: { cpu: "0", memory: "0Mi" }, limits: { cpu: "0" } }]), "BestEffort"],
  [
    "only resources that do not count",
    podOf([{ requests: { "ephemeral-storage": "1Gi" }, limits: { "nvidia.com/gpu": "1" } }]),
    "BestEffort",
  ],
  ["requests alone", podOf([{ requests: full }]), "Burstable"],
  ["limits alone: the requests are those", podOf([{ limits: full }]), "Guaranteed"],
  ["equal", podOf([guaranteed]), "Guaranteed"],
  [
    "equal, written differently",
    podOf([{ requests: { cpu: "1000m", memory: "1024Mi" }, limits: { cpu: "1.0", memory: "1Gi" } }]),
    "Guaranteed",
  ],
  ["equal in memory only", podOf([{ requests: { memory: "1Gi" }, limits: { memory: "1Gi" } }]), "Burstable"],
  [
    "a request below its limit",
    podOf([{ requests: { cpu: "1", memory: "512Mi" }, limits: full }]),
    "Burstable",
  ],
  [
    "a request of zero is not its limit",
    podOf([{ requests: { cpu: "0", memory: "1Gi" }, limits: full }]),
    "Burstable",
  ],
  ["a limit of zero is none", podOf([{ limits: { cpu: "0", memory: "1Gi" } }]), "Burstable"],
  ["one container without", podOf([guaranteed, {}]), "Burstable"],
  ["every container", podOf([guaranteed, guaranteed]), "Guaranteed"],
  ["an init container without", podOf([guaranteed], [{}]), "Burstable"],
  ["an init container alone has some", podOf([{}], [{ requests: { cpu: "1m" } }]), "Burstable"],
  ["init containers too", podOf([guaranteed], [guaranteed]), "Guaranteed"],
  [
    "other resources beside",
    podOf([{ requests: { ...full, "example.com/x": "1" }, limits: full }]),
    "Guaranteed",
  ],
  ["on the pod itself", podOf([{}], [], { limits: full }), "Guaranteed"],
  [
    "on the pod itself, burstable whatever the containers say",
    podOf([guaranteed], [], { requests: full }),
    "Burstable",
  ],
  [
    "on the pod itself, but nothing that counts: the containers decide",
    podOf([guaranteed], [], {}),
    "Guaranteed",
  ],
  ["no spec", {}, "BestEffort"],
];

describe("QoS class", () => {
  for (const [name, pod, expected] of ROWS) {
    test(`${name}: ${expected}`, () => assert.equal(qosClass(pod), expected));
  }
});

test("resources of the pod itself are those of cpu or memory", () => {
  assert.equal(hasPodLevelResources(podOf([guaranteed])), false);
  assert.equal(hasPodLevelResources(podOf([], [], {})), false);
  assert.equal(hasPodLevelResources(podOf([], [], { limits: { "hugepages-2Mi": "4Mi" } })), false);
  assert.equal(hasPodLevelResources(podOf([], [], { limits: { memory: "1Gi" } })), true);
  assert.equal(hasPodLevelResources(podOf([], [], { requests: { cpu: "1" } })), true);
});

describe("every other container has a CPU limit", () => {
  const rows: readonly [name: string, pod: JsonObject, expected: boolean][] = [
    ["all", podOf([guaranteed], [guaranteed]), true],
    ["one without", podOf([guaranteed, {}]), false],
    ["an init container without", podOf([guaranteed], [{}]), false],
    ["a limit of zero is none", podOf([{ limits: { cpu: "0" } }]), false],
    ["the named one does not count", podOf([guaranteed, {}]), true],
    ["nobody else", podOf([{}]), false],
  ];
  for (const [name, pod, expected] of rows) {
    const except = name.startsWith("the named") ? "c1" : "c9";
    test(name, () => assert.equal(everyContainerLimitsCpu(pod, except), expected));
  }
  test("alone, it demands nothing", () =>
    assert.equal(everyContainerLimitsCpu(podOf([guaranteed]), "c0"), false));
});
