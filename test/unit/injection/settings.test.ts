import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type ServiceFacts, serviceFacts } from "../../../src/injection/settings.ts";
import type { JsonObject } from "../../../src/json/value.ts";

describe("facts of a Service", () => {
  const rows: readonly [name: string, service: JsonObject, facts: ServiceFacts][] = [
    [
      "headless",
      { spec: { clusterIP: "None", publishNotReadyAddresses: true, selector: { a: "b" } } },
      { headless: true, publishNotReadyAddresses: true, selector: { a: "b" } },
    ],
    [
      "with a ClusterIP",
      { spec: { clusterIP: "10.0.0.1", selector: { a: "b" } } },
      { headless: false, publishNotReadyAddresses: false, selector: { a: "b" } },
    ],
    [
      "not yet assigned",
      { spec: { selector: null } },
      { headless: false, publishNotReadyAddresses: false, selector: {} },
    ],
    [
      "an ExternalName",
      { spec: { type: "ExternalName", externalName: "a.b" } },
      { headless: false, publishNotReadyAddresses: false, selector: {} },
    ],
    ["no spec", {}, { headless: false, publishNotReadyAddresses: false, selector: {} }],
  ];
  for (const [name, service, facts] of rows) {
    test(name, () => assert.deepEqual(serviceFacts(service), facts));
  }
});
