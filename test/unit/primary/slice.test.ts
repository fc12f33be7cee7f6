import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../../src/json/value.ts";
import {
  publishedAddresses,
  readSlice,
  withAttempt,
  withoutPod,
  withPod,
} from "../../../src/primary/slice.ts";

const POD = { namespace: "db", name: "pg-0", uid: "u0", address: "fd00::1", nodeName: undefined };
const SLICE: JsonObject = {
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: "pg", uid: "s", resourceVersion: "9", annotations: { "a/b": "c" }, labels: { x: "y" } },
  addressType: "IPv6",
  endpoints: [{ addresses: ["fd00::2"], targetRef: { uid: "u1" } }],
  ports: [{ port: 5432 }],
  somethingNewer: { deep: [1] },
};

test("publishing changes the endpoints, the term and the last pod, and nothing else", () => {
  const next = withPod(SLICE, POD, { system: "7", timeline: 3 });
  assert.deepEqual(next, {
    ...SLICE,
    metadata: {
      ...(SLICE.metadata as JsonObject),
      annotations: {
        "a/b": "c",
        "patroni-injector.io/term": "7/3",
        "patroni-injector.io/last-pod": "pg-0/u0",
      },
    },
    endpoints: [
      {
        addresses: ["fd00::1"],
        conditions: { ready: true, serving: true, terminating: false },
        targetRef: { kind: "Pod", namespace: "db", name: "pg-0", uid: "u0" },
      },
    ],
  });
});

test("withdrawing removes one pod, and keeps the term and the others", () => {
  const published = withPod(SLICE, POD, { system: "7", timeline: 3 });
  const both = {
    ...published,
    endpoints: [...(published.endpoints as JsonObject[]), { addresses: ["fd00::2"] }],
  };
  const next = withoutPod(both, POD);
  assert.deepEqual(publishedAddresses(next), ["fd00::2"]);
  assert.deepEqual(next.metadata, published.metadata);
});

test("an attempt raises its annotation only", () => {
  const once = withAttempt(SLICE);
  assert.deepEqual(withAttempt(once).metadata, {
    ...(SLICE.metadata as JsonObject),
    annotations: { "a/b": "c", "patroni-injector.io/attempt": "2" },
  });
  assert.equal(once.endpoints, SLICE.endpoints);
});

test("a slice without endpoints (null, as the API server writes it) shows nobody", () => {
  assert.deepEqual(readSlice({ metadata: {}, endpoints: null }), { endpoints: [], term: undefined });
});
