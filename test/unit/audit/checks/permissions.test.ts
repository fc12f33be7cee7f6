import assert from "node:assert/strict";
import { test } from "node:test";
import { PERMISSIONS } from "../../../../src/audit/checks/permissions.ts";
import type { AccessQuestion } from "../../../../src/audit/snapshot.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { audited, codesOf, member, threeMembers } from "../world.ts";

/** Allows everything but what this one says. */
const but = (refused: (question: AccessQuestion) => boolean) => (question: AccessQuestion) => ({
  value: !refused(question),
});
const all = but(() => false);
const objects = threeMembers();

for (const [what, codes, access] of [
  ["everything is allowed", [], all],
  [
    "no ConfigMaps",
    ["patroni-permissions", "sidecar-permissions"],
    but(({ resource }) => resource === "configmaps"),
  ],
  [
    "no patch of ConfigMaps",
    ["patroni-permissions"],
    but(({ resource, verb }) => resource === "configmaps" && verb === "patch"),
  ],
  ["no pods", ["patroni-permissions"], but(({ resource }) => resource === "pods")],
  [
    "nothing in default",
    ["patroni-default-permissions"],
    but(({ inNamespace }) => inNamespace === "default"),
  ],
  [
    "no update of the slice",
    ["sidecar-permissions"],
    but(({ resource, verb }) => resource === "endpointslices" && verb === "update"),
  ],
  [
    "Endpoints are not asked for in ConfigMap mode",
    [],
    but(({ resource, inNamespace }) => resource === "endpoints" && inNamespace === "db"),
  ],
] as const)
  test(what, () => {
    const outcome = audited(PERMISSIONS, { objects, access });
    assert.deepEqual(codesOf(outcome), codes);
    assert.deepEqual(outcome.unseen, []);
  });

test("what is lacking is named, and the Role of the fix grants it", () => {
  const access = but(
    ({ resource, verb }) => resource === "configmaps" && (verb === "patch" || verb === "create"),
  );
  const [finding] = audited(PERMISSIONS, { objects, access }).findings;
  assert.equal(finding?.evidence, "may not create, patch configmaps in db");
  assert.deepEqual(finding?.object, { kind: "ServiceAccount", namespace: "db", name: "default" });
  const [role, binding] = finding?.fix ?? [];
  assert.deepEqual(role?.rules, [
    {
      apiGroups: [""],
      resources: ["configmaps"],
      verbs: ["create", "get", "list", "patch", "update", "watch"],
    },
    { apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "patch", "watch"] },
  ]);
  assert.deepEqual(binding?.subjects, [{ kind: "ServiceAccount", namespace: "db", name: "default" }]);
});

test("permissions that could not be asked for are no clean bill", () => {
  const { findings, unseen } = audited(PERMISSIONS, { objects });
  assert.deepEqual(findings, []);
  assert.deepEqual(
    unseen.map(({ codes }) => codes),
    [["patroni-permissions"], ["patroni-default-permissions"], ["sidecar-permissions"]],
  );
});

test("Spilo's token", () => {
  const spilo = (fsGroup: number): JsonObject => ({
    containers: [{ name: "postgres", image: "spilo", env: [{ name: "SCOPE", value: "pg" }] }],
    securityContext: { fsGroup },
  });
  const codes = (spec: JsonObject) =>
    codesOf(audited(PERMISSIONS, { objects: [member(0, spec)], access: all }));
  assert.deepEqual(codes(spilo(1000)), ["spilo-token-unreadable"]);
  assert.deepEqual(codes(spilo(103)), []);
  assert.deepEqual(codes({}), []);
});
