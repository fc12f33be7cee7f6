import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Ajv } from "ajv";
import { auditModeOf } from "../../../../src/audit/audit-mode.ts";
import { documentOf } from "../../../../src/audit/report/document.ts";
import { markdownOf } from "../../../../src/audit/report/markdown.ts";
import { policyReportsOf } from "../../../../src/audit/report/policy-report.ts";
import { sarifOf } from "../../../../src/audit/report/sarif.ts";
import { AUDIT_SCHEMA } from "../../../../src/audit/report/schema.ts";
import { textOf } from "../../../../src/audit/report/text.ts";
import { at, objectsIn } from "../../../../src/json/value.ts";
import { sarifValidator } from "./sarif-schema.ts";

const SINCE = "2026-01-01T00:00:00.000Z";
const WHY = "pods/proxy is forbidden | <b>";
const auditMode = auditModeOf(
  [
    {
      replica: "injector/a",
      told: {
        value: {
          since: SINCE,
          decisions: [
            { namespace: "db", pod: "pg-1", reason: "injected" },
            { namespace: "db", pod: "pg-0", reason: "injected" },
            { namespace: "db", pod: "x", reason: "opted-out" },
          ],
        },
      },
    },
    { replica: "injector/b", told: { unseen: WHY } },
  ],
  new Set(["quiet", "db"]),
);
const REPORT = { clusters: [], auditMode };

describe("what namespaces in audit mode would have got is in", () => {
  test("the table", () => {
    const lines = textOf(REPORT, false).split("\n");
    for (const line of [
      "  would be injected  db: 2: pg-0, pg-1",
      "  opted-out  db: 1: x",
      `  injector/a remembers since ${SINCE}`,
      `  unseen  injector/b: ${WHY}`,
    ])
      assert.ok(lines.includes(line), line);
  });

  test("the data, which is of the published schema", () => {
    const validate = new Ajv({ strict: false }).compile(AUDIT_SCHEMA);
    const document = documentOf(REPORT);
    assert.ok(validate(document), JSON.stringify(validate.errors));
    assert.deepEqual(document.auditMode, {
      namespaces: ["db", "quiet"],
      groups: [
        { namespace: "db", reason: "injected", pods: ["pg-0", "pg-1"] },
        { namespace: "db", reason: "opted-out", pods: ["x"] },
      ],
      since: { "injector/a": SINCE },
      unread: [{ replica: "injector/b", why: WHY }],
    });
  });

  test("the markdown, without becoming markup", () => {
    const lines = markdownOf(REPORT).split("\n");
    for (const line of [
      "### Namespaces in audit mode, in the last hour",
      "| db | would be injected | 2: pg-0, pg-1 |",
      "| db | opted-out | 1: x |",
      `- injector/a remembers since ${SINCE}`,
      "- injector/b: pods/proxy is forbidden \\| \\<b\\>",
    ])
      assert.ok(lines.includes(line), `${line}\n\n${lines.join("\n")}`);
  });

  test("SARIF, as notes of a rule of their own; a replica that was not read is a warning of the run", () => {
    const validate = sarifValidator();
    const sarif = sarifOf(REPORT, () => undefined);
    assert.ok(validate(sarif), JSON.stringify(validate.errors));
    const [run] = objectsIn(sarif.runs);
    const rules = objectsIn(at(run, "tool", "driver", "rules"));
    const results = objectsIn(run?.results);
    assert.deepEqual(
      results.map((each) => [each.level, rules[Number(each.ruleIndex)]?.id, at(each, "message", "text")]),
      [
        ["note", "audit-mode", "Namespace db: would be injected: pg-0, pg-1"],
        ["note", "audit-mode", "Namespace db: opted-out: x"],
      ],
    );
    assert.ok(results.every(({ ruleId }) => ruleId === "audit-mode"));
    const [invocation] = objectsIn(run?.invocations);
    assert.deepEqual(
      objectsIn(invocation?.toolExecutionNotifications).map((each) => [
        each.level,
        at(each, "message", "text"),
      ]),
      [
        ["note", `injector/a remembers pods of namespaces in audit mode since ${SINCE}`],
        ["warning", `could not be looked at: injector/b: ${WHY} (audit-mode)`],
      ],
    );
  });

  test("a PolicyReport of each such namespace: warned of, or skipped", () => {
    const reports = policyReportsOf(REPORT, new Date(0));
    assert.deepEqual(
      reports.map(({ metadata }) => [at(metadata, "namespace"), at(metadata, "name")]),
      [
        ["db", "patroni-injector.audit-mode"],
        ["quiet", "patroni-injector.audit-mode"],
      ],
    );
    const [db, quiet] = reports;
    assert.deepEqual(
      objectsIn(db?.results).map(({ result, message, resources }) => [
        result,
        message,
        objectsIn(resources).map(({ name }) => name),
      ]),
      [
        ["warn", "in the last hour: would be injected", ["pg-0", "pg-1"]],
        ["skip", "in the last hour: opted-out", ["x"]],
        ["skip", `could not be looked at: injector/b: ${WHY}`, []],
      ],
    );
    assert.deepEqual(db?.summary, { pass: 0, fail: 0, warn: 1, error: 0, skip: 2 });
    assert.equal(objectsIn(quiet?.results).length, 1);
  });
});
