import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { answerReview } from "../../src/injection/review.ts";
import { hostileBodies } from "../fixtures/hostile.ts";
import { cpuTimeMs } from "../support/cpu-time.ts";
import { settingsOf, surroundingsOf } from "../unit/injection/world.ts";
import { checkAdmissionReview } from "./oracles/admission-review.ts";

/** Slow enough to hold up a webhook whose timeout is 5 s. */
const TOO_LONG_MS = 2000;

const contextOf = (mode: "enabled" | "audit") =>
  ({ mode, failurePolicy: "Fail", settings: settingsOf({}), surroundings: surroundingsOf({}) }) as const;

/** The body as the server hands it on: what is no JSON never comes so far. */
function parsed(body: string): { readonly json: unknown } | undefined {
  try {
    return { json: JSON.parse(body) };
  } catch {
    return undefined;
  }
}

after(() => assert.deepEqual(Object.keys(Object.prototype), []));

describe("bodies that no API server sends", () => {
  for (const { name, body, status } of hostileBodies) {
    test(name, () => {
      const read = parsed(body);
      if (read === undefined) {
        assert.equal(status, 400);
        return;
      }
      for (const mode of ["enabled", "audit"] as const) {
        const start = cpuTimeMs();
        const answered = answerReview(read.json, contextOf(mode));
        const took = cpuTimeMs() - start;
        assert.ok(took < TOO_LONG_MS, `took ${Math.round(took)} ms of CPU time`);
        if (answered.status === 400) {
          assert.equal(status, 400);
          assert.match(answered.message, /^[\x20-\x7e]{10,200}$/);
          continue;
        }
        assert.notEqual(status, 400);
        assert.equal(answered.record.error, undefined);
        const uid = (read.json as { request: { uid: unknown } }).request.uid;
        const { patch } = checkAdmissionReview(answered.review, uid);
        if (mode === "audit") assert.deepEqual(patch, []);
      }
    });
  }
});
