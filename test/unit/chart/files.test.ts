import assert from "node:assert/strict";
import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isMap, isScalar, parseDocument, stringify, type YAMLMap } from "yaml";
import { parseConfig } from "../../../src/config/parse.ts";
import { VERSION } from "../../../src/contract/version.ts";
import { at, isObject, type Json, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { SIDECAR_METRICS } from "../../../src/sidecar/metrics.ts";
import { METRICS } from "../../../src/telemetry/catalog.ts";
import { read, textOf } from "../../chart/chart.ts";

const RUNBOOKS = join(import.meta.dirname, "../../../docs/runbooks");

/** A metric of the API server's own. */
const FOREIGN = ["apiserver_admission_webhook_fail_open_count"];

const known = new Set([
  ...FOREIGN,
  ...Object.values(METRICS).flatMap(({ name, kind }) => namesOf(name, kind)),
  ...Object.entries(SIDECAR_METRICS).flatMap(([name, [kind]]) =>
    namesOf(`patroni_injector_sidecar_${name}`, kind),
  ),
]);

function namesOf(name: string, kind: string): string[] {
  return kind === "histogram" ? ["_bucket", "_sum", "_count"].map((suffix) => name + suffix) : [name];
}

const metricsIn = (expression: string): string[] =>
  [...expression.matchAll(/\b(?:patroni_injector|process|apiserver)_\w+/g)]
    .map(([name]) => name)
    .filter((name) => !name.startsWith("patroni_injector_io"));

const alerts = async (): Promise<JsonObject[]> =>
  objectsIn((await read("files/alerts.yaml")).groups).flatMap(({ rules }) => objectsIn(rules));

/** Sections that are documented as a whole. */
const WHOLE = ["resources", "nodeSelector", "metrics.dashboard.labels"];

/** Paths of keys without a comment before them; a section may do without, for its keys have theirs. */
function undocumented(map: YAMLMap, path: string): string[] {
  return map.items.flatMap(({ key, value }, index) => {
    assert.ok(isScalar(key));
    const own = `${path}${key.value}`;
    // Before the first key of a map, the comment is the map's.
    const isDocumented = Boolean(key.commentBefore ?? (index === 0 && map.commentBefore));
    if (isMap(value) && value.items.length > 0 && !WHOLE.includes(own)) return undocumented(value, `${own}.`);
    return isDocumented ? [] : [own];
  });
}

describe("Chart.yaml", () => {
  it("has the program's version", async () => assert.equal((await read("Chart.yaml")).appVersion, VERSION));
});

describe("values.yaml", () => {
  it("documents every key right before it", async () => {
    const root = parseDocument(await textOf("values.yaml")).contents;
    assert.ok(isMap(root));
    assert.deepEqual(undocumented(root, ""), []);
  });

  it("holds the configuration's own defaults", async () => {
    const defaults = { clusterDomain: "cluster.local" };
    const { config } = await read("values.yaml");
    assert.deepEqual(
      parseConfig(stringify(config), "values.yaml", defaults),
      parseConfig("", "none", defaults),
    );
  });
});

describe("values.schema.json", () => {
  it("knows every key of values.yaml", async () => {
    const missing = (values: JsonObject, schema: Json | undefined, path: string): string[] =>
      Object.entries(values).flatMap(([key, value]) => {
        const own = at(schema, "properties", key);
        if (own === undefined) return at(schema, "additionalProperties") ? [] : [`${path}${key}`];
        return isObject(value) ? missing(value, own, `${path}${key}.`) : [];
      });
    assert.deepEqual(missing(await read("values.yaml"), await read("values.schema.json"), ""), []);
  });
});

describe("alerts", () => {
  it("ask only for metrics that exist", async () => {
    for (const { alert, expr } of await alerts()) {
      const names = metricsIn(String(expr));
      assert.notEqual(names.length, 0, String(alert));
      for (const name of names) assert.ok(known.has(name), `${alert}: ${name}`);
    }
  });

  it("have a severity, a summary, a description and a runbook", async () => {
    for (const rule of await alerts()) {
      assert.match(String(at(rule, "labels", "severity")), /^(warning|critical)$/, String(rule.alert));
      for (const part of ["summary", "description"])
        assert.ok(at(rule, "annotations", part), `${rule.alert}: ${part}`);
      await access(join(RUNBOOKS, `${rule.alert}.md`));
    }
  });

  it("are those that runbooks are about", async () => {
    const names = (await alerts()).map(({ alert }) => `${alert}.md`).sort();
    const pages = (await readdir(RUNBOOKS)).filter((name) => name !== "README.md").sort();
    assert.deepEqual(pages, names);
  });
});

describe("the dashboard", () => {
  it("asks only for metrics that exist", async () => {
    const panels = objectsIn((await read("files/dashboard.json")).panels);
    const expressions = panels.flatMap(({ targets }) => objectsIn(targets)).map(({ expr }) => String(expr));
    assert.ok(expressions.length > 10);
    for (const name of expressions.flatMap(metricsIn)) assert.ok(known.has(name), name);
  });

  it("has no panel over another", async () => {
    const panels = objectsIn((await read("files/dashboard.json")).panels);
    const cells = panels.flatMap(({ gridPos }) => {
      const { x, y, w, h } = gridPos as Record<"x" | "y" | "w" | "h", number>;
      return Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`);
    });
    assert.equal(new Set(cells).size, cells.length);
  });
});
