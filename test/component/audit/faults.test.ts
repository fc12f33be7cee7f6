import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { listAll } from "../../../src/audit/collect/lists.ts";
import { PatientConnection } from "../../../src/audit/collect/patient-connection.ts";
import { type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { credentials } from "../../../src/kube/connection.ts";
import { threeMembers } from "../../unit/audit/world.ts";
import { order, startConnected, startPlain, temporaryFolder } from "../kube/support.ts";
import { audited, keep } from "./world.ts";

const REVIEWS = "subjectaccessreviews.authorization.k8s.io";

async function scene(t: TestContext) {
  const { api, connection, kubeconfig } = await startConnected(t);
  await keep(connection, threeMembers());
  return { api, kubeconfig };
}

const argv = (kubeconfig: string, ...more: string[]) => [
  ...["-A", "--kubeconfig", kubeconfig, "-o", "json", "--fail-on", "never"],
  ...more,
];

const unseenIn = (stdout: string): string[] =>
  objectsIn(JSON.parse(stdout).clusters).flatMap(({ unseen }) =>
    objectsIn(unseen).map(({ why }) => String(why)),
  );

describe("an audit of an API server in trouble", () => {
  it("waits where it is asked to come back later, and finds all that it finds otherwise", async (t) => {
    const { api, kubeconfig } = await scene(t);
    const calm = await audited(argv(kubeconfig));
    const faults = [
      order(
        api,
        { kind: "status", status: 429, retryAfter: 1, times: 1 },
        { verb: "list", resource: "pods" },
      ),
      order(api, { kind: "status", status: 429, times: 3 }, { resource: REVIEWS }),
      order(api, { kind: "status", status: 503, retryAfter: 1, times: 1 }, { resource: "services" }),
      order(api, { kind: "drop", times: 1 }, { resource: "statefulsets.apps" }),
    ];
    const began = performance.now();
    const busy = await audited(argv(kubeconfig));
    assert.ok(performance.now() - began > 1000, "it came back before it was asked to");
    assert.deepEqual(
      faults.map(({ hits }) => hits),
      [1, 3, 1, 1],
    );
    assert.deepEqual([busy.code, busy.stdout], [0, calm.stdout]);
  });

  it("tells what it could not look at when the server goes away in the middle, and that it was no audit", async (t) => {
    const { api, kubeconfig } = await scene(t);
    order(api, { kind: "drop" }, { resource: REVIEWS });
    const { code, stdout, stderr } = await audited(argv(kubeconfig));
    assert.equal(code, 2);
    assert.match(stderr, /^audit: the API server did not answer everything: POST .*subjectaccessreviews/m);
    assert.ok(unseenIn(stdout).some((why) => /^permissions: .*subjectaccessreviews/.test(why)));
  });

  it("is none where the server is gone from the start", async (t) => {
    const { api, kubeconfig } = await scene(t);
    await api.close();
    const { code, stdout, stderr } = await audited(argv(kubeconfig));
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /ECONNREFUSED/);
  });

  it("reads a list anew that changed under its feet, and says so where that does not help", async (t) => {
    const { api, kubeconfig } = await scene(t);
    const gone = { kind: "status", status: 410 } as const;
    const once = order(api, { ...gone, times: 1 }, { verb: "list", resource: "pods" });
    const never = order(api, gone, { verb: "list", resource: "services" });
    const { code, stdout, stderr } = await audited(argv(kubeconfig));
    assert.equal(code, 0, stderr);
    assert.deepEqual([once.hits, never.hits], [1, 3]);
    const [cluster] = objectsIn(JSON.parse(stdout).clusters);
    assert.deepEqual(cluster?.members, ["pg-0", "pg-1", "pg-2"]);
    assert.ok(unseenIn(stdout).some((why) => /^services: .*410/.test(why)));
  });
});

describe("a list whose continue token has expired", () => {
  it("has each object once, of the newer reading", async (t) => {
    const asked: string[] = [];
    const page = (names: readonly string[], next?: string): JsonObject => ({
      metadata: next === undefined ? {} : { continue: next },
      items: names.map((name) => ({ metadata: { name } })),
    });
    const answers: Record<string, readonly [status: number, body: JsonObject][]> = {
      "": [
        [200, page(["a", "old"], "one")],
        [200, page(["a", "b"], "two")],
      ],
      one: [[410, { reason: "Expired", message: "the token is too old" }]],
      two: [[200, page(["c"])]],
    };
    const connection = await startPlain(t, (request, response) => {
      const token = new URL(request.url ?? "", "http://x").searchParams.get("continue") ?? "";
      const [status, body] = answers[token]?.[asked.filter((each) => each === token).length] ?? [500, {}];
      asked.push(token);
      response.writeHead(status).end(JSON.stringify(body));
    });
    const { audited: read } = await listAll(connection, "Service", undefined, []);
    assert.ok("value" in read);
    assert.deepEqual(
      read.value.map(({ metadata }) => (metadata as JsonObject).name),
      ["a", "b", "c"],
    );
    assert.deepEqual(asked, ["", "one", "", "two"]);
  });
});

describe("a patient connection", () => {
  it("asks a server that is gone no more, once many requests had no answer", async (t) => {
    const { api, kubeconfig } = await startConnected(t);
    const pauses = { firstPauseMs: 1, longestPauseMs: 2 };
    const connection = new PatientConnection(credentials(kubeconfig), new AbortController().signal, pauses);
    const dropped = order(api, { kind: "drop" });
    const ask = () => assert.rejects(connection.send({ method: "GET", path: "/api/v1/pods" }));
    for (let index = 0; index < 40; index++) await ask();
    assert.equal(dropped.hits, 16 * 3);
    assert.match(connection.lost ?? "", /GET \/api\/v1\/pods/);
  });

  it("loses nothing by what pods answer through the proxy, nor by what is forbidden", async (t) => {
    const { api, kubeconfig } = await startConnected(t);
    const connection = new PatientConnection(credentials(kubeconfig), new AbortController().signal);
    const path = "/api/v1/namespaces/db/pods/http%3Apg-0%3A8008/proxy/patroni";
    const dropped = order(api, { kind: "drop", times: 1 });
    await assert.rejects(connection.send({ method: "GET", path }));
    order(api, { kind: "status", status: 403, times: 1 }, { resource: "services" });
    await assert.rejects(connection.send({ method: "GET", path: "/api/v1/services" }), /403/);
    assert.deepEqual([dropped.hits, connection.lost], [1, undefined]);
  });
});

describe("fixes that cannot be written", () => {
  it("leave no file behind, and no report: it was no audit", async (t) => {
    const { kubeconfig } = await scene(t);
    const folder = await temporaryFolder(t);
    const all = join(folder, "all");
    const well = await audited(argv(kubeconfig, "--fix-dir", all));
    assert.equal(well.code, 0, well.stderr);
    const names = await readdir(all);
    assert.ok(names.length > 1);

    const blocked = join(folder, "blocked");
    await mkdir(join(blocked, `${names.at(-1)}.part`), { recursive: true });
    await writeFile(join(folder, "file"), "");
    for (const fixDir of [blocked, join(folder, "file"), join(folder, "file/below")]) {
      const { code, stdout, stderr } = await audited(argv(kubeconfig, "--fix-dir", fixDir));
      assert.deepEqual([code, stdout], [2, ""], fixDir);
      assert.match(stderr, /E(ISDIR|EXIST|NOTDIR)/);
    }
    assert.deepEqual(await readdir(blocked), [`${names.at(-1)}.part`]);
  });
});
