import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Subject } from "../../../src/injection/decision.ts";
import { hostOf, memberOf } from "../../../src/injection/member.ts";
import { readOptions } from "../../../src/injection/options.ts";
import { excludedInboundPorts } from "../../../src/injection/recipient.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { NAMESPACE, ours, patroniPod } from "./world.ts";

const member = (pod: JsonObject, subject: Partial<Subject> = {}) => {
  const container = (pod.spec as { containers: JsonObject[] }).containers[0] ?? {};
  const whole = { pod, namespace: NAMESPACE, origin: "request", job: false, ...subject } as const;
  return memberOf(whole, container, "patroni", "pg", readOptions(pod).values);
};

test("excluded ports: each once, in order of number", () => {
  const annotations = ours({ "exclude-ports": "9187,80,5432,9187", "patroni-port": "5432" });
  assert.deepEqual(excludedInboundPorts(member(patroniPod({ annotations })), 8011), [80, 5432, 8011, 9187]);
  assert.deepEqual(excludedInboundPorts(member(patroniPod()), 8008), [5432, 8008]);
});

describe("the host part of the name", () => {
  const named = (name: string | null, hostname: string | null) =>
    patroniPod({ metadata: { name }, spec: { hostname } });
  const rows: readonly [name: string, pod: JsonObject, subject: Partial<Subject>, expected: object][] = [
    ["hostname is the pod's name", named("pg-0", "pg-0"), {}, { kind: "pod-name", name: "pg-0" }],
    ["no hostname", named("pg-0", null), {}, { kind: "pod-name", name: "pg-0" }],
    ["an empty hostname is none", named("pg-0", ""), {}, { kind: "pod-name", name: "pg-0" }],
    ["another hostname", named("pg-0", "mine"), {}, { kind: "literal", name: "mine" }],
    ["no name", named(null, "mine"), {}, { kind: "literal", name: "mine" }],
    [
      "a StatefulSet's template, whatever its hostname",
      named(null, "mine"),
      { origin: "stateful-template" },
      { kind: "pod-name", name: undefined },
    ],
  ];
  for (const [name, pod, subject, expected] of rows) {
    test(name, () => assert.deepEqual(hostOf(member(pod, subject)), expected));
  }

  const without: readonly [name: string, pod: JsonObject, subject: Partial<Subject>, reason: string][] = [
    ["neither", named(null, null), {}, "no-stable-name"],
    ["another workload's template", named("pg-0", "mine"), { origin: "template" }, "no-stable-name"],
    ["a name with dots", named("pg.0", null), {}, "invalid-name"],
    ["a hostname of capitals", named("pg-0", "PG"), {}, "invalid-name"],
  ];
  for (const [name, pod, subject, reason] of without) {
    test(`none: ${name}`, () => {
      const host = hostOf(member(pod, subject));
      assert.equal(host.kind === "none" && host.reason, reason);
    });
  }
});

test("a StatefulSet's pods have its serviceName as subdomain, and no hostname but their names", () => {
  const { hostname, subdomain, name } = member(patroniPod(), {
    origin: "stateful-template",
    serviceName: "pods",
  });
  assert.deepEqual(
    { hostname, subdomain, name },
    { hostname: undefined, subdomain: "pods", name: undefined },
  );
});
