import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Ajv } from "ajv";
import { type AuditReport, audit } from "../../../../src/audit/audit.ts";
import { documentOf } from "../../../../src/audit/report/document.ts";
import { fixesOf } from "../../../../src/audit/report/fixes.ts";
import { markdownOf } from "../../../../src/audit/report/markdown.ts";
import { policyReportsOf } from "../../../../src/audit/report/policy-report.ts";
import { sarifOf } from "../../../../src/audit/report/sarif.ts";
import { AUDIT_SCHEMA } from "../../../../src/audit/report/schema.ts";
import { explanationOf, textOf } from "../../../../src/audit/report/text.ts";
import { FINDINGS, type FindingCode } from "../../../../src/contract/findings.ts";
import { at, type JsonObject } from "../../../../src/json/value.ts";
import { settingsOf, surroundingsOf } from "../../injection/world.ts";
import { member, namespace, object, snapshotOf, statefulSet, threeMembers } from "../world.ts";
import { sarifValidator } from "./sarif-schema.ts";

const reportOn = (objects: readonly JsonObject[]): AuditReport =>
  audit({
    snapshot: snapshotOf({ objects }),
    settings: settingsOf({}),
    surroundings: surroundingsOf({}),
    namespaces: undefined,
    isWanted: () => true,
  });

const slow: JsonObject[] = threeMembers().map((each) =>
  each.kind === "StatefulSet" ? statefulSet({ terminationGracePeriodSeconds: 0 }) : each,
);
const other = (name: string): JsonObject => {
  const text = JSON.stringify(member(0)).replaceAll('"pg"', `"${name}"`).replaceAll('"db"', '"app"');
  return JSON.parse(text) as JsonObject;
};
const REPORT = reportOn([...slow, namespace("app"), other("calm")]);

describe("the report", () => {
  test("has each cluster, worst first", () => {
    assert.deepEqual(
      REPORT.clusters.map(({ namespace: where, scope }) => `${where}/${scope}`),
      ["db/pg", "app/calm"],
    );
    const codes = REPORT.clusters[0]?.findings.map(({ code }) => FINDINGS[code].severity) ?? [];
    const ranks = codes.map((severity) => ["error", "warning", "info"].indexOf(severity));
    assert.deepEqual(ranks, ranks.toSorted());
    assert.ok(codes.includes("error") && codes.includes("warning"));
  });

  test("says what could not be looked at, once for each cause", () => {
    const [first] = REPORT.clusters;
    const causes = first?.unseen.map(({ why }) => why) ?? [];
    assert.equal(new Set(causes).size, causes.length);
    assert.ok(causes.includes("permissions were not asked for"));
  });
});

describe("as data", () => {
  test("it is of the published schema", () => {
    const validate = new Ajv({ strict: false }).compile(AUDIT_SCHEMA);
    assert.ok(validate(documentOf(REPORT)), JSON.stringify(validate.errors));
    assert.ok(!validate({ ...documentOf(REPORT), clusters: [{ namespace: "x" }] }));
  });

  test("the summary counts all findings", () => {
    const { summary, clusters } = documentOf(REPORT) as unknown as {
      summary: Record<string, number>;
      clusters: { findings: { severity: string }[] }[];
    };
    for (const severity of ["error", "warning", "info"]) {
      const count = clusters
        .flatMap(({ findings }) => findings)
        .filter((each) => each.severity === severity).length;
      assert.equal(summary[severity], count);
    }
  });
});

describe("as SARIF", () => {
  const validate = sarifValidator();
  const sarif = sarifOf(REPORT, ({ code }) =>
    code === "no-grace" ? { file: "a b/pg.yaml", line: 7 } : undefined,
  );

  test("it is valid against the schema", () => assert.ok(validate(sarif), JSON.stringify(validate.errors)));
  test("the schema would notice", () => assert.ok(!validate({ ...sarif, version: "2.0.0" })));
  test("a finding in a file has its line", () => {
    const text = JSON.stringify(sarif);
    assert.ok(text.includes('"uri":"a%20b/pg.yaml"},"region":{"startLine":7}'));
  });
  test("every code is a rule", () => {
    const [run] = sarif.runs as { tool: { driver: { rules: { id: string }[] } } }[];
    assert.deepEqual(
      run?.tool.driver.rules.map(({ id }) => id),
      [...Object.keys(FINDINGS), "audit-mode"],
    );
  });
});

describe("as PolicyReports", () => {
  const reports = policyReportsOf(REPORT, new Date(1_700_000_000_000)) as unknown as {
    metadata: { namespace: string; name: string };
    summary: Record<string, number>;
    results: { policy: string; result: string; timestamp: object }[];
  }[];

  test("there is one for each cluster, in its namespace", () => {
    assert.deepEqual(
      reports.map(({ metadata: { namespace: where, name } }) => `${where}/${name}`),
      ["db/patroni-injector-pg", "app/patroni-injector-calm"],
    );
  });
  test("no two of a namespace have the same name", () => {
    const scopes = ["pg-1", "pg_1", "PG-1", "strays", "audit-mode", "1", undefined];
    const clusters = scopes.map((scope) => ({
      ...{ namespace: "db", scope, members: [], findings: [], unseen: [] },
    }));
    const auditMode = { namespaces: ["db"], groups: [], since: {}, unread: [] };
    const names = policyReportsOf({ clusters, auditMode }, new Date()).map((each) =>
      String(at(each, "metadata", "name")),
    );
    assert.equal(new Set(names).size, scopes.length + 1);
    for (const name of names) assert.match(name, /^[a-z0-9]+([.-][a-z0-9]+)*$/);
  });
  test("what could not be looked at is skipped, never passed", () => {
    const [first] = reports;
    assert.equal(first?.summary.pass, 0);
    assert.equal(first?.results.find(({ policy }) => policy === "sidecar-permissions")?.result, "skip");
    assert.equal(first?.results.find(({ policy }) => policy === "no-grace")?.result, "fail");
    assert.deepEqual(first?.results[0]?.timestamp, { seconds: 1_700_000_000, nanos: 0 });
  });
});

describe("for people", () => {
  test("the table names the object, what was seen and what to do", () => {
    const text = textOf(REPORT, false);
    assert.match(text, /^db\/pg {2}3 members {2}\d+ errors?, \d+ warnings?$/m);
    assert.match(
      text,
      /error {4}no-grace +StatefulSet db\/pg: spec\.template\.spec\.terminationGracePeriodSeconds\n/,
    );
    assert.match(text, /seen: terminationGracePeriodSeconds: 0\n/);
    assert.match(text, /^2 Patroni clusters: .*; \d+ things could not be looked at\n$/m);
    assert.ok(!text.includes("\u001b["));
  });
  test("colours are only there where they are wanted", () =>
    assert.ok(textOf(REPORT, true).includes("\u001b[31m")));
  test("nothing to audit is said", () =>
    assert.equal(textOf(reportOn([]), false), "0 Patroni clusters: nothing found\n"));
  test("every code can be explained", () => {
    for (const code of Object.keys(FINDINGS) as FindingCode[])
      assert.ok(explanationOf(code).includes(FINDINGS[code].means));
  });
  test("names from the cluster write no control characters to a terminal", () => {
    const service = object("Service", "a\u001b[2Jb", {
      spec: { type: "NodePort", ports: [{ port: 5432 }], selector: { "cluster-name": "pg" } },
    });
    const text = textOf(reportOn([...threeMembers(), service]), false);
    assert.ok(text.includes("a\\u001b[2Jb") && !text.includes("\u001b"));
  });
  test("names from the cluster are no markup", () => {
    const hostile = "[x](docs/<img src=x>|[a](b)`@team";
    const service = object("Service", hostile, {
      spec: { type: "NodePort", ports: [{ port: 5432 }], selector: { "cluster-name": "pg" } },
    });
    const text = markdownOf(reportOn([...threeMembers(), service]));
    assert.ok(text.includes("\\[x\\](docs/\\<img src=x\\>\\|\\[a\\](b)\\`@\u200bteam"));
    assert.ok(!text.includes(hostile));
  });
});

describe("fixes", () => {
  test("two changes of one object are one file", () => {
    const headless = object("Service", "pg", {
      apiVersion: "v1",
      spec: { clusterIP: "None", selector: { "cluster-name": "pg" } },
    });
    const fixes = fixesOf(reportOn([...threeMembers().slice(0, 2), headless]));
    const names = fixes.map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
    assert.ok(names.includes("db_service_pg.yaml"));
    assert.deepEqual(names, names.toSorted());
  });
  test("two objects are two files, however alike their names, and however long", () => {
    const names = ["a:b", "a-b", "A-B", "a_b", "x".repeat(253), `${"x".repeat(252)}y`];
    const fix = names.map((name) => object("Role", name, { apiVersion: "rbac.authorization.k8s.io/v1" }));
    const finding = {
      code: "no-grace",
      object: { kind: "Role", namespace: "db", name: "x" },
      evidence: "",
      fix,
    } as const;
    const cluster = { namespace: "db", scope: "pg", members: [], findings: [finding], unseen: [] };
    const files = fixesOf({ clusters: [cluster], auditMode: undefined }).map(({ name }) => name);
    assert.equal(new Set(files).size, names.length);
    assert.ok(files.includes("db_role_a-b.yaml"));
    for (const file of files) assert.ok(Buffer.byteLength(`${file}.part`) <= 255, file);
  });
  test("nothing in a name leads out of the folder", () => {
    const text = JSON.stringify(threeMembers()).replaceAll('"db"', '"../../etc"');
    for (const { name } of fixesOf(reportOn(JSON.parse(text))))
      assert.match(name, /^[a-z0-9-][a-z0-9._-]*\.yaml$/);
  });
});
