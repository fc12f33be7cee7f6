import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { parse, stringify } from "yaml";
import { run } from "../../../src/audit/command.ts";
import { FINDINGS } from "../../../src/contract/findings.ts";
import { Sink } from "../../support/sink.ts";
import { statefulSet } from "./world.ts";

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "patroni-injector-audit-"));
  await writeFile(
    join(folder, "pg.yaml"),
    `# a cluster\n${stringify(statefulSet({ terminationGracePeriodSeconds: 0 }))}`,
  );
  await writeFile(join(folder, "calm.yaml"), stringify(statefulSet()));
  await writeFile(join(folder, "bad.yaml"), "a: [\n");
});
after(() => rm(folder, { recursive: true }));

async function auditedBy(stdoutIs: { isTTY?: boolean; env?: Record<string, string> }, ...argv: string[]) {
  const { isTTY = false, env = {} } = stdoutIs;
  const [stdout, stderr] = [Object.assign(new Sink(), { isTTY }), new Sink()];
  const code = await run(argv, { stdin: Readable.from([]), stdout, stderr, env });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

const audited = (...argv: string[]) => auditedBy({}, ...argv);

const file = (name = "pg.yaml") => ["-f", join(folder, name)];

describe("exit codes", () => {
  for (const [what, code, argv] of [
    ["an error", 1, () => file()],
    ["an error, where nothing is to fail", 0, () => [...file(), "--fail-on", "never"]],
    ["nothing to audit", 0, () => ["-f", join(folder, "empty")]],
    ["a file that is no YAML", 2, () => file("bad.yaml")],
    ["a file that is not there", 2, () => file("gone.yaml")],
    ["no source", 2, () => []],
    ["two sources", 2, () => [...file(), "-A"]],
    ["a cluster that is not named", 2, () => ["-A"]],
    ["a format that is not known", 2, () => [...file(), "-o", "xml"]],
    ["a severity that is not known", 2, () => [...file(), "--fail-on", "fatal"]],
    ["an option that is not known", 2, () => ["--nonsense"]],
    ["a selector that cannot be read", 2, () => [...file(), "-l", "x"]],
    ["another cluster's selector", 0, () => [...file(), "-l", "cluster-name=other"]],
    ["the cluster's selector", 1, () => [...file(), "-l", "cluster-name=pg,application=patroni"]],
    ["a code that is not known", 2, () => ["--explain", "nonsense"]],
    ["a code", 0, () => ["--explain", "no-grace"]],
    ["help", 0, () => ["--help"]],
  ] as const)
    test(what, async () => {
      await mkdir(join(folder, "empty"), { recursive: true });
      await writeFile(join(folder, "empty/x.yaml"), "");
      const outcome = await audited(...argv());
      assert.equal(outcome.code, code, outcome.stderr);
      if (code === 2) {
        assert.equal(outcome.stdout, "");
        assert.match(outcome.stderr, /\S/);
      }
    });
});

test("every code is explained", async () => {
  for (const code of Object.keys(FINDINGS)) {
    const outcome = await audited("--explain", code);
    assert.equal(outcome.code, 0, code);
    assert.ok(outcome.stdout.startsWith(`${code} (`), outcome.stdout);
  }
});

test("colours are for terminals whose user wants them", async () => {
  const coloured = async (stdoutIs: Parameters<typeof auditedBy>[0]) =>
    (await auditedBy(stdoutIs, ...file())).stdout.includes("\u001b[");
  assert.equal(await coloured({ isTTY: true }), true);
  assert.equal(await coloured({ isTTY: false }), false);
  assert.equal(await coloured({ isTTY: true, env: { NO_COLOR: "1" } }), false);
});

test("each severity of --fail-on counts from itself upwards", async () => {
  const codes = (await audited(...file("calm.yaml"), "-o", "json", "--fail-on", "never")).stdout;
  const { summary } = JSON.parse(codes);
  assert.ok(summary.error === 0 && summary.warning > 0, "the manifest has warnings only");
  for (const [level, code] of [
    ["error", 0],
    ["warning", 1],
    ["info", 1],
    ["never", 0],
  ] as const)
    assert.equal((await audited(...file("calm.yaml"), "--fail-on", level)).code, code, level);
});

test("SARIF of manifests points to file and line", async () => {
  const { stdout } = await audited(...file(), "-o", "sarif");
  const [firstRun] = JSON.parse(stdout).runs;
  const result = firstRun.results.find(({ ruleId }: { ruleId: string }) => ruleId === "no-grace");
  const { artifactLocation, region } = result.locations[0].physicalLocation;
  assert.equal(artifactLocation.uri, join(folder, "pg.yaml"));
  const lines = (await readFile(join(folder, "pg.yaml"), "utf8")).split("\n");
  assert.match(lines[region.startLine - 1] ?? "", /terminationGracePeriodSeconds: 0/);
});

test("SARIF of manifests points to the variable, or the key of a ConfigMap, in which Patroni's rules stand", async () => {
  const text = "scope: pg\npostgresql:\n  pg_hba:\n  - host all all all md5\n";
  const scope = { name: "PATRONI_SCOPE", value: "pg" };
  const container = { name: "db", image: "example.test/patroni", env: [scope] };
  const env = [scope, { name: "PATRONI_CONFIGURATION", value: text }];
  const volumes = [{ name: "config", configMap: { name: "patroni" } }];
  const volumeMounts = [{ name: "config", mountPath: "/etc/patroni" }];
  const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "patroni", namespace: "db" } };
  for (const [name, documents, line] of [
    ["variable.yaml", [statefulSet({ containers: [{ ...container, env }] })], /value: \|/],
    [
      "key.yaml",
      [
        statefulSet({
          containers: [{ ...container, args: ["/etc/patroni/patroni.yml"], volumeMounts }],
          volumes,
        }),
        { ...configMap, data: { other: "a", "patroni.yml": text } },
      ],
      /^ {2}patroni\.yml: \|/,
    ],
  ] as const) {
    const lines = documents.map((each) => stringify(each)).join("---\n");
    await writeFile(join(folder, name), lines);
    const { stdout } = await audited(...file(name), "-o", "sarif");
    const result = JSON.parse(stdout).runs[0].results.find(
      ({ ruleId }: { ruleId: string }) => ruleId === "pg-hba-replication",
    );
    const { artifactLocation, region } = result.locations[0].physicalLocation;
    assert.equal(artifactLocation.uri, join(folder, name));
    assert.match(lines.split("\n")[region.startLine - 1] ?? "", line);
  }
});

test("the fixes are manifests, and mend what they say", async () => {
  const fixes = join(folder, "fixes");
  const before = await audited(...file(), "--fix-dir", fixes, "--fail-on", "never");
  assert.match(before.stderr, /manifests? written/);
  const names = await readdir(fixes);
  assert.deepEqual(names, ["db_poddisruptionbudget_pg.yaml"]);
  assert.equal(parse(await readFile(join(fixes, names[0] ?? ""), "utf8")).kind, "PodDisruptionBudget");
  assert.match(before.stdout, /no-disruption-budget/);
  const after = await audited(...file(), "-f", fixes, "--fail-on", "never");
  assert.doesNotMatch(after.stdout, /no-disruption-budget/);
});

test("what only a running cluster shows is said", async () => {
  const { stdout } = await audited(...file(), "-o", "json");
  const [cluster] = JSON.parse(stdout).clusters;
  const unseen = cluster.unseen.flatMap(({ codes }: { codes: string[] }) => codes);
  for (const code of ["webhook-missing", "patroni-permissions", "failed-open"])
    assert.ok(unseen.includes(code), code);
});
