import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VERSION } from "../../../src/contract/version.ts";
import type { Part } from "../../../src/injection/decision.ts";
import { serviceFacts } from "../../../src/injection/settings.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { inject, injected, ours, patroniPod, spiloPod, type World } from "./world.ts";

const STATUS = "patroni-injector.io/status";

describe("status", () => {
  const rows: readonly [name: string, pod: JsonObject, world: World, applied: Part[]][] = [
    [
      "everything",
      spiloPod({ annotations: ours({ "spilo-token": "fix" }), spec: { securityContext: { fsGroup: 1 } } }),
      {},
      ["pod-dns", "connect-addresses", "mesh", "sidecar", "spilo-token"],
    ],
    ["plain Patroni", patroniPod(), {}, ["pod-dns", "connect-addresses", "mesh", "sidecar"]],
    ["no DNS name", patroniPod({ spec: { dnsPolicy: "None" } }), {}, ["mesh", "sidecar"]],
    [
      "hardly anything",
      patroniPod({
        annotations: ours({ "connect-addresses": "off", mesh: "off", discovery: "off", reload: "off" }),
      }),
      {},
      [],
    ],
    ["suspended", patroniPod(), { suspended: true }, ["pod-dns", "connect-addresses", "mesh"]],
  ];
  for (const [name, pod, world, applied] of rows) {
    test(`${name}: ${applied.join(", ") || "nothing"}`, () => {
      const planned = inject(pod, world);
      assert.deepEqual(planned.applied, applied);
      const image = applied.includes("sidecar") ? { image: "registry.example/patroni-injector:1.0" } : {};
      const status = { version: VERSION, applied, ...image };
      assert.deepEqual(JSON.parse(planned.annotations[STATUS] ?? ""), status);
    });
  }

  test("it is output only: a copied one switches nothing off", () => {
    const clean = inject(patroniPod());
    const copied = inject(patroniPod({ annotations: { [STATUS]: clean.annotations[STATUS] ?? "" } }));
    assert.deepEqual(copied.pod, clean.pod);
    assert.equal(copied.reason, "injected");
  });

  test("one of another version is renewed", () => {
    const annotations = { [STATUS]: JSON.stringify({ version: "0.0.1", applied: [] }) };
    assert.equal(JSON.parse(inject(patroniPod({ annotations })).annotations[STATUS] ?? "").version, VERSION);
  });
});

describe("a second pass", () => {
  const repaired: readonly [name: string, damage: (pod: JsonObject) => JsonObject][] = [
    [
      "the label was taken away",
      (pod) => ({
        ...pod,
        metadata: {
          ...(pod.metadata as JsonObject),
          labels: { application: "patroni", "cluster-name": "pg" },
        },
      }),
    ],
    [
      "the subdomain was set back",
      (pod) => ({ ...pod, spec: { ...(pod.spec as JsonObject), subdomain: "pg" } }),
    ],
    ["the volumes were dropped", (pod) => ({ ...pod, spec: { ...(pod.spec as JsonObject), volumes: [] } })],
    [
      "the sidecar was dropped",
      (pod) => ({ ...pod, spec: { ...(pod.spec as JsonObject), initContainers: [] } }),
    ],
  ];
  for (const [name, damage] of repaired) {
    test(`repairs: ${name}`, () => {
      const whole = injected(patroniPod());
      const again = inject(damage(whole));
      assert.equal(again.reason, "injected");
      assert.deepEqual(again.pod, whole);
    });
  }
});

test("what injection does not name is shared with the pod as it came, not copied", () => {
  const pod = patroniPod({ spec: { brandNew: { a: 1 } }, containers: [{ name: "other" }] });
  const { spec } = inject(pod);
  const before = pod.spec as JsonObject;
  assert.equal(spec.brandNew, before.brandNew);
  assert.equal((spec.containers as JsonObject[])[1], (before.containers as JsonObject[])[1]);
});

test("lists that were absent, null or empty stay so where nothing is put into them", () => {
  const off = ours({ "connect-addresses": "off", mesh: "off", discovery: "off", reload: "off" });
  for (const odd of [null, []]) {
    const lists = { initContainers: odd, volumes: odd, imagePullSecrets: odd };
    const { spec } = inject(patroniPod({ annotations: off, spec: lists }));
    for (const key of Object.keys(lists)) assert.deepEqual(spec[key], odd);
  }
  const { spec } = inject(patroniPod({ annotations: off }));
  for (const key of ["initContainers", "volumes", "imagePullSecrets"]) assert.ok(!(key in spec));
});

test("a headless Service as the API gives it carries the pod's name", () => {
  const service = {
    spec: {
      clusterIP: "None",
      publishNotReadyAddresses: true,
      selector: { "patroni-injector.io/cluster": "pg" },
    },
  };
  const planned = inject(patroniPod(), { services: { "pg-headless": serviceFacts(service) } });
  assert.equal(planned.spec.subdomain, "pg-headless");
});
