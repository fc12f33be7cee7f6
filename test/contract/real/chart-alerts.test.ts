import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
import { type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { read } from "../../chart/chart.ts";
import { rendered, theOnly } from "../../chart/helm.ts";
import { ensureBinaries } from "../../cluster/build.ts";

const SITUATIONS = join(import.meta.dirname, "../../chart/alerts.yaml");

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "patroni-injector-alerts-"));
});
after(() => rm(folder, { recursive: true }));

async function promtool(...args: readonly string[]): Promise<void> {
  const { promtool: binary } = await ensureBinaries(["promtool"]);
  await promisify(execFile)(binary, [...args]).catch((error: Error & { stdout?: string }) => {
    throw new Error(`${error.stdout}\n${error.message}`);
  });
}

describe("the alerts, as the chart renders them", () => {
  before(async () => {
    const rule = theOnly(
      await rendered({ values: { metrics: { prometheusRule: { enabled: true } } } }),
      "PrometheusRule",
    );
    await writeFile(join(folder, "alerts-under-test.yaml"), stringify(rule.spec));
    await copyFile(SITUATIONS, join(folder, "situations.yaml"));
  });

  it("are those of the file", async () => {
    const shown = parse(await readFile(join(folder, "alerts-under-test.yaml"), "utf8"));
    assert.deepEqual(shown, await read("files/alerts.yaml"));
  });

  it("are valid rules", () => promtool("check", "rules", join(folder, "alerts-under-test.yaml")));

  it("are raised when they should be, and only then", () =>
    promtool("test", "rules", join(folder, "situations.yaml")));

  it("are each raised in one of the situations", async () => {
    const { tests } = parse(await readFile(SITUATIONS, "utf8")) as JsonObject;
    const raised = objectsIn(tests)
      .flatMap(({ alert_rule_test }) => objectsIn(alert_rule_test))
      .filter(({ exp_alerts }) => objectsIn(exp_alerts).length > 0)
      .map(({ alertname }) => alertname);
    const all = objectsIn((await read("files/alerts.yaml")).groups).flatMap(({ rules }) => objectsIn(rules));
    assert.deepEqual(
      all.map(({ alert }) => alert).filter((alert) => !raised.includes(alert)),
      [],
    );
  });
});
