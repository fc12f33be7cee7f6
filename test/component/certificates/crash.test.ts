import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FaultMatch } from "../../../demo/kube-api/faults.ts";
import { onlyThorough } from "../../support/thorough.ts";
import { order } from "../kube/support.ts";
import { liveBundles, quiet, Replica, startScene } from "./scene.ts";

const DAY = 24 * 3_600_000;
const CONFIGURATIONS = "mutatingwebhookconfigurations.admissionregistration.k8s.io";

/** Every kind of write, by the time that it is first made: day 0 is the start, on day 7 the authority is due. */
const WRITES: readonly (readonly [what: string, days: number, match: FaultMatch])[] = [
  ["the first authority", 0, { verb: "create", resource: "secrets" }],
  ["the first caBundle", 0, { verb: "patch", resource: CONFIGURATIONS }],
  ["a leaf that is due", 5, { verb: "update", resource: "secrets", name: "patroni-injector-leaf" }],
  ["the next authority", 7, { verb: "update", resource: "secrets", name: "patroni-injector-ca" }],
  ["the next caBundle", 7, { verb: "patch", resource: CONFIGURATIONS }],
  ["the next authority's leaf", 8, { verb: "update", resource: "secrets", name: "patroni-injector-leaf" }],
  ["the retirement", 12, { verb: "update", resource: "secrets", name: "patroni-injector-ca" }],
  ["the retired one's caBundle", 12, { verb: "patch", resource: CONFIGURATIONS }],
];

/** The one that tells most in every run; all of them, before and after the write, in a thorough one. */
const ALL = onlyThorough === false;
const MOST_TELLING = "the next authority";

describe("a process that dies at a write", () => {
  for (const [what, days, match] of WRITES.filter(([what]) => ALL || what === MOST_TELLING)) {
    for (const kind of ALL ? (["drop", "drop-after-write"] as const) : (["drop-after-write"] as const)) {
      const moment = kind === "drop" ? "before" : "right after";
      it(`${moment} ${what}: another goes on from there, and all is well`, async (t) => {
        const { api, time, replicas } = await startScene(t, 1);
        const [doomed] = replicas as [Replica];
        const day = async (replica: Replica): Promise<void> => {
          time.pass(DAY);
          await replica.look();
          await quiet([replica]);
        };
        for (let passed = 0; passed < days - 1; passed++) await day(doomed);
        if (days > 0) time.pass(DAY);
        const { verb, resource, name } = match;
        const fault = order(api, { kind }, { user: "bystander", verb, resource, ...(name ? { name } : {}) });
        for (let left = 3; fault.hits === 0 && left > 0; left--) {
          await doomed.look().catch(() => undefined);
          await new Promise((resolve) => setTimeout(resolve, 30));
          if (days > 0 && fault.hits === 0) time.pass(DAY);
        }
        assert.ok(fault.hits > 0, "it was never written");
        await doomed.registration?.stop();
        fault.remove();

        const next = await Replica.start(t, api, time);
        await next.look();
        await next.look();
        await quiet([next]);
        const later = ALL ? 14 : 3;
        for (let passed = 0; passed < later; passed++) {
          await day(next);
          assert.deepEqual(next.served.refusals, []);
        }
        assert.ok((liveBundles(api)[0] ?? []).length <= 3);
        assert.ok(next.made.length > 0, "the one after it had nothing to do");
      });
    }
  }
});
