import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { applyPatch, parsePatch } from "diff";
import { parse, parseAllDocuments } from "yaml";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { deployment, headlessService, patroniPod, statefulSet } from "./manifests.ts";
import { inject } from "./run.ts";

let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "inject-"));
});
after(() => rm(directory, { recursive: true }));

async function file(name: string, text: string | Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

const stream = (...documents: string[]): string => documents.join("---\n");

describe("what is printed", () => {
  test("a Deployment of poolers gets the sidecar in its template, and nothing else", async () => {
    const pool = deployment.replace(/^kind: Deployment$/m, "kind: Deployment # of PgBouncer");
    const labelled = JSON.stringify({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "pool", namespace: "db" },
      spec: {
        template: {
          metadata: { labels: { app: "pool", "patroni-injector.io/pooler-of": "pg" } },
          spec: { containers: [{ name: "pgbouncer", image: "pgbouncer:1" }] },
        },
      },
    });
    const { code, stdout, stderr } = await inject([
      "-f",
      await file("pool.yaml", stream(pool, `${labelled}\n`)),
    ]);
    assert.equal(code, 0, stderr);
    const [first, second] = stdout.split("---\n");
    assert.equal(first, pool);
    const template = at(parse(second ?? ""), "spec", "template") as JsonObject;
    const containers = objectsIn(at(template, "spec", "containers"));
    assert.deepEqual(
      containers.map(({ name }) => name),
      ["pgbouncer", "patroni-injector"],
    );
    assert.deepEqual(at(template, "metadata", "labels"), {
      app: "pool",
      "patroni-injector.io/pooler-of": "pg",
    });
    assert.ok(objectsIn(containers[1]?.env).some(({ name }) => name === "PATRONI_INJECTOR_ROLE"));
    assert.equal(at(template, "spec", "subdomain"), undefined);
  });

  test("a StatefulSet is injected, everything else stays byte for byte", async () => {
    const other = 'kind:   ConfigMap # c\n"data": {a:  &x "b", c: *x}\n';
    const text = `# first\n---\n${stream(headlessService, statefulSet, other, deployment)}...\n# end\n`;
    const { code, stdout, stderr } = await inject(["-f", await file("all.yaml", text)]);
    assert.equal(code, 0, stderr);
    assert.ok(stdout.startsWith(`# first\n---\n${headlessService}---\n# The database.\n`));
    assert.ok(stdout.endsWith(`---\n${other}---\n${deployment}...\n# end\n`));

    const set: JsonObject = parseAllDocuments(stdout)[1]?.toJS();
    const original: JsonObject = parse(statefulSet);
    const containers = objectsIn(at(set, "spec", "template", "spec", "containers"));
    assert.deepEqual(
      containers.map(({ name }) => name),
      ["patroni", "patroni-injector"],
    );
    const env = Object.fromEntries(objectsIn(containers[0]?.env).map(({ name, value }) => [name, value]));
    assert.equal(
      env.PATRONI_POSTGRESQL_CONNECT_ADDRESS,
      "$(PATRONI_INJECTOR_POD_NAME).pg.db.svc.cluster.local:5432",
    );
    assert.equal(
      at(set, "spec", "template", "spec", "subdomain"),
      undefined,
      "the controller sets it from serviceName",
    );
    const { template: _, ...rest } = set.spec as JsonObject;
    const { template: __, ...originalRest } = original.spec as JsonObject;
    assert.deepEqual(rest, originalRest, "nothing outside of the template changes");

    const lost = statefulSet.split("\n").filter((line) => !stdout.split("\n").includes(line));
    assert.deepEqual(lost, ["      labels: *labels"], "every other line stays");
  });

  test("a second run changes nothing", async () => {
    const first = await inject(["-f", "-"], { stdin: stream(headlessService, statefulSet) });
    const second = await inject(["-f", "-"], { stdin: first.stdout });
    assert.equal(second.code, 0);
    assert.equal(second.stdout, first.stdout);
    assert.match(second.stderr, /#2 StatefulSet\/pg: unchanged, already-injected/);
  });

  test("a Pod with its comments, and items of a List", async () => {
    const list = `apiVersion: v1\nkind: List\nitems:\n# the pod\n- ${patroniPod.trimEnd().replaceAll("\n", "\n  ")}\n# the other\n- kind: Secret\n`;
    const { stdout, stderr, code } = await inject(["-f", "-"], { stdin: list });
    assert.equal(code, 0);
    assert.match(
      stderr,
      /stdin#1\.items\[0\] Pod\/pg-0: injected \(pod-dns, connect-addresses, mesh, sidecar\)/,
    );
    assert.match(stderr, /stdin#1\.items\[1\] Secret: no pods in it, unchanged/);
    assert.match(stderr, /the headless Service "pg-headless" is not in the input/);
    const [pod, secret] = parse(stdout).items;
    assert.equal(pod.spec.subdomain, "pg-headless");
    assert.deepEqual(secret, { kind: "Secret" });
    assert.match(stdout, /# the pod\n- apiVersion[\s\S]*# the other\n- kind: Secret\n$/);
  });

  test("nothing that matches: the very bytes, byte order mark and Windows line breaks too", async () => {
    const text = "\uFEFF# c\r\n---\r\na: 1\r\n---\r\n---\r\nb: [\r\n 1]\r\n...\r\n";
    const { stdout, code, stderr } = await inject(["-f", await file("crlf.yaml", text)]);
    assert.equal(code, 0);
    assert.equal(stdout, text);
    assert.match(stderr, /crlf\.yaml#2: empty, unchanged/);
  });

  test("an empty input is nothing to do", async () => {
    assert.deepEqual(await inject(["-f", "-"]), { code: 0, stdout: "", stderr: "" });
  });

  test("several files and directories, in order, as one stream", async () => {
    await mkdir(join(directory, "dir"));
    await file("dir/b.json", '{"b":1}');
    await file("dir/a.yml", "a: 1");
    await file("dir/c.yaml", "%YAML 1.1\n---\nc: 1\n");
    await file("dir/notes.txt", "x");
    const last = await file("z.yaml", "\uFEFFz: 1\n");
    const { stdout, stderr } = await inject(["-f", join(directory, "dir"), "-f", last]);
    assert.equal(stdout, 'a: 1\n---\n{"b":1}\n...\n%YAML 1.1\n---\nc: 1\n---\nz: 1\n', stderr);
  });

  test("JSON stays JSON, with its indentation", async () => {
    const text = JSON.stringify(parse(patroniPod), null, 3);
    const { stdout } = await inject(["-f", "-"], { stdin: text });
    assert.equal(JSON.parse(stdout).spec.subdomain, "pg-headless");
    const lost = text.split("\n").filter((line) => !stdout.includes(line));
    assert.deepEqual(lost, []);
  });

  test("--output json: one object as it is, several as a List", async () => {
    const one = await inject(["-f", "-", "-o", "json"], { stdin: deployment });
    assert.deepEqual(JSON.parse(one.stdout), parse(deployment));
    const many = await inject(["-f", "-", "-o", "json"], {
      stdin: stream(deployment, "", "apiVersion: v1\nkind: List\nitems: [{a: 1}, {b: 2}]\n"),
    });
    assert.deepEqual(JSON.parse(many.stdout), {
      apiVersion: "v1",
      kind: "List",
      items: [parse(deployment), { a: 1 }, { b: 2 }],
    });
  });

  test("--output yaml: JSON becomes YAML, YAML stays", async () => {
    const json = await file("some.json", '{"a": "on"}\n{"b": []}\n');
    const yaml = await file("some.yaml", "c:   1\n");
    const { stdout } = await inject(["-f", json, "-f", yaml, "-o", "yaml"]);
    assert.equal(stdout, 'a: "on"\n---\nb: []\n---\nc:   1\n');
  });

  test("a number that a conversion would spoil is refused, and survives without one", async () => {
    const text = "x: 12345678901234567891\n";
    assert.equal((await inject(["-f", "-"], { stdin: text })).stdout, text);
    const { code, stdout, stderr } = await inject(["-f", "-", "-o", "json"], { stdin: text });
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /^stdin:1:1: document 1: holds a whole number too large/m);
  });
});

describe("--diff", () => {
  test("turns the files into what is printed without it", async () => {
    const text = `# top\n${stream(headlessService, statefulSet, patroniPod, deployment)}`;
    const path = await file("diff.yaml", text);
    const { stdout: diff, code } = await inject(["-f", path, "--diff"]);
    const { stdout: printed } = await inject(["-f", path]);
    assert.equal(code, 0);
    const patches = parsePatch(diff);
    assert.deepEqual(
      patches.map(({ oldFileName, oldHeader }) => [oldFileName, oldHeader]),
      [
        [path, "document 2: StatefulSet/pg"],
        [path, "document 3: Pod/pg-0"],
      ],
    );
    const patched = patches.reduce((before, patch) => {
      const result = applyPatch(before, patch);
      assert.notEqual(result, false);
      return String(result);
    }, text);
    assert.equal(patched, printed);
    const [hunk] = patches[1]?.hunks ?? [];
    const lineOf = (whole: string, line: number | undefined) => ` ${whole.split("\n")[(line ?? 0) - 1]}`;
    assert.equal(lineOf(text, hunk?.oldStart), hunk?.lines[0], "line numbers are those of the file");
    assert.equal(lineOf(printed, hunk?.newStart), hunk?.lines[0], "and of what is printed");
  });

  test("is empty where nothing changes", async () => {
    assert.equal((await inject(["-f", "-", "--diff"], { stdin: deployment })).stdout, "");
  });

  test("is coloured on a terminal only, and not where NO_COLOR is set", async () => {
    const stdin = patroniPod;
    const plain = await inject(["-f", "-", "--diff"], { stdin });
    const terminal = await inject(["-f", "-", "--diff"], { stdin, isTTY: true });
    const without = await inject(["-f", "-", "--diff"], { stdin, isTTY: true, env: { NO_COLOR: "1" } });
    assert.ok(!plain.stdout.includes("\u001b"));
    assert.ok(terminal.stdout.includes("\u001b[32m+  subdomain: pg-headless\u001b[39m\n"));
    assert.equal(without.stdout, plain.stdout);
  });
});

describe("what is said of each document", () => {
  const said: readonly (readonly [name: string, argv: string[], stdin: string, line: RegExp])[] = [
    ["no pods", [], headlessService, /^stdin#1 Service\/pg: no pods in it, unchanged$/m],
    ["not selected", [], deployment, /^stdin#1 Deployment\/web: unchanged, not-selected: No pod selector/m],
    ["not an object", [], "- a\n", /^stdin#1: no objects in it, unchanged$/m],
    [
      "a Service that cannot be seen",
      [],
      statefulSet,
      /warning: subdomain-in-use: .*set serviceName: pg-headless/,
    ],
    [
      "a Service with a ClusterIP",
      [],
      stream(headlessService.replace("None ", "10.0.0.1"), statefulSet),
      /#2 StatefulSet\/pg: injected \(mesh, sidecar\); warning: subdomain-in-use: .*set serviceName: pg-headless/,
    ],
    [
      "no namespace",
      [],
      patroniPod.replace("  namespace: db\n", ""),
      /note: no namespace is given, taken for "default"$/m,
    ],
    [
      "control characters",
      [],
      'kind: "a\\eb\\nc"\n',
      /^stdin#1 a\\u001bb\\u000ac: no pods in it, unchanged$/m,
    ],
  ];
  for (const [name, argv, stdin, line] of said) {
    test(name, async () => {
      const { stderr, code } = await inject(["-f", "-", ...argv], { stdin });
      assert.equal(code, 0);
      assert.match(stderr, line);
    });
  }

  test("--namespace counts where the object names none, for Services too", async () => {
    const without = (text: string) => text.replace("  namespace: db\n", "");
    const { stdout, stderr } = await inject(["-f", "-", "-n", "prod"], {
      stdin: stream(without(headlessService), without(statefulSet)),
    });
    assert.match(stdout, /\.pg\.prod\.svc\.cluster\.local:5432/);
    assert.doesNotMatch(stderr, /no namespace/);
  });
});

describe("bad input", () => {
  test("every error of every file is told with its place, and nothing is printed", async () => {
    const one = await file("one.yaml", "a: 1\n---\na: 1\nb: 2\na: 3\n---\nb: [\n");
    const two = await file("two.json", '{"a": *x}');
    const { code, stdout, stderr } = await inject(["-f", one, "-f", two, "-f", join(directory, "none.yaml")]);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    const lines = stderr.trimEnd().split("\n");
    assert.equal(lines[0], `${one}:5:1: document 2: key "a" stands here a second time, first in line 3`);
    assert.match(lines[1] ?? "", /one\.yaml:8:1: document 3: Flow sequence/);
    assert.equal(lines.at(-2), `${two}:1:7: document 1: alias *x has no anchor before it`);
    assert.equal(lines.at(-1), `${join(directory, "none.yaml")}: no such file or directory`);
  });

  test("a refused annotation, with its line", async () => {
    const text = `a: 1\n---\n${patroniPod.replace("spec:", '  annotations:\n    # odd\n    patroni-injector.io/mesh: "maybe"\nspec:')}`;
    const { code, stdout, stderr } = await inject(["-f", "-"], { stdin: text });
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /^stdin:13:5: document 2: Pod\/pg-0: invalid-annotation: .*"maybe" is not allowed/m);
  });

  test("not UTF-8", async () => {
    const { code, stderr } = await inject([
      "-f",
      await file("latin1.yaml", Buffer.from("a: \xe4\n", "latin1")),
    ]);
    assert.equal(code, 1);
    assert.match(stderr, /latin1\.yaml: not UTF-8\n$/);
  });

  test("a directory without manifests", async () => {
    await mkdir(join(directory, "empty"));
    const { code, stderr } = await inject(["-f", join(directory, "empty")]);
    assert.equal(code, 1);
    assert.match(stderr, /no \*\.yaml, \*\.yml or \*\.json/);
  });

  test("a configuration that cannot be used", async () => {
    const config = await file("config.yaml", "sidecar:\n  prot: 1\n");
    const { code, stdout, stderr } = await inject(["-f", "-", "--config", config], { stdin: deployment });
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /config\.yaml:2:3: sidecar\.prot/);
  });

  test("bad usage says how to use it", async () => {
    const { code, stdout, stderr } = await inject(["-x"]);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /^inject: .*-x.*\n\nUsage: patroni-injector inject /);
  });
});

describe("the configuration", () => {
  test("native sidecars where it says so", async () => {
    const config = await file("native.yaml", "sidecar:\n  native: true\n");
    const { stdout } = await inject(["-f", "-", "--config", config], { stdin: patroniPod });
    const { containers, initContainers } = parse(stdout).spec;
    assert.deepEqual(
      containers.map((container: JsonObject) => container.name),
      ["patroni"],
    );
    assert.equal(initContainers[0].restartPolicy, "Always");
  });
});
