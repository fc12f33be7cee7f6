import assert from "node:assert/strict";
import test from "node:test";
import { createAuthority } from "../../../demo/kube-api/certificate.ts";
import { hooksOf } from "../../../demo/kube-api/hooks.ts";
import type { KubeApi } from "../../../demo/kube-api/server.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import {
  patched,
  pod,
  raw,
  startServer,
  startWebhook,
  type WebhookCall,
  type WebhookReply,
} from "./support.ts";

const namespace = "default";
const pods = "/api/v1/namespaces/default/pods";
const configurations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const allow: WebhookReply = { response: { allowed: true } };

const register = async (api: KubeApi, configuration: object) => {
  assert.equal((await raw(api, "POST", configurations, configuration as JsonObject)).code, 201);
};
const create = (api: KubeApi, body: JsonObject = pod("a"), query = "") =>
  raw(api, "POST", pods + query, body);

/** Adds a container of a name, once. */
function adding(name: string) {
  return ({ review }: WebhookCall): WebhookReply => {
    const containers = (review.request.object.spec as { containers: { name: string }[] }).containers;
    if (containers.some((container) => container.name === name)) return allow;
    return { response: patched({ op: "add", path: "/spec/containers/-", value: { name } }) };
  };
}

const paths = (calls: readonly WebhookCall[]) => calls.map(({ path }) => path.split("?")[0]);

test("a webhook is asked as a real API server asks, and its patch is kept", async (t) => {
  const api = await startServer(t);
  const webhook = await startWebhook(t, () => ({
    response: {
      ...patched({ op: "add", path: "/metadata/labels", value: { injected: "yes" } }),
      warnings: ['be "careful"', "Größe", "two\nlines", 'be "careful"'],
      auditAnnotations: { reason: "injected" },
    },
  }));
  await register(api, webhook.configuration("ours"));
  const answer = await create(api, { ...pod(""), metadata: { generateName: "pg-" } }, "?fieldManager=me");
  assert.equal(answer.code, 201);
  assert.deepEqual((answer.body.metadata as JsonObject).labels, { injected: "yes" });
  assert.deepEqual(
    answer.warnings.map((text) => Buffer.from(text, "latin1").toString()),
    ['299 - "be \\"careful\\""', '299 - "Größe"'],
  );

  const [call] = webhook.calls;
  assert.equal(call?.path, "/ours?timeout=10s");
  const { uid, object, ...request } = call?.review.request ?? { uid: "", object: {} };
  assert.match(uid, /^[0-9a-f-]{36}$/);
  assert.deepEqual(object, {
    kind: "Pod",
    apiVersion: "v1",
    metadata: { generateName: "pg-", namespace },
    spec: { containers: [{ name: "postgres", image: "postgres" }] },
  });
  const kind = { group: "", version: "v1", kind: "Pod" };
  const resource = { group: "", version: "v1", resource: "pods" };
  assert.deepEqual(request, {
    kind,
    resource,
    requestKind: kind,
    requestResource: resource,
    namespace,
    operation: "CREATE",
    userInfo: { username: "raw", groups: ["system:authenticated"] },
    oldObject: null,
    dryRun: false,
    options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1", fieldManager: "me" },
  });
  const entry = api.audit.entries.at(-1);
  assert.deepEqual(entry?.annotations, {
    "ours.test/reason": "injected",
    "mutation.webhook.admission.k8s.io/round_0_index_0":
      '{"configuration":"ours","webhook":"ours.test","mutated":true}',
    "patch.webhook.admission.k8s.io/round_0_index_0":
      '{"configuration":"ours","webhook":"ours.test","patch":[{"op":"add","path":"/metadata/labels","value":{"injected":"yes"}}],"patchType":"JSONPatch"}',
  });
});

test("order: configurations by the bytes of their names; ours is called again after Istio's change", async (t) => {
  const api = await startServer(t);
  const webhook = await startWebhook(t, (call) =>
    call.path.startsWith("/istio") ? adding("istio-proxy")(call) : adding("sidecar")(call),
  );
  await register(api, webhook.configuration("istio-sidecar-injector"));
  await register(api, webhook.configuration("00-ours", { reinvocationPolicy: "IfNeeded" }));
  await register(api, webhook.configuration("patroni-late"));
  await register(api, webhook.configuration("a-first"));
  const { body } = await create(api);
  assert.deepEqual(paths(webhook.calls), [
    "/00-ours",
    "/a-first",
    "/istio-sidecar-injector",
    "/patroni-late",
    "/00-ours",
  ]);
  const names = ((body.spec as JsonObject).containers as { name: string }[]).map(({ name }) => name);
  assert.deepEqual(names, ["postgres", "sidecar", "istio-proxy"]);
  const again = webhook.calls.at(-1)?.review.request.object.spec as { containers: { name: string }[] };
  assert.equal(again.containers.length, 3, "it is shown what the other one did");
});

test("the order does not depend on how the configurations come, capitals and digits included", () => {
  const configurations = ["b", "B", "istio-x", "10-a", "a", "00-a"].map((name) => ({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name },
    webhooks: [{ name: "second" }, { name: "first" }],
  }));
  const order = hooksOf(configurations).map(({ id }) => id);
  const names = ["00-a", "10-a", "B", "a", "b", "istio-x"];
  assert.deepEqual(
    order,
    names.flatMap((name) => [`${name}/second/0`, `${name}/first/1`]),
  );
});

test("who is called again, and who is not", async (t) => {
  interface Row {
    readonly name: string;
    /** Hooks in order: whether each may be called again, and whether it changes the pod each time. */
    readonly hooks: readonly { readonly again: boolean; readonly changes: readonly boolean[] }[];
    readonly calls: readonly string[];
  }
  const quiet = [false, false];
  const once = [true, false];
  const rows: readonly Row[] = [
    {
      name: "nobody changes",
      hooks: [
        { again: true, changes: quiet },
        { again: true, changes: quiet },
      ],
      calls: ["0", "1"],
    },
    {
      name: "only the later one changes",
      hooks: [
        { again: true, changes: quiet },
        { again: true, changes: once },
      ],
      calls: ["0", "1", "0"],
    },
    {
      name: "only the earlier one changes",
      hooks: [
        { again: true, changes: once },
        { again: true, changes: quiet },
      ],
      calls: ["0", "1"],
    },
    {
      name: "not who does not want it",
      hooks: [
        { again: false, changes: once },
        { again: true, changes: once },
      ],
      calls: ["0", "1"],
    },
    {
      name: "a change in the second pass makes those before it due",
      hooks: [
        { again: true, changes: [false, true] },
        { again: true, changes: once },
      ],
      calls: ["0", "1", "0", "1"],
    },
    {
      name: "never a third time",
      hooks: [
        { again: true, changes: [true, true] },
        { again: true, changes: [true, true] },
      ],
      calls: ["0", "1", "0", "1"],
    },
  ];
  for (const { name, hooks, calls } of rows) {
    const api = await startServer(t);
    const count = new Map<string, number>();
    const webhook = await startWebhook(t, ({ path }) => {
      const index = /\d/.exec(path)?.[0] ?? "";
      const round = count.get(index) ?? 0;
      count.set(index, round + 1);
      if (hooks[Number(index)]?.changes[round] !== true) return allow;
      return { response: patched({ op: "add", path: `/spec/x${index}-${round}`, value: 1 }) };
    });
    for (const [index, { again }] of hooks.entries()) {
      await register(
        api,
        webhook.configuration(`${index}`, { reinvocationPolicy: again ? "IfNeeded" : "Never" }),
      );
    }
    assert.equal((await create(api)).code, 201);
    assert.deepEqual(
      paths(webhook.calls).map((path) => path?.slice(1)),
      calls,
      name,
    );
  }
});

test("in the second pass nobody is called for the first time", async (t) => {
  const api = await startServer(t);
  const label = { op: "add", path: "/metadata/labels", value: { late: "yes" } };
  const webhook = await startWebhook(t, ({ path, review }) => {
    const labelled = (review.request.object.metadata as JsonObject).labels !== undefined;
    return path.startsWith("/b") && !labelled ? { response: patched(label) } : allow;
  });
  const objectSelector = { matchLabels: { late: "yes" } };
  await register(api, webhook.configuration("a", { reinvocationPolicy: "IfNeeded", objectSelector }));
  await register(api, webhook.configuration("b", { reinvocationPolicy: "IfNeeded" }));
  await register(api, webhook.configuration("c", { objectSelector }));
  await create(api);
  assert.deepEqual(paths(webhook.calls), ["/b", "/c"]);
});

test("selection by rules, namespace and object", async (t) => {
  const rule = (more: object) => ({
    rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], ...more }],
  });
  const expression = (key: string, operator: string, values?: string[]) => ({
    matchExpressions: [{ key, operator, ...(values ? { values } : {}) }],
  });
  const rows: readonly [name: string, more: object, called: boolean][] = [
    ["as it is", {}, true],
    ["no rules", { rules: [] }, false],
    ["other operation", rule({ operations: ["UPDATE", "DELETE"] }), false],
    ["every operation", rule({ operations: ["*"] }), true],
    ["other group", rule({ apiGroups: ["apps"] }), false],
    ["every group and version", rule({ apiGroups: ["*"], apiVersions: ["*"] }), true],
    ["other resource", rule({ resources: ["services"] }), false],
    ["every resource", rule({ resources: ["*"] }), true],
    ["subresources only", rule({ resources: ["pods/status"] }), false],
    ["every part of pods", rule({ resources: ["pods/*"] }), true],
    ["everything", rule({ resources: ["*/*"] }), true],
    ["namespaced", rule({ scope: "Namespaced" }), true],
    ["cluster", rule({ scope: "Cluster" }), false],
    ["second rule", { rules: [...rule({ resources: ["services"] }).rules, ...rule({}).rules] }, true],
    ["namespace label", { namespaceSelector: { matchLabels: { inject: "enabled" } } }, true],
    ["other namespace label", { namespaceSelector: { matchLabels: { inject: "disabled" } } }, false],
    [
      "the automatic label",
      { namespaceSelector: expression("kubernetes.io/metadata.name", "In", [namespace]) },
      true,
    ],
    [
      "not this namespace",
      { namespaceSelector: expression("kubernetes.io/metadata.name", "NotIn", [namespace]) },
      false,
    ],
    ["object label", { objectSelector: { matchLabels: { app: "pg" } } }, true],
    ["other object label", { objectSelector: expression("app", "NotIn", ["pg"]) }, false],
    [
      "matchConditions are not evaluated",
      { matchConditions: [{ name: "never", expression: "false" }] },
      true,
    ],
  ];
  const api = await startServer(t);
  const label = { metadata: { labels: { inject: "enabled" } } };
  await raw(api, "PATCH", `/api/v1/namespaces/${namespace}`, label, "application/merge-patch+json");
  const webhook = await startWebhook(t, () => allow);
  for (const [index, [, more]] of rows.entries()) {
    await register(api, webhook.configuration(`n${index}`, more as JsonObject));
  }
  await create(api, pod("a", { metadata: { labels: { app: "pg" } } }));
  const called = new Set(paths(webhook.calls));
  for (const [index, [name, , wanted]] of rows.entries())
    assert.equal(called.has(`/n${index}`), wanted, name);
});

test("updates and deletes are admitted too, with the object as it was", async (t) => {
  const api = await startServer(t);
  const webhook = await startWebhook(t, () => allow);
  const operations = ["CREATE", "UPDATE", "DELETE"];
  const rules = [{ operations, apiGroups: ["*"], apiVersions: ["*"], resources: ["pods", "pods/status"] }];
  await register(api, webhook.configuration("all", { rules }));
  await create(api);
  const merge = "application/merge-patch+json";
  await raw(api, "PATCH", `${pods}/a`, { metadata: { labels: { n: "1" } } }, merge);
  await raw(api, "PATCH", `${pods}/a/status`, { status: { phase: "Running" } }, merge);
  await raw(api, "DELETE", `${pods}/a`);
  const seen = webhook.calls.map(({ review: { request } }) => [
    request.operation,
    request.subResource ?? "",
    request.name,
    request.object !== null,
    request.oldObject !== null,
    (request.options as JsonObject).kind,
  ]);
  assert.deepEqual(seen, [
    ["CREATE", "", "a", true, false, "CreateOptions"],
    ["UPDATE", "", "a", true, true, "UpdateOptions"],
    ["UPDATE", "status", "a", true, true, "UpdateOptions"],
    ["DELETE", "", "a", false, true, "DeleteOptions"],
  ]);
});

test("a webhook is not asked about webhook configurations", async (t) => {
  const api = await startServer(t);
  const webhook = await startWebhook(t, () => ({ response: { allowed: false } }));
  const rules = [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"] }];
  await register(api, webhook.configuration("a", { rules }));
  await register(api, webhook.configuration("b", { rules }));
  assert.equal(webhook.calls.length, 0);
});

test("a refusal is answered with the webhook's Status", async (t) => {
  const denied = 'admission webhook "a.test" denied the request';
  const rows: readonly [
    status: JsonObject | undefined,
    code: number,
    reason: string | undefined,
    message: string,
  ][] = [
    [undefined, 400, undefined, `${denied} without explanation`],
    [{ message: "no" }, 400, undefined, `${denied}: no`],
    [{ reason: "Forbidden" }, 400, "Forbidden", `${denied}: Forbidden`],
    [{ code: 422, reason: "Invalid", message: "annotation x" }, 422, "Invalid", `${denied}: annotation x`],
    [{ code: 200, status: "Success", message: "no" }, 400, undefined, `${denied}: no`],
  ];
  const api = await startServer(t);
  let status: JsonObject | undefined;
  const webhook = await startWebhook(t, () => ({
    response: { allowed: false, warnings: ["also"], ...(status === undefined ? {} : { status }) },
  }));
  await register(api, webhook.configuration("a", { failurePolicy: "Ignore" }));
  for (const [given, code, reason, message] of rows) {
    status = given;
    const { body, ...answer } = await create(api);
    assert.deepEqual(
      [answer.code, body.code, body.status, body.reason, body.message],
      [code, code, "Failure", reason, message],
    );
    assert.deepEqual(answer.warnings, ['299 - "also"']);
  }
  assert.equal(api.get("pods", namespace, "a"), undefined);
});

test("a failed call is refused or passed over, as the failurePolicy says", async (t) => {
  const anotherAuthority = Buffer.from(createAuthority("another").pem).toString("base64");
  let port = 0;
  const api = await startServer(t, {
    resolveService: (_space, name) => (name === "other" ? { host: "127.0.0.1", port } : undefined),
  });
  let reply: WebhookReply = allow;
  const webhook = await startWebhook(t, () => reply);
  port = webhook.port;
  const url = `https://127.0.0.1:${webhook.port}/a`;
  const at = (clientConfig: JsonObject) => ({
    clientConfig: { url, caBundle: webhook.caBundle, ...clientConfig },
  });
  const other = {
    clientConfig: { service: { name: "other", namespace: "test" }, caBundle: webhook.caBundle },
  };
  const unknownAuthority =
    /Post "https:.*": tls: failed to verify certificate: x509: certificate signed by unknown authority$/;
  const rows: readonly [name: string, reply: WebhookReply, more: JsonObject, message: RegExp][] = [
    [
      "another uid",
      { response: { uid: "wrong", allowed: true } },
      {},
      /expected response.uid=".{36}", got "wrong"$/,
    ],
    ["another kind", { body: '{"kind":"Status","response":{}}' }, {}, /expected response.uid/],
    ["no response", { body: "{}" }, {}, /received invalid webhook response: webhook response was absent$/],
    ["no JSON", { body: "<html>" }, {}, /failed to call webhook: the answer is not a JSON object$/],
    [
      "patch only",
      { response: { allowed: true, patch: "W10=" } },
      {},
      /response.patch but not response.patchType$/,
    ],
    [
      "patchType only",
      { response: { allowed: true, patchType: "JSONPatch" } },
      {},
      /response.patchType but not response.patch$/,
    ],
    [
      "another type",
      { response: { ...patched({ op: "remove", path: "/spec" }), patchType: "Merge" } },
      {},
      /unsupported patch type "Merge"$/,
    ],
    [
      "no patch",
      { response: { allowed: true, patchType: "JSONPatch", patch: "e30=" } },
      {},
      /received undecodable patch/,
    ],
    [
      "status 500",
      { code: 500, body: "oops", headers: { "content-type": "text/plain" } },
      {},
      /failed to call webhook: an error on the server \("oops"\) has prevented the request from succeeding$/,
    ],
    ["status 404", { code: 404, body: "" }, {}, /the server could not find the requested resource$/],
    ["untrusted", allow, at({ caBundle: anotherAuthority }), unknownAuthority],
    ["no bundle", allow, at({ caBundle: "" }), unknownAuthority],
    ["another name", allow, other, /certificate is not valid for other.test.svc$/],
    [
      "nobody there",
      allow,
      at({ url: "https://127.0.0.1:1/" }),
      /dial tcp 127.0.0.1:1: connect: connection refused$/,
    ],
    [
      "no service",
      allow,
      { clientConfig: { service: { name: "hook", namespace: "none" } } },
      /Post "https:\/\/hook.none.svc:443\/\?timeout=10s": service "hook" not found$/,
    ],
    [
      "no version in common",
      allow,
      { admissionReviewVersions: ["v2"] },
      /does not accept known AdmissionReview versions/,
    ],
  ];
  for (const [index, [name, given, more, message]] of rows.entries()) {
    reply = given;
    for (const failurePolicy of ["Ignore", "Fail"]) {
      await raw(api, "DELETE", `${configurations}/a`);
      await register(api, webhook.configuration("a", { ...more, failurePolicy }));
      const { code, body } = await create(api, pod(`p${index}`));
      if (failurePolicy === "Ignore") {
        assert.equal(code, 201, name);
        const key = "failed-open.mutation.webhook.admission.k8s.io/round_0_index_0";
        assert.equal(api.audit.entries.at(-1)?.annotations[key], "a.test", name);
      } else {
        assert.deepEqual([code, body.reason], [500, "InternalError"], name);
        assert.match(
          String(body.message),
          /^Internal error occurred: failed calling webhook "a.test": /,
          name,
        );
        assert.match(String(body.message), message, name);
      }
    }
  }
});

test("without a failurePolicy a failure refuses; a patch that does not fit refuses whatever the policy", async (t) => {
  const api = await startServer(t);
  let reply: WebhookReply = { code: 500 };
  const webhook = await startWebhook(t, () => reply);
  await register(api, webhook.configuration("a"));
  assert.equal((await create(api)).code, 500);

  reply = { response: patched({ op: "remove", path: "/spec/nothing" }) };
  await register(api, webhook.configuration("b", { failurePolicy: "Ignore" }));
  await raw(api, "DELETE", `${configurations}/a`);
  const { code, body } = await create(api);
  assert.deepEqual([code, body.reason], [500, "InternalError"]);
});

test("a webhook that takes too long has failed", async (t) => {
  const api = await startServer(t);
  const webhook = await startWebhook(t, () => ({ ...allow, delay: 8000 }));
  await register(api, webhook.configuration("a", { timeoutSeconds: 1 }));
  const start = performance.now();
  const { code, body } = await create(api);
  const took = performance.now() - start;
  assert.equal(code, 500);
  assert.match(String(body.message), /Post "https:.*\?timeout=1s": context deadline exceeded$/);
  assert.ok(took >= 990 && took < 6000, `${took} ms`);
});

test("429 and 5xx are tried again only with Retry-After", async (t) => {
  const api = await startServer(t);
  let replies: WebhookReply[] = [];
  const webhook = await startWebhook(t, () => replies.shift() ?? allow);
  await register(api, webhook.configuration("a"));
  const busy = { code: 429, headers: { "retry-after": "0" } };
  replies = [busy, { ...busy, code: 503 }];
  assert.equal((await create(api)).code, 201);
  assert.equal(webhook.calls.length, 3);
  replies = [{ code: 429 }];
  const refused = await create(api, pod("b"));
  assert.equal(refused.code, 500);
  assert.match(String(refused.body.message), /the server has received too many requests/);
  assert.equal(webhook.calls.length, 4);
  replies = Array.from({ length: 20 }, () => busy);
  assert.equal((await create(api, pod("c"))).code, 500);
  assert.equal(webhook.calls.length, 4 + 11);
});

test("a dry run is told to the webhook, and stores nothing; side effects refuse it", async (t) => {
  const api = await startServer(t);
  const webhook = await startWebhook(t, adding("sidecar"));
  await register(api, webhook.configuration("a"));
  let changes = 0;
  t.after(api.onChange(() => changes++));
  const { code, body } = await create(api, pod("a"), "?dryRun=All");
  assert.equal(code, 201);
  assert.equal(((body.spec as JsonObject).containers as unknown[]).length, 2);
  assert.equal(webhook.calls[0]?.review.request.dryRun, true);
  assert.equal(changes, 0);

  await register(api, webhook.configuration("b", { sideEffects: "Some", failurePolicy: "Ignore" }));
  const refused = await create(api, pod("a"), "?dryRun=All");
  assert.deepEqual([refused.code, refused.body.reason], [400, "BadRequest"]);
  assert.equal(refused.body.message, 'admission webhook "b.test" does not support dry run');
  assert.equal((await create(api)).code, 201, "without a dry run it is called");
});

test("a webhook behind a Service is called where the resolver says, under the Service's name", async (t) => {
  let port = 0;
  const asked: string[] = [];
  const api = await startServer(t, {
    resolveService: (space, name, servicePort) => {
      asked.push(`${space} ${name} ${servicePort}`);
      return { host: "127.0.0.1", port };
    },
  });
  const webhook = await startWebhook(t, () => allow);
  port = webhook.port;
  const service = { name: "hook", namespace: "test", path: "/mutate" };
  await register(api, webhook.configuration("a", { clientConfig: { service, caBundle: webhook.caBundle } }));
  for (const name of ["a", "b", "c"]) assert.equal((await create(api, pod(name))).code, 201);
  assert.deepEqual(asked[0], "test hook 443");
  assert.deepEqual(paths(webhook.calls), ["/mutate", "/mutate", "/mutate"]);
  assert.equal(webhook.connections, 1, "the connection is kept");
});

test("a name that is taken is refused after the webhooks were asked, as the real server does", async (t) => {
  const api = await startServer(t);
  const webhook = await startWebhook(t, () => allow);
  await register(api, webhook.configuration("a"));
  await create(api);
  assert.equal((await create(api)).code, 409);
  assert.equal(webhook.calls.length, 2);
});

test("what happens while a webhook is asked is not overlooked", async (t) => {
  const api = await startServer(t);
  const merge = "application/merge-patch+json";
  const configMap = "/api/v1/namespaces/default/configmaps/c";
  let meanwhile: () => Promise<unknown> = async () => undefined;
  const webhook = await startWebhook(t, () => {
    const first = meanwhile;
    meanwhile = async () => undefined;
    return { ...allow, after: first() };
  });
  const rules = [
    { operations: ["*"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods", "configmaps"] },
  ];
  await register(api, webhook.configuration("a", { rules }));
  await raw(api, "POST", "/api/v1/namespaces", { metadata: { name: "db" } });
  await raw(api, "POST", "/api/v1/namespaces/default/configmaps", {
    metadata: { name: "c" },
    data: { n: "1" },
  });

  meanwhile = () => raw(api, "PATCH", configMap, { data: { m: "1" } }, merge);
  assert.equal((await raw(api, "PATCH", configMap, { data: { n: "2" } }, merge)).code, 200);
  assert.deepEqual(api.get("configmaps", namespace, "c")?.data, { n: "2", m: "1" });

  const { resourceVersion = "" } = api.get("configmaps", namespace, "c")?.metadata ?? {};
  meanwhile = () => raw(api, "PATCH", configMap, { data: { m: "2" } }, merge);
  const guarded = { metadata: { resourceVersion }, data: { n: "3" } };
  assert.equal((await raw(api, "PATCH", configMap, guarded, merge)).code, 409);

  meanwhile = () => raw(api, "DELETE", "/api/v1/namespaces/db");
  const orphan = await raw(api, "POST", "/api/v1/namespaces/db/pods", pod("a"));
  assert.deepEqual([orphan.code, orphan.body.message], [404, 'namespaces "db" not found']);
});
