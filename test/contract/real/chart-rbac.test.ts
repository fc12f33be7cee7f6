import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { parse, stringify } from "yaml";
import { Program } from "../../../demo/program.ts";
import { ownDefaults } from "../../../src/config/load.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import { NAMESPACE_LABEL } from "../../../src/contract/names.ts";
import { SKIP_MIRROR_LABEL } from "../../../src/contract/slice-annotations.ts";
import { STEADY_MS } from "../../../src/controller/breaker/machine.ts";
import { at, isObject, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { installKind } from "../../chart/custom-kind.ts";
import { ofKind, RELEASE, rendered, theOnly } from "../../chart/helm.ts";
import { create } from "../../chart/posting.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { kubeconfigFor } from "../../cluster/kubeconfig.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { eventually } from "../suite/eventually.ts";
import { patroniPod } from "./injector.ts";

const ACCOUNT = `system:serviceaccount:${RELEASE.namespace}:patroni-injector`;
const TOKEN = "the-injector";

const SLICE = "/apis/discovery.k8s.io/v1/namespaces/db/endpointslices/pg-primary";
const PRIMARY = "/api/v1/namespaces/db/services/pg-primary";
const HEADLESS = "/api/v1/namespaces/db/services/pg-headless";
const ENDPOINTS = "/api/v1/namespaces/db/endpoints/pg-primary";
const ROLE = "/apis/rbac.authorization.k8s.io/v1/namespaces/db/roles/patroni-injector.pg.default";
const POLICY = "/apis/security.istio.io/v1/namespaces/db/peerauthentications/patroni-injector-pg";
const SUSPENSIONS = `/api/v1/namespaces/${RELEASE.namespace}/configmaps/patroni-injector-suspensions`;
const BINDING = ROLE.replace("/roles/", "/rolebindings/");

/** Granted, and not asked for in this test: each with the reason. */
const UNUSED: readonly string[] = [
  "get services", // only where somebody was faster
  "get roles",
  "get rolebindings",
  "get peerauthentications",
  "get events",
];

let plane: ControlPlane;
let folder: string;
let program: Program;
let roles: JsonObject[];
let testPod: JsonObject;

/** `serve` as the chart configures it, as the chart's ServiceAccount, with the chart's permissions and no others. */
before(async () => {
  plane = await startControlPlane({
    audit: "Metadata",
    users: [{ name: ACCOUNT, token: TOKEN, groups: ["system:serviceaccounts"] }],
  });
  await prepareNamespace(plane.api, RELEASE.namespace);
  const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  await installKind(plane.api, { group: "security.istio.io", kind: "PeerAuthentication", schema });
  const objects = await rendered();
  roles = [...ofKind(objects, "ClusterRole"), ...ofKind(objects, "Role")];
  testPod = theOnly(objects, "Pod");
  const wanted = ["Secret", "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"];
  for (const kind of [...wanted, "MutatingWebhookConfiguration"]) {
    for (const object of ofKind(objects, kind)) await create(plane.api, object);
  }

  folder = await mkdtemp(join(tmpdir(), "patroni-injector-rbac-"));
  const [config, kubeconfig] = [join(folder, "config.yaml"), join(folder, "kubeconfig")];
  const { webhook } = configOf(objects);
  await writeFile(
    config,
    stringify({
      webhook: { ...webhook, host: "127.0.0.1", port: 0 },
      operations: { host: "127.0.0.1", port: 0 },
      drainSeconds: 0,
    }),
  );
  await writeFile(kubeconfig, kubeconfigFor(plane.url, plane.caPem, { token: TOKEN }));
  const args = ["serve", "--config", config, "--kubeconfig", kubeconfig];
  program = new Program(args, { POD_NAME: "injector-0", POD_NAMESPACE: RELEASE.namespace });
});
after(async () => {
  await program?.stop();
  await plane?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

const configOf = (objects: readonly JsonObject[]): { webhook: JsonObject } => {
  const map = ofKind(objects, "ConfigMap").find(({ data }) => at(data, "config.yaml") !== undefined);
  return parse(String(at(map, "data", "config.yaml"))) as { webhook: JsonObject };
};

type Address = { readonly port: number };

const listening = async () =>
  (await program.said("listening")) as unknown as { operations: Address; webhook: Address };

/** Whether the object is there, and as it should be. */
async function holds(path: string, is: (object: JsonObject) => boolean): Promise<boolean> {
  const { status, body } = await plane.api.request("GET", path);
  return status === 200 && is(body as JsonObject);
}

async function tamper(path: string, change: JsonObject): Promise<void> {
  const headers = { "content-type": "application/merge-patch+json" };
  const { status, body } = await plane.api.request("PATCH", path, change, headers);
  assert.equal(status, 200, JSON.stringify(body));
}

/** `<verb> <resource>` of every rule. */
const granted = (): string[] =>
  roles
    .flatMap(({ rules }) => objectsIn(rules))
    .flatMap(({ verbs, resources }) =>
      (resources as string[]).flatMap((resource) => (verbs as string[]).map((verb) => `${verb} ${resource}`)),
    );

interface Asked {
  readonly what: string;
  readonly code: number;
}

/** What the ServiceAccount asked of the API server: `<verb> <resource>`, and the answer. */
async function asked(): Promise<Asked[]> {
  const events = (await plane.auditEvents()).filter(({ user }) => at(user, "username") === ACCOUNT);
  return events.flatMap(({ verb, objectRef, responseStatus }) =>
    isObject(objectRef)
      ? [{ what: `${verb} ${objectRef.resource}`, code: Number(at(responseStatus, "code")) }]
      : [],
  );
}

describe("the chart's permissions", () => {
  it("make serve ready, and its webhook trusted", async () => {
    const { operations } = await listening();
    await eventually("serve is ready", async () => {
      const answer = await fetch(`http://127.0.0.1:${operations.port}/readyz`);
      return answer.ok;
    });
    await program.said("leading");
  });

  it("are enough for the chart's own test", async () => {
    const { operations, webhook } = await listening();
    const [container] = objectsIn(at(testPod, "spec", "containers"));
    assert.ok(container);
    const [, ...args] = container.command as string[];
    const ready = `http://127.0.0.1:${operations.port}/readyz`;
    const said = await promisify(execFile)(process.execPath, [
      ...args.slice(0, -2),
      ready,
      `https://127.0.0.1:${webhook.port}/mutate`,
    ]);
    assert.match(said.stdout, /"reason":"injected"/);
  });

  it("let the controller make, mend and remove what it keeps for a cluster", async () => {
    await prepareNamespace(plane.api, "db", { [NAMESPACE_LABEL]: "enabled" });
    const pod = patroniPod("pg-0", { name: "pg-0", namespace: "db", labels: { application: "patroni" } });
    await create(plane.api, pod);
    await eventually("the slice is there", () => holds(SLICE, ({ kind }) => kind === "EndpointSlice"));

    await tamper(HEADLESS, { spec: { publishNotReadyAddresses: false } });
    await eventually("the headless Service is mended", () =>
      holds(HEADLESS, (service) => at(service, "spec", "publishNotReadyAddresses") === true),
    );
    await tamper(ROLE, { rules: [] });
    await eventually("the Role is mended", () => holds(ROLE, ({ rules }) => objectsIn(rules).length > 0));
    await tamper(BINDING, { subjects: [] });
    await eventually("the RoleBinding is mended", () =>
      holds(BINDING, ({ subjects }) => objectsIn(subjects).length > 0),
    );
    await tamper(POLICY, { spec: { portLevelMtls: null } });
    await eventually("the PeerAuthentication is mended", () =>
      holds(POLICY, (policy) => at(policy, "spec", "portLevelMtls", "5432", "mode") === "DISABLE"),
    );
    const targetRef = { kind: "Pod", namespace: "db", name: "pg-9", uid: "none" };
    await tamper(SLICE, { endpoints: [{ addresses: ["192.0.2.1"], conditions: {}, targetRef }] });
    await eventually("the address of nobody is gone", () =>
      holds(SLICE, ({ endpoints }) => objectsIn(endpoints).length === 0),
    );
  });

  it("let it give way to others, and take over from them", async () => {
    await tamper(PRIMARY, { spec: { selector: { app: "other" } } });
    await eventually("the slice is removed", async () => !(await holds(SLICE, () => true)));
    const endpoints = {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { name: "pg-primary", namespace: "db" },
    };
    await plane.api.request("POST", "/api/v1/namespaces/db/endpoints", endpoints);
    const annotations = { "patroni-injector.io/take-over": "true" };
    await tamper(PRIMARY, { metadata: { annotations }, spec: { selector: null } });
    await eventually("the Endpoints object is put aside", () =>
      holds(ENDPOINTS, (object) => at(object, "metadata", "labels", SKIP_MIRROR_LABEL) === "true"),
    );
    await eventually("the slice is back", () => holds(SLICE, () => true));
  });

  it("let it suspend sidecars, and end that", async () => {
    const { image } = parseConfig("{}", "none", ownDefaults()).sidecar;
    const pod = patroniPod("pg-1", { name: "pg-1", namespace: "db", labels: { application: "patroni" } });
    const initContainers = [{ name: "patroni-injector", image, restartPolicy: "Always" }];
    await create(plane.api, { ...pod, spec: { ...(pod.spec as JsonObject), initContainers } });
    const tell = (state: JsonObject) =>
      tamper("/api/v1/namespaces/db/pods/pg-1/status", {
        status: {
          initContainerStatuses: [
            { name: "patroni-injector", image, imageID: "", ready: false, restartCount: 0, state },
          ],
        },
      });
    await tell({ waiting: { reason: "ErrImagePull" } });
    await eventually("it is written down", () =>
      holds(SUSPENSIONS, ({ data }) => at(data, "db") !== undefined),
    );
    await tell({ running: { startedAt: new Date().toISOString() } });
    await delay(STEADY_MS);
    await eventually("it is over", () => holds(SUSPENSIONS, ({ data }) => at(data, "db") === undefined));
    await plane.api.request("DELETE", "/api/v1/namespaces/db/pods/pg-1?gracePeriodSeconds=0");
  });

  it("let it take away what is of no use any more", async () => {
    const { status } = await plane.api.request(
      "DELETE",
      "/api/v1/namespaces/db/pods/pg-0?gracePeriodSeconds=0",
    );
    assert.equal(status, 200);
    for (const path of [ROLE, BINDING, POLICY]) {
      await eventually(`${path} is gone`, async () => !(await holds(path, () => true)));
    }
    const since = "patroni-injector.io/unused-since";
    const isMarked = (service: JsonObject) => at(service, "metadata", "annotations", since) !== undefined;
    await eventually("the headless Service is marked", () => holds(HEADLESS, isMarked));
    await tamper(HEADLESS, { metadata: { annotations: { [since]: "2020-01-01T00:00:00Z" } } });
    await eventually("it is gone", async () => !(await holds(HEADLESS, () => true)));
  });

  it("are never too few", async () => {
    assert.deepEqual(
      (await asked()).filter(({ code }) => code === 403 || code === 401),
      [],
    );
  });

  it("are never more than is asked for", async () => {
    const renewed = async () => (await asked()).some(({ what }) => what === "update leases");
    await eventually("the Lease is renewed", renewed);
    const used = new Set((await asked()).map(({ what }) => what));
    const unused = new Set(granted().filter((what) => !used.has(what)));
    assert.deepEqual([...unused].sort(), [...UNUSED].sort());
  });
});
