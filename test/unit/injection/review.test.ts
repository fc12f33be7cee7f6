import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { VERSION } from "../../../src/contract/version.ts";
import { answerReview, type ReviewContext } from "../../../src/injection/review.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { injected, ours, patroniPod, settingsOf, spiloPod, surroundingsOf, type World } from "./world.ts";

const PODS = { group: "", version: "v1", resource: "pods" };

const reviewOf = (request: object, body: object = {}): JsonObject =>
  ({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { uid: "abc-123", resource: PODS, operation: "CREATE", namespace: "db", ...request },
    ...body,
  }) as JsonObject;

interface Choice extends World {
  readonly mode?: ReviewContext["mode"];
  readonly failurePolicy?: ReviewContext["failurePolicy"];
}

const contextOf = (choice: Choice): ReviewContext => ({
  mode: choice.mode ?? "enabled",
  failurePolicy: choice.failurePolicy ?? "Ignore",
  settings: settingsOf(choice),
  surroundings: surroundingsOf(choice),
});

/** The answer to the creation of a pod, opened up. */
function answer(pod: unknown, choice: Choice = {}, request: object = {}) {
  const answered = answerReview(reviewOf({ object: pod, ...request }), contextOf(choice));
  if (answered.status !== 200) assert.fail(answered.message);
  const response = answered.review.response as JsonObject & {
    warnings: string[];
    auditAnnotations: JsonObject;
  };
  const patch =
    typeof response.patch === "string"
      ? JSON.parse(Buffer.from(response.patch, "base64").toString())
      : undefined;
  return { review: answered.review, response, patch, record: answered.record };
}

describe("what is not an AdmissionReview v1 gets 400 and a clear text", () => {
  const rows: readonly [name: string, body: unknown, message: string][] = [
    ["nothing", undefined, "the body must be an AdmissionReview object"],
    ["null", null, "the body must be an AdmissionReview object"],
    ["a text", "{}", "the body must be an AdmissionReview object"],
    ["a list", [], "the body must be an AdmissionReview object"],
    ["an empty object", {}, 'kind must be "AdmissionReview"'],
    ["another kind", { kind: "Pod", apiVersion: "v1" }, 'kind must be "AdmissionReview"'],
    ["no version", { kind: "AdmissionReview" }, 'apiVersion must be "admission.k8s.io/v1"'],
    [
      "v1beta1",
      reviewOf({}, { apiVersion: "admission.k8s.io/v1beta1" }),
      'apiVersion must be "admission.k8s.io/v1"',
    ],
    ["no request", reviewOf({}, { request: undefined }), "request must be an object"],
    ["request null", reviewOf({}, { request: null }), "request must be an object"],
    ["request a list", reviewOf({}, { request: [] }), "request must be an object"],
    ["no uid", reviewOf({ uid: undefined }), "request.uid must be a string of 1 to 256 characters"],
    ["uid empty", reviewOf({ uid: "" }), "request.uid must be a string of 1 to 256 characters"],
    ["uid a number", reviewOf({ uid: 7 }), "request.uid must be a string of 1 to 256 characters"],
    [
      "uid too long",
      reviewOf({ uid: "u".repeat(257) }),
      "request.uid must be a string of 1 to 256 characters",
    ],
  ];
  for (const [name, body, message] of rows) {
    test(name, () => assert.deepEqual(answerReview(body, contextOf({})), { status: 400, message }));
  }
});

describe("requests that are not the creation of a pod are let through", () => {
  const rows: readonly [name: string, request: object][] = [
    ["update", { operation: "UPDATE" }],
    ["delete", { operation: "DELETE", object: null }],
    ["connect", { operation: "CONNECT" }],
    ["another kind", { resource: { group: "", version: "v1", resource: "secrets" } }],
    ["pods of another group", { resource: { group: "metrics.k8s.io", version: "v1", resource: "pods" } }],
    ["a subresource", { subResource: "ephemeralcontainers" }],
    ["no resource", { resource: undefined }],
    ["resource a text", { resource: "pods" }],
    ["no object", { object: null }],
    ["object a list", { object: [] }],
  ];
  for (const [name, request] of rows) {
    test(name, () => {
      const { response, record } = answer(patroniPod(), {}, request);
      assert.deepEqual(response, {
        uid: "abc-123",
        allowed: true,
        warnings: [],
        auditAnnotations: { decision: "skip", reason: "not-a-pod", notes: "", version: VERSION },
      });
      assert.equal(record.reason, "not-a-pod");
    });
  }
});

describe("the answer", () => {
  test("whole, for a pod that is injected", () => {
    const { review, patch, record } = answer(
      patroniPod({ spec: { initContainers: [{ name: "istio-init" }] } }),
    );
    const { response, ...outer } = review as { response: JsonObject };
    assert.deepEqual(outer, { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" });
    const { patch: _, ...rest } = response;
    assert.deepEqual(rest, {
      uid: "abc-123",
      allowed: true,
      patchType: "JSONPatch",
      warnings: [
        `patroni-injector: mesh-too-late: Istio is in the pod already and was not told of these exclusions: its init container w…`,
      ],
      auditAnnotations: { decision: "inject", reason: "injected", notes: "mesh-too-late", version: VERSION },
    });
    assert.deepEqual(record, {
      uid: "abc-123",
      namespace: "db",
      name: "pg-0",
      mode: "enabled",
      dryRun: false,
      decision: "inject",
      reason: "injected",
      notes: [{ reason: "mesh-too-late", detail: "" }],
      applied: ["pod-dns", "connect-addresses", "mesh", "sidecar"],
      patchOperations: patch.length,
    });
  });

  test("no patch and no patchType where nothing changes", () => {
    const { response, record } = answer(injected(patroniPod()));
    assert.ok(!("patch" in response) && !("patchType" in response));
    assert.equal(record.reason, "already-injected");
    assert.equal(record.patchOperations, 0);
  });

  test("fields that no client of today knows are not in the patch", () => {
    const pod = patroniPod({ spec: { brandNew: { a: [1] } }, container: { alsoNew: true } });
    assert.ok(!JSON.stringify(answer({ ...pod, outer: 1 }).patch).match(/brandNew|alsoNew|outer/));
  });

  test("a pod without a namespace of its own is in the request's", () => {
    const pod = patroniPod({ metadata: { namespace: "" } });
    assert.match(JSON.stringify(answer(pod).patch), /pg-headless\.db\.svc/);
    assert.equal(answer(pod, {}, { namespace: "kube-system" }).record.reason, "namespace-excluded");
  });

  test("the request's namespace counts before the pod's", () => {
    assert.equal(answer(patroniPod({ metadata: { namespace: "kube-system" } })).record.reason, "injected");
    assert.equal(
      answer(patroniPod({ metadata: { namespace: "kube-system" } }), {}, { namespace: "" }).record.reason,
      "namespace-excluded",
    );
  });

  test("generateName stands for a name in the record", () => {
    const pod = patroniPod({ metadata: { name: null, generateName: "pg-" } });
    assert.equal(answer(pod).record.name, "pg-");
    assert.equal(answer(pod, {}, { name: "pg-x1" }).record.name, "pg-x1");
  });

  test("a dry run is answered the same, and told in the record", () => {
    const [dry, real] = [answer(patroniPod(), {}, { dryRun: true }), answer(patroniPod())];
    assert.deepEqual(dry.review, real.review);
    assert.deepEqual({ ...dry.record, dryRun: false }, real.record);
    assert.equal(dry.record.dryRun, true);
  });

  test("a pod of a Job is told by its controller", () => {
    const owned = (owner: object) =>
      answer(patroniPod({ metadata: { ownerReferences: [owner] as never } }), { native: false }).record
        .reason;
    assert.equal(owned({ kind: "Job", controller: true }), "job");
    assert.equal(owned({ kind: "Job" }), "injected");
    assert.equal(owned({ kind: "StatefulSet", controller: true }), "injected");
  });

  test("what is malformed is left to the API server", () => {
    const { response, record } = answer({ metadata: { labels: { application: "patroni" } }, spec: [] });
    assert.equal(response.allowed, true);
    assert.equal(record.reason, "malformed-pod");
    assert.deepEqual(response.warnings, []);
  });
});

describe("refusal", () => {
  const pod = patroniPod({ annotations: ours({ mesh: "maybe" }) });
  const text = 'annotation patroni-injector.io/mesh: "maybe" is not allowed; allowed is "on" or "off"';

  test("of an annotation that is not allowed", () => {
    const { response, record } = answer(pod);
    assert.equal(response.allowed, false);
    assert.deepEqual(response.status, {
      code: 400,
      reason: "BadRequest",
      message: `invalid-annotation: ${text}`,
    });
    assert.ok(!("patch" in response));
    assert.equal(record.decision, "deny");
  });

  test("with onInvalid: ignore it is a warning", () => {
    const { response, patch } = answer(pod, { settings: { onInvalid: "ignore" } });
    assert.equal(response.allowed, true);
    assert.ok(patch.length > 0);
    assert.deepEqual(response.warnings, [
      `patroni-injector: invalid-annotation: annotation patroni-injector.io/mesh: "maybe" is not allowed; allowed is "on" or "…`,
    ]);
  });
});

describe("audit mode changes nothing and says what it would do", () => {
  const rows: readonly [pod: JsonObject, warning: string][] = [
    [
      patroniPod(),
      "patroni-injector: audit: would be injected: injected (pod-dns, connect-addresses, mesh, sidecar)",
    ],
    [
      injected(patroniPod()),
      "patroni-injector: audit: would stay as it is: already-injected (pod-dns, connect-addresses, mesh, sidecar)",
    ],
    [
      patroniPod({ labels: { application: "x" } }),
      "patroni-injector: audit: would be left alone: not-selected",
    ],
    [
      patroniPod({ spec: { containers: 1 } }),
      "patroni-injector: audit: would be left alone: malformed-pod (spec.containers is not a list)",
    ],
    [
      patroniPod({ annotations: ours({ mesh: "maybe" }) }),
      'patroni-injector: audit: would be refused: invalid-annotation (annotation patroni-injector.io/mesh: "maybe" is not allo…',
    ],
  ];
  for (const [pod, warning] of rows) {
    test(warning, () => {
      const { response, record } = answer(pod, { mode: "audit" });
      assert.equal(response.allowed, true);
      assert.ok(!("patch" in response) && !("patchType" in response) && !("status" in response));
      assert.deepEqual(response.warnings, [warning]);
      assert.equal(record.mode, "audit");
    });
  }

  test("the record still counts what would be patched", () => {
    assert.equal(
      answer(patroniPod(), { mode: "audit" }).record.patchOperations,
      answer(patroniPod()).patch.length,
    );
  });
});

describe("a bug while deciding", () => {
  const broken = (choice: Choice) => {
    const context = contextOf(choice);
    const bug = new Error("a bug");
    const settings = {
      ...context.settings,
      get selectors(): never {
        throw bug;
      },
    };
    const answered = answerReview(reviewOf({ object: patroniPod() }), { ...context, settings });
    if (answered.status !== 200) assert.fail(answered.message);
    assert.equal(answered.record.error, bug);
    assert.equal(answered.record.reason, "internal-error");
    assert.equal(answered.record.decision, "error");
    return answered.review.response as JsonObject & { warnings: string[] };
  };
  const message =
    "internal-error: patroni-injector could not decide on this pod; see its log for this request's uid";

  test("admits the pod unchanged under Ignore", () => {
    assert.deepEqual(broken({}), {
      uid: "abc-123",
      allowed: true,
      warnings: [message],
      auditAnnotations: { decision: "error", reason: "internal-error", notes: "", version: VERSION },
    });
  });

  test("refuses it under Fail", () => {
    const response = broken({ failurePolicy: "Fail" });
    assert.equal(response.allowed, false);
    assert.deepEqual(response.status, { code: 500, reason: "InternalError", message });
  });

  test("never refuses in audit mode", () => {
    assert.equal(broken({ failurePolicy: "Fail", mode: "audit" }).allowed, true);
  });
});

describe("warnings", () => {
  const warningsFor = (detail: string) =>
    answer(spiloPod({ env: [{ name: "SPILO_CONFIGURATION", value: detail }] })).response.warnings;
  const named = (name: string) =>
    answer(patroniPod({ containers: [{ name, image: "acme/patroni", env: [{ name: "PATRONI_NAME" }] }] }))
      .response.warnings;

  test("a reason that someone should act on, with its detail", () => {
    assert.deepEqual(named("b"), ["patroni-injector: ambiguous-container: db, b"]);
    assert.deepEqual(warningsFor("- a"), [
      "patroni-injector: spilo-configuration-invalid: SPILO_CONFIGURATION: not a mapping",
    ]);
  });

  test("a reason without a detail tells what it means", () => {
    assert.match(
      answer(patroniPod(), { suspended: true }).response.warnings[0] ?? "",
      /^patroni-injector: sidecar-suspended: The sidecar failed/,
    );
    assert.match(
      answer(patroniPod({ labels: { "cluster-name": "" } })).response.warnings[0] ?? "",
      /^patroni-injector: no-scope: The cluster's scope/,
    );
  });

  test("nothing for what is as it should be", () => {
    assert.deepEqual(answer(patroniPod()).response.warnings, []);
    assert.deepEqual(answer(patroniPod({ annotations: ours({ inject: "false" }) })).response.warnings, []);
  });

  test("nothing for a reason that is only worth a note", () => {
    const { response } = answer(
      patroniPod({ env: [{ name: "PATRONI_RESTAPI_CONNECT_ADDRESS", value: "a:1" }] }),
    );
    assert.deepEqual(response.warnings, []);
    assert.equal(response.auditAnnotations.notes, "user-set-address");
  });

  test("the same is said once", () => {
    const env = ["PATRONI_RESTAPI_CONNECT_ADDRESS", "PATRONI_POSTGRESQL_CONNECT_ADDRESS"].map((name) => ({
      name,
      value: "a",
    }));
    assert.equal(answer(patroniPod({ env })).response.auditAnnotations.notes, "user-set-address");
  });

  test("exactly as long as may be, whole characters only, no control characters", () => {
    const prefix = "patroni-injector: ambiguous-container: db, ";
    const room = 120 - prefix.length;
    assert.deepEqual(named("x".repeat(room)), [`${prefix}${"x".repeat(room)}`]);
    assert.deepEqual(named("x".repeat(room + 1)), [`${prefix}${"x".repeat(room - 1)}…`]);
    assert.deepEqual(named(`${"x".repeat(room - 2)}😀y`), [`${prefix}${"x".repeat(room - 2)}…`]);
    assert.deepEqual(named("a\r\nb\u0000\u009fc\ud800d"), [`${prefix}a b c d`]);
  });
});
