import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { evaluate } from "../../../src/audit/network/evaluate.ts";
import type { End } from "../../../src/audit/network/flow.ts";
import { readPolicy } from "../../../src/audit/network/policy.ts";
import type { JsonObject } from "../../../src/json/value.ts";

const label = fc.constantFrom("a", "b");
const labels = fc.dictionary(label, fc.constantFrom("1", "2"), { maxKeys: 2 });
const namespace = fc.constantFrom("db", "app");
const port = fc.integer({ min: 1, max: 5 });
const ip = fc.constantFrom("10.0.0.1", "10.0.1.1", "192.0.2.1");

const selector: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({ matchLabels: labels }),
  fc.record({
    matchExpressions: fc.array(
      fc.record({ key: label, operator: fc.constantFrom("Exists", "DoesNotExist") }),
      { maxLength: 2 },
    ),
  }),
);
const peer: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({ podSelector: selector, namespaceSelector: selector }, { requiredKeys: [] }),
  fc.record({ ipBlock: fc.record({ cidr: fc.constantFrom("10.0.0.0/24", "0.0.0.0/0") }) }),
);
const rule = (key: "from" | "to"): fc.Arbitrary<JsonObject> =>
  fc.record(
    { [key]: fc.array(peer, { maxLength: 2 }), ports: fc.array(fc.record({ port }), { maxLength: 2 }) },
    { requiredKeys: [] },
  );
const policy = fc
  .record({
    metadata: fc.record({ namespace, name: fc.constant("p") }),
    spec: fc.record(
      {
        podSelector: selector,
        ingress: fc.array(rule("from"), { maxLength: 2 }),
        egress: fc.array(rule("to"), { maxLength: 2 }),
        policyTypes: fc.subarray(["Ingress", "Egress"], { minLength: 1 }),
      },
      { requiredKeys: ["podSelector"] },
    ),
  })
  .map((object) => readPolicy(object as unknown as JsonObject));
const policies = fc.array(policy, { maxLength: 5 });

const end: fc.Arbitrary<End> = fc.oneof(
  fc.record({ kind: fc.constant("address" as const), ip }),
  fc.record({
    kind: fc.constant("pod" as const),
    namespace,
    namespaceLabels: labels,
    labels,
    ips: fc.array(ip, { maxLength: 1 }),
    ports: fc.constant([]),
    hostNetwork: fc.boolean(),
  }),
);
const flow = fc.record({
  from: end,
  to: end,
  port,
  protocol: fc.constantFrom("TCP" as const, "UDP" as const),
});

const RANK = { no: 0, depends: 1, yes: 2 };

test("the order of policies does not matter", () => {
  fc.assert(
    fc.property(policies, flow, (all, wanted) => {
      assert.equal(evaluate(all.toReversed(), wanted).allowed, evaluate(all, wanted).allowed);
    }),
  );
});

test("a further policy for pods that are isolated already can only allow more", () => {
  fc.assert(
    fc.property(policies, policy, flow, (all, more, wanted) => {
      const shut = (["db", "app"] as const).map((name) =>
        readPolicy({
          metadata: { namespace: name, name: "shut" },
          spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
        }),
      );
      const before = evaluate([...shut, ...all], wanted).allowed;
      const after = evaluate([...shut, ...all, more], wanted).allowed;
      assert.ok(RANK[after] >= RANK[before], `${before} became ${after}`);
    }),
  );
});

test("where a flow is not allowed, somebody is to blame: did those not isolate on that side, it would be", () => {
  fc.assert(
    fc.property(policies, flow, (all, wanted) => {
      const { allowed, ...sides } = evaluate(all, wanted);
      const blamed = (["egress", "ingress"] as const).filter((side) => sides[side].allowed !== "yes");
      assert.equal(blamed.length === 0, allowed === "yes");
      for (const side of blamed) assert.notEqual(sides[side].isolatedBy.length, 0);
      const rest = all.map((candidate) => {
        const guilty = blamed.filter((side) => sides[side].isolatedBy.includes(candidate));
        return {
          ...candidate,
          directions: new Set([...candidate.directions].filter((d) => !guilty.includes(d))),
        };
      });
      assert.equal(evaluate(rest, wanted).allowed, "yes");
    }),
  );
});
