import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { INJECTION } from "../../../../src/audit/checks/injection.ts";
import { strays } from "../../../../src/audit/strays.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { poolerPod } from "../../injection/pooler-pod.ts";
import { inject, ours, settingsOf, surroundingsOf } from "../../injection/world.ts";
import { audited, codesOf, member, namespace, statefulSet } from "../world.ts";

const LABEL = "patroni-injector.io/injection";
const ENABLED = namespace("db", { [LABEL]: "enabled" });
const injected = inject(member(0)).pod;
const withImage = (image: string): JsonObject =>
  JSON.parse(JSON.stringify(injected).replaceAll("registry.example/patroni-injector:1.0", image));
/** As a registry mirror's webhook leaves it: another image in the container, and the status annotation as it was. */
const mirrored = (pod: JsonObject): JsonObject =>
  JSON.parse(
    JSON.stringify(pod).replaceAll('"image":"registry.example/', '"image":"mirror.example/registry.example/'),
  );
const withoutStatus = ({ metadata, ...pod }: JsonObject): JsonObject => ({
  ...pod,
  metadata: { ...(metadata as JsonObject), annotations: {} },
});
const admitted = (pod: JsonObject) => ({ "db/pg": { kind: "admitted" as const, pod } });

for (const [what, codes, objects] of [
  ["an injected member", [], [ENABLED, injected]],
  ["a bare member", ["not-injected"], [ENABLED, member(0)]],
  ["a bare member in a namespace that is audited", [], [namespace("db", { [LABEL]: "audit" }), member(0)]],
  ["a bare member in a namespace without the label", ["not-opted-in"], [namespace("db"), member(0)]],
  ["a namespace that is disabled", ["not-opted-in"], [namespace("db", { [LABEL]: "disabled" }), member(0)]],
  [
    "a sidecar of another version",
    ["older-sidecar"],
    [ENABLED, withImage("registry.example/patroni-injector:0.9")],
  ],
  ["a sidecar from a registry mirror", [], [ENABLED, mirrored(injected)]],
  [
    "an older sidecar from a registry mirror",
    ["older-sidecar"],
    [ENABLED, mirrored(withImage("registry.example/patroni-injector:0.9"))],
  ],
  [
    "an older sidecar that says nothing of what was asked for",
    ["older-sidecar"],
    [ENABLED, withoutStatus(withImage("registry.example/patroni-injector:0.9"))],
  ],
  [
    "an address that was not written then",
    ["outdated-injection"],
    [ENABLED, { ...injected, spec: { ...(injected.spec as JsonObject), subdomain: "" } }],
  ],
] as const satisfies readonly (readonly [string, readonly string[], readonly JsonObject[]])[])
  test(what, () => assert.deepEqual(codesOf(audited(INJECTION, { objects })), codes));

describe("through admission", () => {
  const objects = [ENABLED, statefulSet()];
  for (const [what, codes, dryRuns] of [
    ["injected", [], admitted(injected)],
    ["not injected", ["failed-open"], admitted(member(9))],
    ["injected, from a registry mirror", [], admitted(mirrored(injected))],
    [
      "injected, and changed by another webhook",
      ["admission-differs"],
      admitted({ ...injected, spec: { ...(injected.spec as JsonObject), subdomain: "other" } }),
    ],
    ["opted out", [], admitted(member(9, {}, { annotations: { "patroni-injector.io/inject": "false" } }))],
    ["refused", ["failed-open"], { "db/pg": { kind: "refused" as const, message: "quota" } }],
  ] as const)
    test(what, () => assert.deepEqual(codesOf(audited(INJECTION, { objects, dryRuns })), codes));

  test("no dry-run is no clean bill", () => {
    assert.deepEqual(audited(INJECTION, { objects }).unseen, [
      { codes: ["failed-open", "admission-differs"], why: "no dry-run was made" },
    ]);
  });

  test("where nothing is to be changed, nothing has to be tried", () => {
    assert.deepEqual(audited(INJECTION, { objects: [namespace("db"), statefulSet()] }).unseen, []);
  });
});

describe("strays", () => {
  const found = (pods: JsonObject[], statefulSets: JsonObject[] = []) =>
    strays({ namespaces: [], pods, statefulSets }, settingsOf({}), surroundingsOf({})).map(
      ({ code, object }) => [code, `${object.kind} ${object.name}`],
    );
  const two = {
    containers: ["a", "b"].map((name) => ({ name, env: [{ name: "PATRONI_SCOPE", value: "pg" }] })),
  };
  const noScope = { containers: [{ name: "a", env: [{ name: "PATRONI_NAME", value: "x" }] }] };
  const unnamed = { labels: { application: "patroni" } };

  test("a member is none", () => assert.deepEqual(found([member(0)], [statefulSet()]), []));
  test("two containers", () =>
    assert.deepEqual(found([member(0, two)]), [["ambiguous-container", "Pod pg-0"]]));
  test("no scope", () => assert.deepEqual(found([member(0, noScope, unnamed)]), [["no-scope", "Pod pg-0"]]));
  test("opted out", () =>
    assert.deepEqual(found([member(0, {}, { annotations: { "patroni-injector.io/inject": "false" } })]), [
      ["opted-out", "Pod pg-0"],
    ]));
  test("a bad annotation", () =>
    assert.deepEqual(found([member(0, {}, { annotations: { "patroni-injector.io/patroni-port": "x" } })]), [
      ["invalid-annotation", "Pod pg-0"],
    ]));
  test("a workload is told of once, and its pods are not", () =>
    assert.deepEqual(found([member(0, two), member(1, two)], [statefulSet(two)]), [
      ["ambiguous-container", "StatefulSet pg"],
    ]));
  test("a pooler is none, whether or not it opted out; one that would be refused is", () => {
    const pooler = (annotations: Record<string, string>, name: string) =>
      poolerPod({ annotations: ours(annotations), metadata: { name } });
    assert.deepEqual(found([pooler({}, "a"), pooler({ inject: "false" }, "b"), pooler({ mesh: "x" }, "c")]), [
      ["invalid-annotation", "Pod c"],
    ]);
    assert.deepEqual(codesOf(audited(INJECTION, { objects: [ENABLED, member(0), poolerPod()] })), [
      "not-injected",
    ]);
  });
  test("a pod of somebody else's is none", () =>
    assert.deepEqual(found([member(0, two, { labels: {} })]), []));
});
