import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { NotSeen } from "../../../../src/audit/need.ts";
import { placesOf } from "../../../../src/audit/webhook/places.ts";
import { targetOf } from "../../../../src/audit/webhook/target.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { snapshotOf } from "../world.ts";

describe("where API servers call", () => {
  const service = { namespace: "ns", name: "hook" };
  for (const [what, clientConfig, expected] of [
    ["a Service", { service }, { kind: "service", ...service, port: 443 }],
    [
      "a Service's port",
      { service: { ...service, port: 8443 } },
      { kind: "service", ...service, port: 8443 },
    ],
    ["a URL", { url: "https://hooks.example/x" }, { kind: "url", host: "hooks.example", port: 443 }],
    ["an address", { url: "https://[2001:db8::1]:8443/" }, { kind: "url", host: "2001:db8::1", port: 8443 }],
    ["neither", {}, undefined],
  ] as const)
    test(what, () => assert.deepEqual(targetOf({ clientConfig }), expected));
});

describe("who answers at a Service", () => {
  const target = { kind: "service", namespace: "ns", name: "hook", port: 443 } as const;
  const serviceWith = (...ports: JsonObject[]): JsonObject => ({
    kind: "Service",
    metadata: { namespace: "ns", name: "hook" },
    spec: { ports },
  });
  const slice = (ports: JsonObject[], conditions: JsonObject = {}): JsonObject => ({
    kind: "EndpointSlice",
    metadata: { namespace: "ns", labels: { "kubernetes.io/service-name": "hook" } },
    ports,
    endpoints: [
      { addresses: ["10.0.0.1"], conditions, targetRef: { kind: "Pod", namespace: "ns", name: "a" } },
    ],
  });
  const ports = (...objects: JsonObject[]) =>
    placesOf(target, snapshotOf({ objects })).map(({ name, port }) => `${name}:${port}`);

  test("the port of the same name", () =>
    assert.deepEqual(
      ports(
        serviceWith({ name: "ops", port: 80 }, { name: "hook", port: 443 }),
        slice([
          { name: "ops", port: 8080 },
          { name: "hook", port: 10250 },
        ]),
      ),
      ["ns/a:10250"],
    ));
  test("a port without a name", () =>
    assert.deepEqual(ports(serviceWith({ port: 443 }), slice([{ name: "", port: 10250 }])), ["ns/a:10250"]));
  test("the Service has no such port", () =>
    assert.deepEqual(ports(serviceWith({ port: 80 }), slice([{ port: 8080 }])), []));
  test("not ready", () =>
    assert.deepEqual(ports(serviceWith({ port: 443 }), slice([{ port: 10250 }], { ready: false })), []));
  test("no pod: its address is its name", () => {
    const { endpoints: _endpoints, ...rest } = slice([{ port: 10250 }]);
    const outside = { ...rest, endpoints: [{ addresses: ["192.0.2.1"] }] };
    assert.deepEqual(ports(serviceWith({ port: 443 }), outside), ["192.0.2.1:10250"]);
  });
  test("a Service that cannot be seen is no empty one", () =>
    assert.throws(() => placesOf(target, snapshotOf({ hidden: { Service: "403" } })), NotSeen));
});
