import assert from "node:assert/strict";
import { test } from "node:test";
import { holds } from "../../../src/controller/differs.ts";
import { named } from "../../../src/controller/owned.ts";

test("what the server filled in is not owned; what was named is", () => {
  const fields = {
    "f:metadata": { "f:labels": { ".": {}, "f:a/b": {} } },
    "f:spec": {
      "f:type": {},
      "f:sessionAffinity": {},
      "f:selector": {},
      "f:finalizers": { 'v:"x"': {} },
      "f:ports": {
        ".": {},
        'k:{"port":5432,"protocol":"TCP"}': { ".": {}, "f:name": {}, "f:port": {}, "f:targetPort": {} },
        'k:{"port":9187,"protocol":"TCP"}': { ".": {}, "f:port": {} },
      },
    },
  };
  const wanted = {
    metadata: { labels: { "a/b": "c" } },
    spec: { selector: { x: "y" }, finalizers: ["x"], ports: [{ name: "db", port: 5432, protocol: "TCP" }] },
  };
  assert.deepEqual(named(fields, wanted), {
    "f:metadata": { "f:labels": { ".": {}, "f:a/b": {} } },
    "f:spec": {
      "f:selector": {},
      "f:finalizers": { 'v:"x"': {} },
      "f:ports": { ".": {}, 'k:{"port":5432,"protocol":"TCP"}': { ".": {}, "f:name": {}, "f:port": {} } },
    },
  });
});

test("a Service may have further ports; a Role no further rules, and nothing else a further entry", () => {
  const ports = [{ port: 1 }, { port: 2 }];
  assert.ok(
    holds({ spec: { ports: [{ port: 9 }, { port: 2, name: "b" }, { port: 1 }] } }, { spec: { ports } }),
  );
  assert.ok(!holds({ spec: { ports: [{ port: 1 }] } }, { spec: { ports } }));
  assert.ok(!holds({ rules: [{ verbs: ["get"] }, { verbs: ["*"] }] }, { rules: [{ verbs: ["get"] }] }));
  const policy = (list: object[]) => ({ spec: { ingress: [{ ports: list }] } }) as never;
  assert.ok(!holds(policy([{ port: 1 }, { port: 2 }]), policy([{ port: 1 }])));
});
