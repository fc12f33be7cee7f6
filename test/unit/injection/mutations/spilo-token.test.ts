import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Json } from "../../../../src/json/value.ts";
import { inject, injected, ours, patroniPod, spiloPod } from "../world.ts";

interface Row {
  readonly name: string;
  readonly context: Json;
  readonly fix: boolean;
  readonly expected: Json;
  readonly applied: boolean;
  readonly warned: boolean;
}

const ROWS: readonly Row[] = [
  { name: "no security context", context: null, fix: false, expected: null, applied: false, warned: false },
  {
    name: "no security context, fix",
    context: null,
    fix: true,
    expected: null,
    applied: false,
    warned: false,
  },
  {
    name: "no fsGroup",
    context: { runAsUser: 0 },
    fix: true,
    expected: { runAsUser: 0 },
    applied: false,
    warned: false,
  },
  {
    name: "fsGroup null",
    context: { fsGroup: null },
    fix: true,
    expected: { fsGroup: null },
    applied: false,
    warned: false,
  },
  {
    name: "fsGroup 103",
    context: { fsGroup: 103 },
    fix: false,
    expected: { fsGroup: 103 },
    applied: false,
    warned: false,
  },
  {
    name: "fsGroup 103, fix",
    context: { fsGroup: 103 },
    fix: true,
    expected: { fsGroup: 103 },
    applied: true,
    warned: false,
  },
  {
    name: "another fsGroup",
    context: { fsGroup: 1000 },
    fix: false,
    expected: { fsGroup: 1000 },
    applied: false,
    warned: true,
  },
  {
    name: "another fsGroup, fix",
    context: { fsGroup: 1000, runAsUser: 101 },
    fix: true,
    expected: { fsGroup: 103, runAsUser: 101 },
    applied: true,
    warned: false,
  },
  {
    name: "fsGroup 0",
    context: { fsGroup: 0 },
    fix: false,
    expected: { fsGroup: 0 },
    applied: false,
    warned: true,
  },
  {
    name: "what is no number at all",
    context: { fsGroup: { toString: null } },
    fix: false,
    expected: { fsGroup: { toString: null } },
    applied: false,
    warned: true,
  },
];

describe("Spilo's token", () => {
  for (const { name, context, fix, expected, applied, warned } of ROWS) {
    test(name, () => {
      const annotations = fix ? ours({ "spilo-token": "fix" }) : {};
      const pod = spiloPod({ annotations, spec: { securityContext: context } });
      const planned = inject(pod);
      assert.deepEqual(planned.spec.securityContext, expected);
      assert.equal(planned.applied.includes("spilo-token"), applied);
      assert.equal(planned.reasons.includes("spilo-token-unreadable"), warned);
      assert.equal(inject(injected(pod)).reason, "already-injected");
    });
  }

  test("the warning tells the group", () => {
    const { notes } = inject(spiloPod({ spec: { securityContext: { fsGroup: 1337 } } }));
    assert.deepEqual(notes, [{ reason: "spilo-token-unreadable", detail: "fsGroup is 1337" }]);
  });

  test("plain Patroni keeps its groups: its token is readable", () => {
    const annotations = ours({ "spilo-token": "fix" });
    const { spec, reasons } = inject(
      patroniPod({ annotations, spec: { securityContext: { fsGroup: 1000 } } }),
    );
    assert.deepEqual(spec.securityContext, { fsGroup: 1000 });
    assert.deepEqual(reasons, []);
  });
});
