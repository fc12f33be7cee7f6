import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { patroniPod } from "../../../bench/webhook/pod.ts";
import { reviewOf } from "../../../bench/webhook/review.ts";
import { toInjectionSettings } from "../../../src/config/injection-settings.ts";
import { parseConfig } from "../../../src/config/parse.ts";
import { answerReview } from "../../../src/injection/review.ts";

const config = parseConfig("", "defaults", { clusterDomain: "cluster.local" });
const context = {
  mode: "enabled",
  settings: toInjectionSettings(config, { ownNamespace: undefined }),
  surroundings: {
    service: () => undefined,
    nativeSidecars: true,
    openshift: false,
    apiServerAddresses: ["10.96.0.1"],
    suspended: () => false,
  },
  failurePolicy: "Ignore",
} as const;

describe("a pod to measure with", () => {
  for (const bytes of [9_000, 10 * 1024, 60 * 1024, 250_001]) {
    test(`has exactly ${bytes} bytes`, () =>
      assert.equal(Buffer.byteLength(JSON.stringify(patroniPod(bytes))), bytes));

    test(`of ${bytes} bytes is injected whole: what is measured is the work, not a way around it`, () => {
      const answer = answerReview(reviewOf(patroniPod(bytes)), context);
      assert.equal(answer.status, 200);
      assert.equal(answer.record.reason, "injected");
      assert.deepEqual(answer.record.applied, ["pod-dns", "connect-addresses", "mesh", "sidecar"]);
      assert.deepEqual(answer.record.notes, []);
    });
  }

  test("cannot be smaller than a pod", () => assert.throws(() => patroniPod(1_000), RangeError));
});
