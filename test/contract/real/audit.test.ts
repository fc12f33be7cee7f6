import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { AUDITED } from "../../../src/audit/collect/lists.ts";
import { run } from "../../../src/audit/command.ts";
import { asObject, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { kubeconfigFor } from "../../cluster/kubeconfig.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { Sink } from "../../support/sink.ts";
import { statefulSet } from "../../unit/audit/world.ts";

const AUDITOR = "auditor";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";

/** Every right that an audit uses, and no other. */
const RULES: JsonObject[] = [
  ...Object.values(AUDITED).map(({ prefix, plural }) => ({
    apiGroups: [prefix.startsWith("/apis/") ? (prefix.split("/")[2] ?? "") : ""],
    resources: [plural],
    verbs: ["list"],
  })),
  { apiGroups: ["authorization.k8s.io"], resources: ["subjectaccessreviews"], verbs: ["create"] },
];
/** A dry-run takes the right to do it. */
const TRYING: JsonObject = { apiGroups: [""], resources: ["pods"], verbs: ["create"] };

let plane: ControlPlane;
let folder: string;

before(async () => {
  plane = await startControlPlane({ audit: "Metadata" });
  folder = await mkdtemp(join(tmpdir(), "patroni-injector-audit-"));
  await prepareNamespace(plane.api, "db", { "patroni-injector.io/injection": "enabled" });
  const metadata = { name: AUDITOR };
  await created(`${RBAC}/clusterroles`, { kind: "ClusterRole", metadata, rules: [...RULES, TRYING] });
  await created(`${RBAC}/clusterrolebindings`, {
    kind: "ClusterRoleBinding",
    metadata,
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: AUDITOR },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: AUDITOR }],
  });
  await created("/apis/apps/v1/namespaces/db/statefulsets", statefulSet());
  const auditor = await plane.authority.issueClient(AUDITOR, []);
  await writeFile(join(folder, "kubeconfig"), kubeconfigFor(plane.url, plane.caPem, auditor));
});
after(async () => {
  await plane?.stop();
  await rm(folder, { recursive: true });
});

async function created(path: string, object: JsonObject): Promise<void> {
  const apiVersion = path.startsWith("/apis/") ? path.split("/").slice(2, 4).join("/") : "v1";
  const { status, body } = await plane.api.request("POST", path, { apiVersion, ...object });
  assert.equal(status, 201, JSON.stringify(body));
}

async function audited(...argv: string[]) {
  const stdout = new Sink();
  const kubeconfig = ["--kubeconfig", join(folder, "kubeconfig"), "-n", "db", "-o", "json"];
  const code = await run([...kubeconfig, ...argv], {
    stdin: Readable.from([]),
    stdout,
    stderr: new Sink(),
    env: {},
  });
  const [cluster] = stdout.text === "" ? [] : objectsIn(JSON.parse(stdout.text).clusters);
  const codes = objectsIn(cluster?.findings).map((finding) => String(finding.code));
  return { code, codes, cluster };
}

test("it finds what is wrong, with its own rights only, and leaves no trace", async () => {
  const before = (await plane.auditEvents()).length;
  const { code, codes, cluster } = await audited("--fail-on", "error");
  assert.equal(code, 1);
  for (const expected of ["webhook-missing", "failed-open", "patroni-permissions", "no-disruption-budget"])
    assert.ok(codes.includes(expected), `${expected} in ${codes.join(", ")}`);
  assert.deepEqual(
    objectsIn(cluster?.unseen).filter(({ why }) => /forbidden/.test(String(why))),
    [],
  );

  const events = (await plane.auditEvents())
    .slice(before)
    .filter((event) => at(event, "user", "username") === AUDITOR);
  const writes = events.filter(({ verb }) => !["get", "list", "watch"].includes(String(verb)));
  const reviews = writes.filter((event) => at(event, "objectRef", "resource") === "subjectaccessreviews");
  const others = writes.filter((event) => !reviews.includes(event));
  assert.ok(reviews.length > 0 && others.length > 0, "it asked, and it tried a pod");
  for (const { requestURI } of others) assert.match(String(requestURI), /[?&]dryRun=All(&|$)/);
  assert.deepEqual(
    events.filter((event) => at(event, "responseStatus", "code") === 403),
    [],
  );
  assert.deepEqual(
    objectsIn(at((await plane.api.request("GET", "/api/v1/namespaces/db/pods")).body, "items")),
    [],
  );
});

test("what the fixes mend is gone once they are applied", async () => {
  const fixes = join(folder, "fixes");
  const { codes } = await audited("--fix-dir", fixes);
  for (const name of await readdir(fixes)) {
    const manifest = parse(await readFile(join(fixes, name), "utf8")) as JsonObject;
    const [namespace, kind] = [at(manifest, "metadata", "namespace"), String(manifest.kind)];
    const plural = { Policy: "policies" }[kind.slice(-6)] ?? `${kind.toLowerCase()}s`;
    const prefix = manifest.apiVersion === "v1" ? "/api/v1" : `/apis/${String(manifest.apiVersion)}`;
    await created(`${prefix}/namespaces/${String(namespace)}/${plural}`, manifest);
  }
  const mended = [
    "patroni-permissions",
    "patroni-default-permissions",
    "sidecar-permissions",
    "headless-missing",
    "no-disruption-budget",
  ];
  for (const code of mended) assert.ok(codes.includes(code), `${code} in ${codes.join(", ")}`);
  const after = await audited();
  assert.deepEqual(
    after.codes.filter((code) => mended.includes(code)),
    [],
  );
});

test("a right that is missing is named, and nothing of it counts as clean", async () => {
  const path = `${RBAC}/clusterroles/${AUDITOR}`;
  const { body } = await plane.api.request("GET", path);
  const rules = RULES.filter(
    ({ resources }) => !["networkpolicies", "subjectaccessreviews"].includes(String(resources)),
  );
  assert.equal((await plane.api.request("PUT", path, { ...asObject(body), rules })).status, 200);
  const { code, cluster } = await audited("--fail-on", "never");
  assert.equal(code, 0);
  const unseen = objectsIn(cluster?.unseen).map(({ why, codes }) => `${String(why)}: ${String(codes)}`);
  for (const [what, finding] of [
    ["networkpolicies", "blocked-dns"],
    ["subjectaccessreviews", "patroni-permissions"],
    ["dry-run", "failed-open"],
  ])
    assert.ok(
      unseen.some(
        (line) => line.includes("forbidden") && line.includes(what ?? "") && line.includes(finding ?? ""),
      ),
      `${what}: ${unseen.join("\n")}`,
    );
});

test("without the right to see pods there is no audit", async () => {
  const path = `${RBAC}/clusterroles/${AUDITOR}`;
  const { body } = await plane.api.request("GET", path);
  assert.equal((await plane.api.request("PUT", path, { ...asObject(body), rules: [] })).status, 200);
  assert.equal((await audited()).code, 2);
});
