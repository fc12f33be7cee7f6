import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readOptions } from "../../../src/injection/options.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { decideOn, ours, patroniPod } from "./world.ts";

const podWith = (annotations: unknown): JsonObject => ({ metadata: { annotations } }) as JsonObject;

describe("values", () => {
  const rows: readonly [name: string, pod: JsonObject, values: object][] = [
    ["no metadata", {}, {}],
    ["no annotations", { metadata: {} }, {}],
    ["annotations are null", podWith(null), {}],
    [
      "annotations of others",
      podWith({ "example.com/mesh": "off", "patroni-injector.io.evil/mesh": "x", mesh: "x" }),
      {},
    ],
    ["the status is output only", podWith(ours({ status: "anything at all" })), {}],
    [
      "several, read to values",
      podWith(ours({ mesh: "off", "postgres-port": "5433", "exclude-ports": "1,2" })),
      { mesh: "off", "postgres-port": 5433, "exclude-ports": [1, 2] },
    ],
  ];
  for (const [name, pod, values] of rows) {
    test(name, () => assert.deepEqual(readOptions(pod), { values, problems: [] }));
  }
});

describe("problems, word for word", () => {
  const long = "x".repeat(80);
  const rows: readonly [annotations: Record<string, string>, problem: string][] = [
    [
      { mesh: "maybe" },
      'annotation patroni-injector.io/mesh: "maybe" is not allowed; allowed is "on" or "off"',
    ],
    [
      { "postgres-port": "0" },
      'annotation patroni-injector.io/postgres-port: "0" is not allowed; allowed is a port from 1 to 65535',
    ],
    [
      { container: long },
      `annotation patroni-injector.io/container: "${"x".repeat(60)}…" is not allowed; allowed is a DNS label: lower case letters, digits and dashes, at most 63 characters`,
    ],
    [
      { cluster: 'a"\n\u0007' },
      'annotation patroni-injector.io/cluster: "a\\"\\n\\u0007" is not allowed; allowed is a Patroni scope: letters, digits, dashes, dots and underscores, at most 253 characters',
    ],
    [{ port: "1" }, 'annotation "patroni-injector.io/port" does not exist'],
    [
      { "postgres-ports": "1" },
      'annotation "patroni-injector.io/postgres-ports" does not exist; did you mean patroni-injector.io/postgres-port?',
    ],
    [
      { headless: "a" },
      'annotation "patroni-injector.io/headless" does not exist; did you mean patroni-injector.io/headless-service?',
    ],
    [{ Mesh: "off" }, 'annotation "patroni-injector.io/Mesh" does not exist'],
    [{ constructor: "off" }, 'annotation "patroni-injector.io/constructor" does not exist'],
    [{ [long]: "off" }, `annotation "patroni-injector.io/${"x".repeat(40)}…" does not exist`],
  ];
  for (const [annotations, problem] of rows) {
    test(problem.slice(0, 90), () =>
      assert.deepEqual(readOptions(podWith(ours(annotations))), { values: {}, problems: [problem] }),
    );
  }

  test("an allowed value beside a problem is still read", () => {
    const { values, problems } = readOptions(podWith(ours({ mesh: "off", reload: "never" })));
    assert.deepEqual(values, { mesh: "off" });
    assert.equal(problems.length, 1);
  });
});

describe("what a problem does", () => {
  const pod = patroniPod({ annotations: ours({ mesh: "maybe", reload: "no", "exclude-ports": "9187" }) });
  const mesh = 'annotation patroni-injector.io/mesh: "maybe" is not allowed; allowed is "on" or "off"';
  const reload = 'annotation patroni-injector.io/reload: "no" is not allowed; allowed is "on" or "off"';

  test("deny: all of them are told at once", () => {
    assert.deepEqual(decideOn(pod), {
      kind: "deny",
      reason: "invalid-annotation",
      message: `${mesh}; ${reload}`,
      notes: [],
    });
  });

  test("ignore: each is passed over with a note, the others count", () => {
    const decision = decideOn(pod, { settings: { onInvalid: "ignore" } });
    assert.equal(decision.kind, "inject");
    assert.deepEqual(
      decision.notes.filter(({ reason }) => reason === "invalid-annotation"),
      [
        { reason: "invalid-annotation", detail: mesh },
        { reason: "invalid-annotation", detail: reload },
      ],
    );
    const annotations = decision.kind === "inject" ? JSON.stringify(decision.pod.metadata) : "";
    assert.match(annotations, /excludeInboundPorts":"5432,8008,8011,9187"/);
  });

  test("a pod that is left alone anyway is not denied", () => {
    const other = patroniPod({ labels: { application: "x" }, annotations: ours({ mesh: "maybe" }) });
    assert.deepEqual(decideOn(other), { kind: "skip", reason: "not-selected", detail: "", notes: [] });
  });
});
