import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, before, test } from "node:test";
import { run } from "../../../src/audit/command.ts";
import { FIELD_MANAGER, MANAGED_BY_LABEL } from "../../../src/contract/names.ts";
import { asObject, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { installKind } from "../../chart/custom-kind.ts";
import { ofKind, rendered, theOnly } from "../../chart/helm.ts";
import { NETWORK } from "../../chart/matrix.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { kubeconfigFor } from "../../cluster/kubeconfig.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { Sink } from "../../support/sink.ts";
import { statefulSet } from "../../unit/audit/world.ts";

const AUDITOR = "audit-job";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const REPORTS = "/apis/wgpolicyk8s.io/v1alpha2/namespaces/db/policyreports";

let plane: ControlPlane;
let folder: string;
let role: JsonObject;
let args: string[];

/** The audit as the chart's CronJob runs it, with the chart's permissions and no others. */
before(async () => {
  plane = await startControlPlane({ audit: "Metadata" });
  folder = await mkdtemp(join(tmpdir(), "patroni-injector-audit-reports-"));
  await prepareNamespace(plane.api, "db", { "patroni-injector.io/injection": "enabled" });
  const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  await installKind(plane.api, {
    group: "wgpolicyk8s.io",
    version: "v1alpha2",
    kind: "PolicyReport",
    schema: open,
  });
  await installKind(plane.api, { group: "security.istio.io", kind: "PeerAuthentication", schema: open });
  const objects = await rendered({ values: { audit: { enabled: true } } });
  const named = ofKind(objects, "ClusterRole").filter(
    (each) => at(each, "metadata", "name") === "patroni-injector-audit",
  );
  role = theOnly(named, "ClusterRole");
  await created(`${RBAC}/clusterroles`, role);
  await created(`${RBAC}/clusterrolebindings`, {
    kind: "ClusterRoleBinding",
    metadata: { name: AUDITOR },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "patroni-injector-audit" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: AUDITOR }],
  });
  const [container] = objectsIn(
    at(ofKind(objects, "CronJob")[0], "spec", "jobTemplate", "spec", "template", "spec", "containers"),
  );
  const given = (container?.args ?? []) as string[];
  args = given.slice(1).filter((each) => !each.startsWith("--config="));
  await created("/apis/apps/v1/namespaces/db/statefulsets", statefulSet());
  const auditor = await plane.authority.issueClient(AUDITOR, []);
  await writeFile(join(folder, "kubeconfig"), kubeconfigFor(plane.url, plane.caPem, auditor));
});
after(async () => {
  await plane?.stop();
  await rm(folder, { recursive: true });
});

async function created(path: string, object: JsonObject): Promise<void> {
  const apiVersion = path.split("/").slice(2, 4).join("/");
  const { status, body } = await plane.api.request("POST", path, { apiVersion, ...object });
  assert.equal(status, 201, JSON.stringify(body));
}

const report = (name: string, labels: Record<string, string>): JsonObject => ({
  kind: "PolicyReport",
  metadata: { namespace: "db", name, labels },
});

test("the chart's CronJob keeps a report of each cluster, and only its own, with the chart's permissions", async () => {
  await created(REPORTS, report("patroni-injector-gone", { [MANAGED_BY_LABEL]: FIELD_MANAGER }));
  await created(REPORTS, report("patroni-injector-of-somebody", { [MANAGED_BY_LABEL]: "somebody" }));
  const stderr = new Sink();
  const io = { stdin: Readable.from([]), stdout: new Sink(), stderr, env: {} };
  const before = (await plane.auditEvents()).length;
  assert.equal(await run([...args, "--kubeconfig", join(folder, "kubeconfig")], io), 0, stderr.text);

  const { body } = await plane.api.request("GET", REPORTS);
  const reports = objectsIn(at(body, "items"));
  assert.deepEqual(reports.map((each) => at(each, "metadata", "name")).sort(), [
    "patroni-injector-of-somebody",
    "patroni-injector-pg",
  ]);
  const own = reports.find((each) => at(each, "metadata", "name") === "patroni-injector-pg");
  const policies = objectsIn(own?.results).map(({ policy, result }) => `${policy} ${result}`);
  assert.ok(policies.includes("webhook-missing fail"), policies.join(", "));
  assert.ok(policies.includes("failed-open skip"), "what needs a dry-run is skipped, not passed");

  const events = (await plane.auditEvents())
    .slice(before)
    .filter((event) => at(event, "user", "username") === AUDITOR);
  const refused = events.filter((event) => at(event, "responseStatus", "code") === 403);
  assert.deepEqual(
    refused.map(({ requestURI }) => requestURI),
    [],
    "nothing is missing",
  );
  const used = new Set(events.map((event) => `${event.verb} ${at(event, "objectRef", "resource")}`));
  // Server-side apply of what is not there yet is a `create` to the authorizer, and a `patch` in the log.
  const unused = granted(role).filter((right) => !used.has(right) && right !== "create policyreports");
  assert.deepEqual(unused, [], "nothing is granted that is not used");
  assert.ok(!granted(role).includes("create pods") && !granted(role).some((right) => /secrets/.test(right)));
});

const granted = (object: JsonObject): string[] =>
  objectsIn(object.rules).flatMap(({ resources, verbs }) =>
    (resources as string[]).flatMap((resource) => (verbs as string[]).map((verb) => `${verb} ${resource}`)),
  );

test("who fences the metrics lets audits in, by the labels of their pods", async () => {
  const objects = await rendered({ values: { audit: { enabled: true }, networkPolicy: NETWORK } });
  const [policy] = ofKind(objects, "NetworkPolicy");
  const peers = objectsIn(at(policy, "spec", "ingress")).flatMap(({ from }) => objectsIn(from));
  assert.equal(peers.length, 2);
  const job = theOnly(ofKind(objects, "CronJob"), "CronJob");
  const labels = at(job, "spec", "jobTemplate", "spec", "template", "metadata", "labels");
  const wanted = Object.entries(asObject(at(peers[1], "podSelector", "matchLabels")) ?? {});
  assert.ok(wanted.length > 1);
  for (const [key, value] of wanted) assert.equal(at(labels, key), value);
  const serve = theOnly(ofKind(objects, "Deployment"), "Deployment");
  assert.ok(
    wanted.some(([key, value]) => at(serve, "spec", "template", "metadata", "labels", key) !== value),
  );
});
