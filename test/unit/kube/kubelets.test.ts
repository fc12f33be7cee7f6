import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../../../src/json/value.ts";
import { allRunNativeSidecars, kubeletFacts } from "../../../src/kube/kubelets.ts";

const node = (kubeletVersion?: string, operatingSystem = "linux"): JsonObject => ({
  status: { nodeInfo: { operatingSystem, ...(kubeletVersion === undefined ? {} : { kubeletVersion }) } },
});

const cases: readonly [what: string, nodes: readonly JsonObject[], native: boolean][] = [
  ["the first version", [node("v1.33.0")], true],
  ["a provider's version", [node("v1.33.1-gke.100")], true],
  ["another provider's version", [node("v1.34.2+k3s1")], true],
  ["a later major version", [node("v2.0.0")], true],
  ["the last version before", [node("v1.32.9")], false],
  ["a provider's version before", [node("v1.29.15-eks-473151a")], false],
  ["a minor version that only begins with the digits", [node("v1.3.0")], false],
  ["several new ones", [node("v1.33.0"), node("v1.36.3")], true],
  ["one old one among new ones", [node("v1.36.3"), node("v1.32.9"), node("v1.36.3")], false],
  ["no node", [], false],
  ["a version that cannot be read", [node("unknown")], false],
  ["a virtual node without a v", [node("1.33.0")], false],
  ["a half version", [node("v1.33")], false],
  ["no version", [node()], false],
  ["a node without a status", [{ metadata: { name: "new" } }], false],
  ["a status of another shape", [{ status: { nodeInfo: "v1.36.3" } }], false],
  ["an old Windows node beside a new one", [node("v1.36.3"), node("v1.29.0", "windows")], true],
  ["Windows nodes only", [node("v1.36.3", "windows")], false],
  [
    "a Windows node known by its label",
    [node("v1.36.3"), { metadata: { labels: { "kubernetes.io/os": "windows" } } }],
    true,
  ],
];

describe("allRunNativeSidecars", () => {
  for (const [what, nodes, native] of cases) {
    it(`is ${native} for ${what}`, () => {
      assert.equal(allRunNativeSidecars(nodes.map(kubeletFacts)), native);
    });
  }
});
