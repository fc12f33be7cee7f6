import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../../src/json/value.ts";
import { objectsIn } from "../../../src/json/value.ts";
import { ofKind, rendered } from "../../chart/helm.ts";

/** The verbs of every rule about evictions, in whatever Role. */
const mayEvict = (objects: readonly JsonObject[]): unknown[] =>
  [...ofKind(objects, "ClusterRole"), ...ofKind(objects, "Role")]
    .flatMap(({ rules }) => objectsIn(rules))
    .filter(({ resources }) => (resources as string[]).some((resource) => resource.includes("eviction")))
    .map(({ resources, verbs }) => [resources, verbs]);

test("pods may be evicted where that was chosen, and only there", async () => {
  const repairBy = (repair: string, enabled = true) =>
    rendered({ values: { config: { controller: { enabled, repair } } } });
  assert.deepEqual(mayEvict(await rendered()), []);
  assert.deepEqual(mayEvict(await repairBy("evict")), [[["pods/eviction"], ["create"]]]);
  assert.deepEqual(mayEvict(await repairBy("evict", false)), []);
  await assert.rejects(repairBy("delete"), /repair/);
});
