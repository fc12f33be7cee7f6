import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import fc from "fast-check";
import { answerReview, type ReviewAnswer, type ReviewMode } from "../../src/injection/review.ts";
import type { JsonObject } from "../../src/json/value.ts";
import { cpuTimeMs } from "../support/cpu-time.ts";
import { settingsOf, surroundingsOf, type World } from "../unit/injection/world.ts";
import { brokenScene } from "./arbitraries/corruption.ts";
import { scene } from "./arbitraries/scenes.ts";
import { checkAdmissionReview } from "./oracles/admission-review.ts";
import { applyJsonPatch } from "./oracles/json-patch.ts";
import { runs } from "./runs.ts";

const PODS = { group: "", version: "v1", resource: "pods" };

interface How {
  readonly mode?: ReviewMode;
  readonly failurePolicy?: "Ignore" | "Fail";
}

const reviewOf = (object: unknown, request: object = {}): JsonObject =>
  ({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { uid: "u-1", resource: PODS, operation: "CREATE", namespace: "db", object, ...request },
  }) as JsonObject;

/** The answer, which must be in time. */
function answer(
  body: unknown,
  world: World = {},
  { mode = "enabled", failurePolicy = "Fail" }: How = {},
): ReviewAnswer {
  const context = { mode, failurePolicy, settings: settingsOf(world), surroundings: surroundingsOf(world) };
  const start = cpuTimeMs();
  const answered = answerReview(body, context);
  const took = cpuTimeMs() - start;
  assert.ok(took < 2000, `took ${Math.round(took)} ms of CPU time`);
  return answered;
}

/** The answer to the creation of an object: always a valid review, and never a bug of ours. */
function review(object: unknown, world: World = {}, how: How = {}) {
  const answered = answer(reviewOf(object), world, how);
  if (answered.status !== 200) assert.fail(answered.message);
  const { error, reason } = answered.record;
  assert.equal(error, undefined, `a bug: ${error instanceof Error ? error.stack : String(error)}`);
  return { ...checkAdmissionReview(answered.review, "u-1"), reason, record: answered.record };
}

after(() => {
  assert.deepEqual(Object.keys(Object.prototype), [], "no prototype was polluted");
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

describe("whatever the pod is", () => {
  test("broken anywhere: the answer is a valid review, and its patch applies", () =>
    fc.assert(
      fc.property(brokenScene, ({ pod, world }) => {
        const { patch, reason } = review(pod, world);
        assert.equal(patch.length > 0, reason === "injected");
        applyJsonPatch(pod, patch as never);
      }),
      runs(500),
    ));

  test("any JSON at all as the object", () =>
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (object) => {
        const { allowed, patch } = review(object);
        assert.ok(allowed);
        assert.deepEqual(patch, []);
      }),
      runs(150),
    ));

  test("any JSON at all as the body: 400, or a valid review", () =>
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 3 }), (value, other) => {
        const whole = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: value };
        for (const body of [value, whole, { ...whole, kind: other }, reviewOf(value, { uid: other })]) {
          const answered = answer(body);
          if (answered.status === 400) assert.match(answered.message, /^[\x20-\x7e]{10,200}$/);
          else checkAdmissionReview(answered.review, ((body as JsonObject).request as JsonObject).uid);
        }
      }),
      runs(150),
    ));

  test("any annotation of ours: refused for nothing but an invalid one, with its name in the message", () => {
    const names = [
      "mesh",
      "cluster",
      "exclude-ports",
      "postgres-port",
      "sidecar-cpu-limit",
      "nonsense",
      "container",
    ];
    fc.assert(
      fc.property(
        scene,
        fc.constantFrom(...names),
        fc.string({ unit: "binary", maxLength: 80 }),
        ({ pod, world }, name, value) => {
          const metadata = pod.metadata as JsonObject;
          const key = `patroni-injector.io/${name}`;
          const annotated = {
            ...pod,
            metadata: { ...metadata, annotations: { ...(metadata.annotations as JsonObject), [key]: value } },
          };
          const answered = answer(reviewOf(annotated), world);
          if (answered.status !== 200) assert.fail(answered.message);
          const { allowed } = checkAdmissionReview(answered.review, "u-1");
          assert.equal(allowed, answered.record.reason !== "invalid-annotation");
          const { status } = answered.review.response as { status?: { message: string } };
          if (!allowed) assert.ok(status?.message.includes(key), status?.message);
        },
      ),
      runs(150),
    );
  });
});

describe("the mode", () => {
  test("audit: never a patch, always allowed, and the same decision", () =>
    fc.assert(
      fc.property(fc.oneof(scene, brokenScene), ({ pod, world }) => {
        const audit = review(pod, world, { mode: "audit" });
        assert.ok(audit.allowed);
        assert.deepEqual(audit.patch, []);
        const enabled = review(pod, world);
        const { mode, ...decided } = enabled.record;
        assert.deepEqual(audit.record, { ...decided, mode: "audit" });
        assert.equal(mode, "enabled");
      }),
      runs(125),
    ));

  test("enabled: refused only for an invalid annotation, and never where those are passed over", () =>
    fc.assert(
      fc.property(fc.oneof(scene, brokenScene), ({ pod, world }) => {
        const { allowed, reason } = review(pod, world);
        assert.equal(allowed, reason !== "invalid-annotation");
        assert.ok(review(pod, { ...world, settings: { ...world.settings, onInvalid: "ignore" } }).allowed);
      }),
      runs(125),
    ));

  test("a bug: admitted unchanged under Ignore, refused under Fail, and the answer is valid", () =>
    fc.assert(
      fc.property(
        fc.oneof(scene, brokenScene),
        fc.constantFrom("Ignore", "Fail"),
        fc.constantFrom("enabled", "audit"),
        ({ pod, world }, failurePolicy, mode) => {
          const surroundings = { ...surroundingsOf(world), service: () => assert.fail("a bug") };
          const context = { mode, failurePolicy, settings: settingsOf(world), surroundings };
          const answered = answerReview(reviewOf(pod), context);
          if (answered.status !== 200) assert.fail(answered.message);
          const { allowed, patch } = checkAdmissionReview(answered.review, "u-1");
          if (answered.record.reason !== "internal-error") return;
          assert.equal(allowed, mode === "audit" || failurePolicy === "Ignore");
          assert.deepEqual(patch, []);
        },
      ),
      runs(150),
    ));
});
