import assert from "node:assert/strict";
import test from "node:test";
import { fieldSelector, labelSelector, objectSelector } from "../../../demo/kube-api/selectors.ts";

type Labels = Record<string, string>;

const labels: Labels = { app: "pg", role: "primary", "example.io/tier": "3", empty: "" };

const rows: readonly [selector: string, selected: boolean][] = [
  ["", true],
  ["app", true],
  ["!app", false],
  ["missing", false],
  ["!missing", true],
  ["! missing", true],
  ["app=pg", true],
  ["app == pg", true],
  ["app=spilo", false],
  ["app!=spilo", true],
  ["app!=pg", false],
  ["missing!=pg", true],
  ["missing=", false],
  ["empty=", true],
  ["app in (pg,spilo)", true],
  ["app in (spilo, patroni)", false],
  ["app notin (spilo)", true],
  ["app notin (pg)", false],
  ["missing notin (pg)", true],
  ["app=pg,role in (primary,master),!missing", true],
  ["app=pg,role in (replica,standby),!missing", false],
  ["example.io/tier=3", true],
  ["example.io/tier>2", true],
  ["example.io/tier<3", false],
  ["app>2", false],
  ["toString", false],
  ["!constructor", true],
];

test("label selectors", () => {
  for (const [selector, selected] of rows) {
    assert.equal(labelSelector(selector)(labels), selected, selector);
  }
});

test("label selectors that cannot be read are refused", () => {
  for (const selector of ["a=b=c", "a in b", "a in (b", ",", "a=b,", "-a", "a b", "a=(b)"]) {
    assert.throws(() => labelSelector(selector), /unable to parse requirement/, selector);
  }
});

test("selectors of objects", () => {
  const expression = (key: string, operator: string, values?: string[]) => ({
    matchExpressions: [{ key, operator, ...(values === undefined ? {} : { values }) }],
  });
  const cases: readonly [selector: object | undefined, selected: boolean][] = [
    [undefined, true],
    [{}, true],
    [{ matchLabels: { app: "pg" } }, true],
    [{ matchLabels: { app: "pg", role: "replica" } }, false],
    [expression("app", "In", ["pg", "spilo"]), true],
    [expression("app", "NotIn", ["pg"]), false],
    [expression("missing", "NotIn", ["pg"]), true],
    [expression("app", "Exists"), true],
    [expression("app", "DoesNotExist"), false],
    [{ matchLabels: { app: "pg" }, ...expression("role", "In", ["replica"]) }, false],
  ];
  for (const [selector, selected] of cases) {
    assert.equal(objectSelector(selector as never)(labels), selected, JSON.stringify(selector));
  }
  assert.throws(
    () => objectSelector(expression("app", "Like", ["p"])),
    /not a valid label selector operator/,
  );
});

test("field selectors", () => {
  const object = {
    metadata: { name: "a", namespace: "db" },
    spec: { nodeName: "n" },
    status: { phase: "Running" },
  };
  const selectable = ["spec.nodeName", "status.phase", "status.podIP"];
  const cases: readonly [selector: string, selected: boolean][] = [
    ["", true],
    ["metadata.name=a", true],
    ["metadata.name==b", false],
    ["metadata.namespace=db,status.phase=Running", true],
    ["status.phase!=Running", false],
    ["spec.nodeName!=m,metadata.name=a", true],
    ["status.podIP=", true],
  ];
  for (const [selector, selected] of cases) {
    assert.equal(fieldSelector(selector, selectable)(object), selected, selector);
  }
  assert.throws(
    () => fieldSelector("spec.hostname=a", selectable),
    /^Error: field label not supported: spec.hostname$/,
  );
  assert.throws(() => fieldSelector("spec.x=a", []), /is not a known field selector: only "metadata.name"/);
  assert.throws(() => fieldSelector("metadata.name", selectable), /invalid selector/);
});
