import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { installKind } from "../../chart/custom-kind.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { kubeconfigFor } from "../../cluster/kubeconfig.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { audited } from "../../component/audit/world.ts";
import { member, object, statefulSet } from "../../unit/audit/world.ts";

/** Two clusters of the same name, and their ServiceAccounts: both together would read `db-pg-account`. */
const ACCOUNTS = { db: "pg-account", "db-pg": "account" } as const;
const NAMESPACES = ["db", "db-pg"] as const;
const SECRET = "correct-horse-battery-staple";
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

const PREFIXES: Readonly<Record<string, string>> = {
  Pod: "/api/v1",
  Secret: "/api/v1",
  ServiceAccount: "/api/v1",
  Service: "/api/v1",
  StatefulSet: "/apis/apps/v1",
  NetworkPolicy: "/apis/networking.k8s.io/v1",
};

let plane: ControlPlane;
let folder: string;
let argv: string[];

before(async () => {
  plane = await startControlPlane();
  folder = await mkdtemp(join(tmpdir(), "patroni-injector-audit-fixes-"));
  const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  await installKind(plane.api, { group: "security.istio.io", kind: "PeerAuthentication", schema: open });
  for (const name of NAMESPACES) await plant(name);
  const admin = await plane.authority.issueClient("admin", ["system:masters"]);
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, kubeconfigFor(plane.url, plane.caPem, admin));
  argv = ["-A", "--kubeconfig", kubeconfig, "--fail-on", "never"];
});
after(async () => {
  await plane?.stop();
  await rm(folder, { recursive: true });
});

/** A cluster in which much is wrong, with a secret wherever one may stand. */
async function plant(namespace: keyof typeof ACCOUNTS): Promise<void> {
  await prepareNamespace(plane.api, namespace, { "patroni-injector.io/injection": "enabled" });
  const secret = [{ name: "PATRONI_SUPERUSER_PASSWORD", value: SECRET }];
  const mesh = { name: "istio-proxy", image: "istio/proxyv2" };
  const withSecret = (spec: unknown): JsonObject => {
    const { containers, ...rest } = spec as { containers: JsonObject[] };
    const [database] = containers;
    const env = [...objectsIn(database?.env), ...secret];
    const serviceAccountName = ACCOUNTS[namespace];
    return { ...rest, serviceAccountName, containers: [{ ...database, env }, mesh] };
  };
  const set = statefulSet();
  const members = [0, 1].map((ordinal) => {
    const pod = member(ordinal);
    return { ...pod, spec: { ...withSecret(pod.spec), subdomain: "pg" } };
  });
  const nothing = { podSelector: {}, policyTypes: ["Ingress", "Egress"] };
  for (const each of [
    object("ServiceAccount", ACCOUNTS[namespace]),
    object("Secret", "pg", { stringData: { password: SECRET } }),
    object(
      "Service",
      "pg",
      { spec: { clusterIP: "None", selector: { "cluster-name": "pg" } } },
      {
        annotations: { [LAST_APPLIED]: JSON.stringify({ password: SECRET }) },
      },
    ),
    object("NetworkPolicy", "closed", { spec: nothing }),
    {
      ...set,
      spec: {
        ...(set.spec as JsonObject),
        template: { ...template(set), spec: withSecret(at(set, "spec", "template", "spec")) },
      },
    },
    ...members,
  ] as JsonObject[])
    await created(namespace, each);
}

const template = (set: JsonObject): JsonObject => at(set, "spec", "template") as JsonObject;

async function created(namespace: string, of: JsonObject): Promise<void> {
  const kind = String(of.kind);
  const prefix = PREFIXES[kind] ?? "";
  const { uid: _uid, ownerReferences: _owners, ...metadata } = of.metadata as JsonObject;
  const whole = {
    ...of,
    apiVersion: prefix.replace(/^\/apis?\//, ""),
    metadata: { ...metadata, namespace },
  };
  const path = `${prefix}/namespaces/${namespace}/${pluralOf(kind)}`;
  const { status, body } = await plane.api.request("POST", path, whole);
  assert.equal(status, 201, JSON.stringify(body));
  if (of.status === undefined) return;
  const name = String(metadata.name);
  const answer = await plane.api.request(
    "PATCH",
    `${path}/${name}/status`,
    { status: of.status },
    { "content-type": "application/merge-patch+json" },
  );
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

const pluralOf = (kind: string): string =>
  kind.endsWith("Policy") ? `${kind.slice(0, -1).toLowerCase()}ies` : `${kind.toLowerCase()}s`;

async function fixes(name: string): Promise<Map<string, string>> {
  const into = join(folder, name);
  const { code, stderr } = await audited([...argv, "--fix-dir", into]);
  assert.equal(code, 0, stderr);
  const names = await readdir(into);
  return new Map(
    await Promise.all(names.map(async (each) => [each, await readFile(join(into, each), "utf8")] as const)),
  );
}

test("every fix is a manifest that the API server takes, strictly; no other file is there, and none tells a secret", async () => {
  const files = await fixes("once");
  const kinds = new Set<string>();
  for (const [file, text] of files) {
    const manifest = parse(text) as JsonObject;
    const kind = String(manifest.kind);
    kinds.add(kind);
    const [namespace, name] = [at(manifest, "metadata", "namespace"), at(manifest, "metadata", "name")];
    assert.equal(file, `${String(namespace)}_${kind.toLowerCase()}_${String(name)}.yaml`);
    assert.ok(!text.includes(SECRET), file);
    const version = String(manifest.apiVersion);
    const prefix = version.includes("/") ? `/apis/${version}` : `/api/${version}`;
    const path = `${prefix}/namespaces/${String(namespace)}/${pluralOf(kind)}/${String(name)}`;
    const query = "dryRun=All&fieldManager=tester&force=true&fieldValidation=Strict";
    const { status, body } = await plane.api.request("PATCH", `${path}?${query}`, manifest, {
      "content-type": "application/apply-patch+yaml",
    });
    assert.ok(status === 200 || status === 201, `${file}: ${JSON.stringify(body)}\n${text}`);
  }
  const expected = [
    "NetworkPolicy",
    "PeerAuthentication",
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
    "Service",
  ];
  assert.deepEqual([...kinds].sort(), expected);
});

test("the same cluster gives the same files, byte for byte", async () => {
  assert.deepEqual(await fixes("again"), await fixes("and-again"));
});

test("clusters of the same name in two namespaces have fixes of their own", async () => {
  const files = [...(await fixes("two")).keys()];
  for (const namespace of NAMESPACES)
    for (const file of ["poddisruptionbudget_pg", "service_pg", "networkpolicy_", "rolebinding_"])
      assert.ok(
        files.some((name) => name.startsWith(`${namespace}_${file}`)),
        `${namespace}: ${file}`,
      );
  const inDefault = files.filter((file) => file.startsWith("default_"));
  assert.equal(inDefault.length, 2 * NAMESPACES.length, inDefault.join(", "));
});
