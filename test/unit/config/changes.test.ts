import assert from "node:assert/strict";
import { it } from "node:test";
import { changesBetween, inForce } from "../../../src/config/changes.ts";
import { parseConfig } from "../../../src/config/parse.ts";

const parse = (text: string) => parseConfig(text, "config.yaml", { clusterDomain: "cluster.local" });
const started = parse("operations: {port: 1}");
const next = parse(
  "logLevel: debug\noperations: {port: 2}\nwebhook: {host: 127.0.0.1, timeoutSeconds: 7}\npresets: [crunchy]",
);

it("names the keys that changed, and those that count only after a restart", () => {
  assert.deepEqual(changesBetween(started, started), []);
  assert.deepEqual(
    changesBetween(started, next).toSorted((a, b) => a.key.localeCompare(b.key)),
    [
      { key: "logLevel", needsRestart: false },
      { key: "operations.port", needsRestart: true },
      { key: "presets", needsRestart: false },
      { key: "webhook.host", needsRestart: true },
      { key: "webhook.timeoutSeconds", needsRestart: false },
    ],
  );
});

it("puts in force what is not bound", () => {
  const now = inForce(next, started);
  assert.equal(now.operations.port, 1);
  assert.equal(now.webhook.host, undefined);
  assert.equal(now.webhook.timeoutSeconds, 7);
  assert.equal(now.logLevel, "debug");
});
