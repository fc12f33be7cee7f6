import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { JsonObject } from "../../../src/json/value.ts";
import { clusterIPs, endpointAddresses } from "../../../src/kube/api-server-addresses.ts";

const services: readonly [what: string, spec: JsonObject, expected: readonly string[]][] = [
  ["one family", { clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.1"] }, ["10.96.0.1"]],
  [
    "two families",
    { clusterIP: "10.96.0.1", clusterIPs: ["10.96.0.1", "fd00::1"] },
    ["10.96.0.1", "fd00::1"],
  ],
  ["an old server, without the list", { clusterIP: "10.96.0.1" }, ["10.96.0.1"]],
  ["a headless Service", { clusterIP: "None", clusterIPs: ["None"] }, []],
  ["no address yet", { clusterIP: "" }, []],
  ["nothing", {}, []],
  ["other shapes", { clusterIP: 7, clusterIPs: [null, 7, "10.96.0.1"] }, ["10.96.0.1"]],
];

describe("clusterIPs", () => {
  for (const [what, spec, expected] of services) {
    it(`reads ${what}`, () => assert.deepEqual(clusterIPs({ spec }), expected));
  }
});

const slices: readonly [what: string, slice: JsonObject, expected: readonly string[]][] = [
  [
    "every endpoint",
    { endpoints: [{ addresses: ["10.0.0.1"] }, { addresses: ["10.0.0.2"] }] },
    ["10.0.0.1", "10.0.0.2"],
  ],
  [
    "one that is not ready",
    { endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: false } }] },
    ["10.0.0.1"],
  ],
  ["host names", { endpoints: [{ addresses: ["api.example.com"] }] }, []],
  ["nothing", { endpoints: null }, []],
  ["other shapes", { endpoints: [{}, { addresses: "10.0.0.1" }, null] }, []],
];

describe("endpointAddresses", () => {
  for (const [what, slice, expected] of slices) {
    it(`reads ${what}`, () => assert.deepEqual(endpointAddresses(slice), expected));
  }
});
