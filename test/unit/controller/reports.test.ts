import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Objects } from "../../../src/controller/objects.ts";
import { Reports } from "../../../src/controller/reports.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { viewOf } from "./views.ts";

test("what is found of many clusters at once is told by a few calls at a time, and all of it", async () => {
  const state = { now: 0, most: 0, told: 0 };
  const objects: Pick<Objects, "create"> = {
    async create(_, object) {
      state.most = Math.max(state.most, ++state.now);
      await delay(1);
      state.now--;
      state.told++;
      if (state.told % 7 === 0) throw new Error("not today");
      return object;
    },
  };
  const reports = new Reports(objects as Objects, "one", createLogger({ level: "silent" }));
  for (let cluster = 0; cluster < 100; cluster++) {
    reports.update(`db/${cluster}`, "objects", viewOf(), [{ reason: "settings-differ", detail: "ports" }]);
  }
  while (state.told < 100) await delay(5);
  assert.ok(state.most <= 4, `${state.most} at once`);
});
