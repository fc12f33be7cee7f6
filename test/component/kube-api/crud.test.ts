import assert from "node:assert/strict";
import test from "node:test";
import { PatchStrategy, setHeaderOptions, V1MicroTime } from "@kubernetes/client-node";
import { clientsOf, refusalOf, startWithClient } from "./clients.ts";
import { pod, raw } from "./support.ts";

const namespace = "default";
const asMerge = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

test("an object comes back with what the server adds, and unknown fields kept", async (t) => {
  const { core, api } = await startWithClient(t);
  const body = pod("a", { spec: { brandNew: { field: 1 } } });
  await raw(api, "POST", "/api/v1/namespaces/default/pods", body);
  const created = await core.readNamespacedPod({ namespace, name: "a" });
  assert.match(created.metadata?.uid ?? "", /^[0-9a-f-]{36}$/);
  assert.ok(created.metadata?.creationTimestamp instanceof Date);
  assert.equal(created.metadata?.namespace, namespace);
  assert.equal(created.status?.phase, "Pending");
  assert.deepEqual(api.get("pods", namespace, "a")?.spec, body.spec);
});

test("generateName gives five letters of the API's alphabet", async (t) => {
  const { core } = await startWithClient(t);
  const names = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const body = { ...pod(""), metadata: { generateName: "pg-" } };
    names.add((await core.createNamespacedPod({ namespace, body })).metadata?.name ?? "");
  }
  assert.equal(names.size, 20);
  for (const name of names) assert.match(name, /^pg-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
});

test("refusals have the Status of a real server", async (t) => {
  const { core, coordination, api } = await startWithClient(t);
  await core.createNamespacedPod({ namespace, body: pod("a") });
  const lease = { metadata: { name: "l" }, spec: { holderIdentity: "me" } };
  await coordination.createNamespacedLease({ namespace, body: lease });

  assert.deepEqual(await refusalOf(core.readNamespacedPod({ namespace, name: "b" })), {
    code: 404,
    status: {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: 'pods "b" not found',
      reason: "NotFound",
      details: { name: "b", kind: "pods" },
      code: 404,
    },
  });
  const cases: [string, Promise<unknown>, number, string, RegExp][] = [
    [
      "taken",
      core.createNamespacedPod({ namespace, body: pod("a") }),
      409,
      "AlreadyExists",
      /^pods "a" already exists$/,
    ],
    [
      "no namespace",
      core.createNamespacedPod({ namespace: "nowhere", body: pod("a") }),
      404,
      "NotFound",
      /^namespaces "nowhere" not found$/,
    ],
    [
      "no name",
      core.createNamespacedPod({ namespace, body: pod("") }),
      422,
      "Invalid",
      /name or generateName is required/,
    ],
    [
      "a lease without version",
      coordination.replaceNamespacedLease({ namespace, name: "l", body: lease }),
      422,
      "Invalid",
      /^leases.coordination.k8s.io "l" is invalid: metadata.resourceVersion: .*must be specified for an update$/,
    ],
    [
      "another name",
      core.replaceNamespacedPod({ namespace, name: "a", body: pod("b") }),
      400,
      "BadRequest",
      /^the name of the object \(b\) does not match the name on the URL \(a\)$/,
    ],
    [
      "another namespace",
      core.createNamespacedPod({ namespace, body: pod("c", { metadata: { namespace: "kube-system" } }) }),
      400,
      "BadRequest",
      /does not match the namespace sent on the request$/,
    ],
    [
      "no such pod to replace",
      core.replaceNamespacedPod({ namespace, name: "b", body: pod("b") }),
      404,
      "NotFound",
      /^pods "b" not found$/,
    ],
  ];
  for (const [name, call, code, reason, message] of cases) {
    const refused = await refusalOf(call);
    assert.equal(refused.code, code, name);
    assert.equal(refused.status.reason, reason, name);
    assert.match(String(refused.status.message), message, name);
  }
  const rows: [string, string, object | undefined, string | undefined, number][] = [
    ["GET", "/api/v1/namespaces/default/unicorns", undefined, undefined, 404],
    ["POST", "/api/v1/namespaces/default/pods/a", {}, undefined, 405],
    ["POST", "/api/v1/namespaces/default/pods", { kind: "Service" }, undefined, 400],
    ["POST", "/api/v1/namespaces/default/pods", { metadata: { labels: { a: 1 } } }, undefined, 400],
    ["POST", "/api/v1/namespaces/default/pods", {}, "text/plain", 415],
    ["PATCH", "/api/v1/namespaces/default/pods/a", {}, "application/json", 415],
    ["PATCH", "/api/v1/namespaces/default/pods/a", {}, "application/apply-patch+yaml", 422],
  ];
  for (const [method, path, body, type, code] of rows) {
    const answer = await raw(api, method, path, body as never, type);
    assert.equal(answer.code, code, `${method} ${path} ${type}`);
    assert.equal(answer.body.kind, "Status");
    assert.equal(answer.body.code, code);
  }
});

test("a stale version, or another uid, does not overwrite", async (t) => {
  const { core } = await startWithClient(t);
  const first = await core.createNamespacedConfigMap({
    namespace,
    body: { metadata: { name: "c" }, data: { n: "1" } },
  });
  const second = await core.replaceNamespacedConfigMap({
    namespace,
    name: "c",
    body: { ...first, data: { n: "2" } },
  });
  assert.ok(Number(second.metadata?.resourceVersion) > Number(first.metadata?.resourceVersion));

  const stale = core.replaceNamespacedConfigMap({
    namespace,
    name: "c",
    body: { ...first, data: { n: "3" } },
  });
  const { code, status } = await refusalOf(stale);
  assert.equal(code, 409);
  assert.equal(status.reason, "Conflict");
  assert.match(
    String(status.message),
    /^Operation cannot be fulfilled on configmaps "c": the object has been modified/,
  );

  const { resourceVersion: _, ...metadata } = { ...first.metadata, uid: "another" };
  const other = core.replaceNamespacedConfigMap({ namespace, name: "c", body: { ...first, metadata } });
  assert.match(
    String((await refusalOf(other)).status.message),
    /Precondition failed: UID in precondition: another/,
  );

  const unconditional = { metadata: { name: "c" }, data: { n: "4" } };
  const last = await core.replaceNamespacedConfigMap({ namespace, name: "c", body: unconditional });
  assert.equal(last.data?.n, "4");
  assert.equal(last.metadata?.uid, first.metadata?.uid);
});

test("an update that changes nothing raises no version and makes no event", async (t) => {
  const { core, api } = await startWithClient(t);
  const body = { metadata: { name: "c" }, data: { n: "1" } };
  const first = await core.createNamespacedConfigMap({ namespace, body });
  let changes = 0;
  t.after(api.onChange(() => changes++));
  const again = await core.replaceNamespacedConfigMap({ namespace, name: "c", body });
  const patched = await core.patchNamespacedConfigMap(
    { namespace, name: "c", body: { data: { n: "1" } } },
    asMerge,
  );
  assert.equal(again.metadata?.resourceVersion, first.metadata?.resourceVersion);
  assert.equal(patched.metadata?.resourceVersion, first.metadata?.resourceVersion);
  assert.equal(changes, 0);
});

test("of writers at the same time with the same version, one wins", async (t) => {
  const { coordination } = await startWithClient(t);
  const lease = await coordination.createNamespacedLease({
    namespace,
    body: { metadata: { name: "l" }, spec: {} },
  });
  const attempts = Array.from({ length: 20 }, (_, index) =>
    coordination.replaceNamespacedLease({
      namespace,
      name: "l",
      body: {
        ...lease,
        spec: { holderIdentity: `w${index}`, renewTime: new V1MicroTime(1_700_000_000_000) },
      },
    }),
  );
  const outcomes = await Promise.allSettled(attempts);
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  const kept = await coordination.readNamespacedLease({ namespace, name: "l" });
  const winner = outcomes.findIndex(({ status }) => status === "fulfilled");
  assert.equal(kept.spec?.holderIdentity, `w${winner}`);
});

test("PUT creates where the real server lets it", async (t) => {
  const { coordination, core } = await startWithClient(t);
  const body = { metadata: { name: "l" }, spec: { holderIdentity: "me" } };
  const created = await coordination.replaceNamespacedLeaseWithHttpInfo({ namespace, name: "l", body });
  assert.equal(created.httpStatusCode, 201);
  const refused = await refusalOf(
    core.replaceNamespacedConfigMap({ namespace, name: "c", body: { metadata: { name: "c" } } }),
  );
  assert.equal(refused.code, 404);
});

test("status has a path of its own, and each path leaves the other's part alone", async (t) => {
  const { core } = await startWithClient(t);
  await core.createNamespacedPod({ namespace, body: { ...pod("a"), status: { phase: "Running" } } });
  const running = await core.patchNamespacedPodStatus(
    {
      namespace,
      name: "a",
      body: { status: { phase: "Running", podIP: "10.0.0.1" }, spec: { nodeName: "n" } },
    },
    asMerge,
  );
  assert.equal(running.status?.phase, "Running");
  assert.equal(running.spec?.nodeName, undefined);
  const body = pod("a", { metadata: { labels: { role: "primary" } } });
  const replaced = await core.replaceNamespacedPod({
    namespace,
    name: "a",
    body: { ...body, status: { phase: "Failed" } },
  });
  assert.equal(replaced.status?.phase, "Running");
  assert.deepEqual(replaced.metadata?.labels, { role: "primary" });
  const put = await core.replaceNamespacedPodStatus({
    namespace,
    name: "a",
    body: { ...replaced, metadata: { ...replaced.metadata, labels: {} }, status: { phase: "Succeeded" } },
  });
  assert.equal(put.status?.phase, "Succeeded");
  assert.deepEqual(put.metadata?.labels, {}, "metadata is on both paths");
});

test("each form of patch", async (t) => {
  const { core, objects } = await startWithClient(t);
  const body = { metadata: { name: "c", labels: { a: "1" } }, data: { n: "1", m: "1" } };
  await core.createNamespacedConfigMap({ namespace, body });
  const name = "c";

  const operations = [
    { op: "test", path: "/data/n", value: "1" },
    { op: "replace", path: "/data/n", value: "2" },
    { op: "add", path: "/metadata/labels/b~1c", value: "x" },
  ];
  const json = await core.patchNamespacedConfigMap({ namespace, name, body: operations });
  assert.equal(json.data?.n, "2");
  assert.equal(json.metadata?.labels?.["b/c"], "x");
  const failing = core.patchNamespacedConfigMap({ namespace, name, body: operations });
  assert.equal((await refusalOf(failing)).code, 422);

  const merged = await core.patchNamespacedConfigMap(
    { namespace, name, body: { data: { m: null, o: "1" } } },
    asMerge,
  );
  assert.deepEqual(merged.data, { n: "2", o: "1" });
  const guarded = { metadata: { resourceVersion: json.metadata?.resourceVersion }, data: { o: "2" } };
  assert.equal(
    (await refusalOf(core.patchNamespacedConfigMap({ namespace, name, body: guarded }, asMerge))).code,
    409,
  );

  const strategic = await objects.patch(
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data: { o: "3" } } as never,
    undefined,
    undefined,
    undefined,
    undefined,
    PatchStrategy.StrategicMergePatch,
  );
  assert.equal((strategic as unknown as { data: { o: string } }).data.o, "3");
});

test("server-side apply creates or merges, keeps to a given version, and says what it is not", async (t) => {
  const { api, core } = await startWithClient(t);
  const path = "/api/v1/namespaces/default/services/pg?fieldManager=me&force=true";
  const type = "application/apply-patch+yaml";
  const yaml =
    "apiVersion: v1\nkind: Service\nmetadata: {name: pg, labels: {a: b}}\nspec: {ports: [{port: 5432}]}\n";
  const created = await raw(api, "PATCH", path, yaml, type);
  assert.equal(created.code, 201);
  assert.deepEqual(created.warnings, [
    '299 - "embedded API: server-side apply is create-or-merge; ownership is not tracked"',
  ]);
  const again = await raw(
    api,
    "PATCH",
    path,
    { apiVersion: "v1", kind: "Service", metadata: { name: "pg" }, spec: { clusterIP: "None" } },
    type,
  );
  assert.equal(again.code, 200);
  assert.deepEqual(again.body.spec, { ports: [{ port: 5432 }], clusterIP: "None" });

  const applied = await core
    .patchNamespacedService(
      {
        name: "pg",
        namespace,
        fieldManager: "me",
        force: true,
        body: {
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "pg", resourceVersion: "1" },
          spec: { type: "ClusterIP" },
        },
      },
      setHeaderOptions("Content-Type", PatchStrategy.ServerSideApply),
    )
    .then(
      () => undefined,
      (error: { code: number }) => error.code,
    );
  assert.equal(applied, 409);
});

test("of those who apply the same object at the same time, one creates it and the others merge", async (t) => {
  const { api } = await startWithClient(t);
  const apply = (index: number) =>
    raw(
      api,
      "PATCH",
      "/api/v1/namespaces/default/configmaps/c?fieldManager=me",
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c" }, data: { [`k${index}`]: "1" } },
      "application/apply-patch+yaml",
    );
  const answers = await Promise.all([0, 1, 2, 3, 4, 5, 6, 7].map(apply));
  const codes = answers.map(({ code }) => code).sort();
  assert.deepEqual(codes, [200, 200, 200, 200, 200, 200, 200, 201]);
  assert.equal(Object.keys(api.get("configmaps", namespace, "c")?.data ?? {}).length, 8);
});

test("a whole collection is deleted by its selector", async (t) => {
  const { core, api } = await startWithClient(t);
  for (const [name, a] of [
    ["x", "1"],
    ["y", "1"],
    ["z", "2"],
  ] as const) {
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels: { a } } } });
  }
  await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: "a=1" });
  const left = ["x", "y", "z"].filter((name) => api.get("configmaps", namespace, name) !== undefined);
  assert.deepEqual(left, ["z"]);
});

test("a delete keeps to its preconditions", async (t) => {
  const { core } = await startWithClient(t);
  const created = await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "c" } } });
  const { uid = "", resourceVersion = "" } = created.metadata ?? {};
  const remove = (preconditions: object) =>
    core.deleteNamespacedConfigMap({ namespace, name: "c", body: { preconditions } });
  const byUid = await refusalOf(remove({ uid: "another" }));
  assert.match(
    String(byUid.status.message),
    /the UID in the precondition \(another\) does not match the UID in record/,
  );
  const byVersion = await refusalOf(remove({ uid, resourceVersion: "1" }));
  assert.equal(byVersion.code, 409);
  const done = await remove({ uid, resourceVersion });
  assert.deepEqual([done.status, { ...done.details }], ["Success", { name: "c", kind: "configmaps", uid }]);
  assert.equal((await refusalOf(remove({ uid }))).code, 404);
});

test("a finalizer holds an object back, a grace period a pod on a node", async (t) => {
  const { core, api } = await startWithClient(t);
  const held = { metadata: { name: "c", finalizers: ["test/hold"] } };
  await core.createNamespacedConfigMap({ namespace, body: held });
  await core.deleteNamespacedConfigMap({ namespace, name: "c" });
  const waiting = await core.readNamespacedConfigMap({ namespace, name: "c" });
  assert.ok(waiting.metadata?.deletionTimestamp);
  await core.patchNamespacedConfigMap(
    { namespace, name: "c", body: { metadata: { finalizers: null } } },
    asMerge,
  );
  assert.equal(api.get("configmaps", namespace, "c"), undefined);

  await core.createNamespacedPod({ namespace, body: pod("unbound") });
  await core.deleteNamespacedPod({ namespace, name: "unbound" });
  assert.equal(api.get("pods", namespace, "unbound"), undefined);
  await core.createNamespacedPod({ namespace, body: pod("bound", { spec: { nodeName: "n" } }) });
  const terminating = await core.deleteNamespacedPod({ namespace, name: "bound" });
  assert.equal(terminating.metadata?.deletionGracePeriodSeconds, 30);
  assert.ok(api.get("pods", namespace, "bound"));
  await core.deleteNamespacedPod({ namespace, name: "bound", gracePeriodSeconds: 0 });
  assert.equal(api.get("pods", namespace, "bound"), undefined);
});

test("a dry run answers what would be, and nothing else happens", async (t) => {
  const { core, api } = await startWithClient(t);
  const kept = await core.createNamespacedConfigMap({
    namespace,
    body: { metadata: { name: "kept" }, data: { n: "1" } },
  });
  let changes = 0;
  t.after(api.onChange(() => changes++));
  const dryRun = "All";
  const created = await core.createNamespacedConfigMap({
    namespace,
    dryRun,
    body: { metadata: { name: "c" } },
  });
  assert.equal(created.metadata?.name, "c");
  assert.equal(created.metadata?.resourceVersion, undefined);
  const taken = core.createNamespacedConfigMap({ namespace, dryRun, body: { metadata: { name: "kept" } } });
  assert.equal((await refusalOf(taken)).code, 409);
  const replaced = await core.replaceNamespacedConfigMap({
    namespace,
    name: "kept",
    dryRun,
    body: { ...kept, data: { n: "2" } },
  });
  assert.equal(replaced.data?.n, "2");
  await core.patchNamespacedConfigMap(
    { namespace, name: "kept", dryRun, body: { data: { n: "3" } } },
    asMerge,
  );
  await core.deleteNamespacedConfigMap({ namespace, name: "kept", dryRun });
  assert.equal(changes, 0);
  assert.deepEqual(await core.readNamespacedConfigMap({ namespace, name: "kept" }), kept);
  assert.deepEqual(
    api.audit.entries.filter((entry) => entry.dryRun).map(({ verb, code }) => `${verb} ${code}`),
    ["create 201", "create 409", "update 200", "patch 200", "delete 200"],
  );
});

test("a namespace carries its name as a label, and takes its contents along", async (t) => {
  const { core, api } = await startWithClient(t);
  const created = await core.createNamespace({ body: { metadata: { name: "db", labels: { a: "b" } } } });
  assert.deepEqual(created.metadata?.labels, { a: "b", "kubernetes.io/metadata.name": "db" });
  await core.createNamespacedPod({ namespace: "db", body: pod("a") });
  await core.deleteNamespace({ name: "db" });
  assert.equal(api.get("pods", "db", "a"), undefined);
  assert.equal((await refusalOf(core.readNamespace({ name: "db" }))).code, 404);
});

test("an expired or unknown token is refused, health is for everyone", async (t) => {
  const { api } = await startWithClient(t);
  const { core, config } = clientsOf(api, "system:serviceaccount:default:pg");
  await core.listNamespacedPod({ namespace });
  assert.equal(api.audit.entries.at(-1)?.user, "system:serviceaccount:default:pg");
  api.tokens.expire(config.getCurrentUser()?.token ?? "");
  await assert.rejects(core.listNamespacedPod({ namespace }), { code: 401 });

  const short = api.tokens.issue("brief", 1);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(api.tokens.authenticate(`Bearer ${short}`), undefined);
  for (const path of ["/livez", "/readyz"]) assert.equal((await raw(api, "GET", path)).body.text, "ok");
});

test("access reviews are allowed, and say that nobody looked", async (t) => {
  const { api } = await startWithClient(t);
  const review = { spec: { resourceAttributes: { verb: "get", resource: "pods" } } };
  const { code, body } = await raw(
    api,
    "POST",
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    review,
  );
  assert.equal(code, 201);
  assert.deepEqual(body.status, {
    allowed: true,
    reason: "embedded API: RBAC is not imitated, every request is allowed",
  });
});
