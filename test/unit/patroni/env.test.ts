import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "../../../src/json/value.ts";
import { envEntry, envValue, knownEnvValue } from "../../../src/patroni/env.ts";

const fieldRef = (fieldPath: string): JsonObject => ({ valueFrom: { fieldRef: { fieldPath } } });
const secret: JsonObject = { valueFrom: { secretKeyRef: { name: "s", key: "k" } } };

interface Row {
  readonly name: string;
  readonly env: unknown;
  readonly literal: string | undefined;
  readonly known: string | undefined;
}

const ROWS: readonly Row[] = [
  { name: "no list", env: undefined, literal: undefined, known: undefined },
  { name: "null", env: null, literal: undefined, known: undefined },
  { name: "an empty list", env: [], literal: undefined, known: undefined },
  { name: "another name", env: [{ name: "B", value: "1" }], literal: undefined, known: undefined },
  { name: "a value", env: [{ name: "A", value: "1" }], literal: "1", known: "1" },
  { name: "no value at all", env: [{ name: "A" }], literal: undefined, known: undefined },
  { name: "an empty value", env: [{ name: "A", value: "" }], literal: "", known: "" },
  {
    name: "a number where a text belongs",
    env: [{ name: "A", value: 1 }],
    literal: undefined,
    known: undefined,
  },
  {
    name: "the last of a name counts",
    env: [
      { name: "A", value: "1" },
      { name: "B", value: "x" },
      { name: "A", value: "2" },
    ],
    literal: "2",
    known: "2",
  },
  {
    name: "valueFrom null is none",
    env: [{ name: "A", value: "1", valueFrom: null }],
    literal: "1",
    known: "1",
  },
  { name: "a Secret", env: [{ name: "A", ...secret }], literal: undefined, known: undefined },
  {
    name: "a reference in the value is not expanded",
    env: [{ name: "A", value: "$(B)" }],
    literal: "$(B)",
    known: undefined,
  },
  {
    name: "a label of the pod",
    env: [{ name: "A", ...fieldRef("metadata.labels['cluster-name']") }],
    literal: undefined,
    known: "pg",
  },
  {
    name: "a label that the pod has not",
    env: [{ name: "A", ...fieldRef("metadata.labels['toString']") }],
    literal: undefined,
    known: undefined,
  },
  {
    name: "another field",
    env: [{ name: "A", ...fieldRef("metadata.name") }],
    literal: undefined,
    known: undefined,
  },
  {
    name: "an annotation",
    env: [{ name: "A", ...fieldRef("metadata.annotations['cluster-name']") }],
    literal: undefined,
    known: undefined,
  },
];

const pod: JsonObject = { metadata: { name: "pg-0", labels: { "cluster-name": "pg" } } };

describe("environment", () => {
  for (const { name, env, literal, known } of ROWS) {
    const container = { name: "c", env } as JsonObject;
    test(name, () => {
      assert.equal(envValue(container, "A"), literal);
      assert.equal(knownEnvValue(pod, container, "A"), known);
    });
  }

  test("the entry itself is given, not a copy", () => {
    const entry: JsonObject = { name: "A", ...secret };
    assert.equal(envEntry({ env: [entry] }, "A"), entry);
    assert.equal(envEntry({ env: [entry] }, "B"), undefined);
  });
});
