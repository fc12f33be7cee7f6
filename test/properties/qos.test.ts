import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { qosClass } from "../../src/injection/qos.ts";
import { nanos } from "../../src/injection/quantity.ts";
import type { Json, JsonObject } from "../../src/json/value.ts";
import { resources } from "./arbitraries/containers.ts";
import { kubernetesQos, QUANTITIES } from "./oracles/kubernetes-qos.ts";
import { runs } from "./runs.ts";

const container = resources.map(
  (its): JsonObject => ({ name: "c", ...(its === undefined ? {} : { resources: its }) }),
);

/** What a pod may have of its own, defaults spelled out: the API server has filled in absent requests. */
const own: fc.Arbitrary<Json | undefined> = fc.constantFrom<Json | undefined>(
  undefined,
  undefined,
  null,
  { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1000m", memory: "1024Mi" } },
  { requests: { cpu: "1" } },
  { requests: { memory: "64M" }, limits: { memory: "1Gi" } },
  { requests: { cpu: "0" }, limits: { cpu: "0", memory: "0" } },
);

const pod = fc
  .record({
    containers: fc.array(container, { minLength: 1, maxLength: 4 }),
    initContainers: fc.array(container, { maxLength: 2 }),
    resources: own,
  })
  .map((spec): JsonObject => ({ spec: JSON.parse(JSON.stringify(spec)) }));

test("the QoS class is the one that Kubernetes computes", () =>
  fc.assert(
    fc.property(pod, (its) => assert.equal(qosClass(its), kubernetesQos(its))),
    runs(1500),
  ));

test("all three classes are met", () => {
  const met = new Set(fc.sample(pod, { numRuns: 2000, seed: 1 }).map(kubernetesQos));
  assert.equal(met.size, 3);
});

for (const [resource, quantities] of Object.entries(QUANTITIES)) {
  test(`${resource}: quantities have the value of the table`, () => {
    for (const [text, value] of Object.entries(quantities)) assert.equal(nanos(text), value, text);
  });
}

test("a quantity's value does not depend on how it is written", () =>
  fc.assert(
    fc.property(fc.bigInt(0n, 10n ** 15n), fc.nat(6), (value, zeros) => {
      const exact = nanos(String(value));
      assert.equal(nanos(`${value}000m`), exact);
      assert.equal(nanos(`${value}.${"0".repeat(zeros)}`), exact);
      assert.equal(nanos(`${value}e${zeros}`), nanos(`${value}${"0".repeat(zeros)}`));
      assert.equal(nanos(`${value}Ki`), nanos(String(value * 1024n)));
      assert.equal(nanos(`-${value}`), -(exact ?? 0n));
    }),
    runs(250),
  ));
