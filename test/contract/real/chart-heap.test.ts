import assert from "node:assert/strict";
import { it } from "node:test";
import { at, type Json, objectsIn } from "../../../src/json/value.ts";
import { rendered, theOnly } from "../../chart/helm.ts";

/** What Node is told with this memory limit. */
async function nodeOptions(memory: Json): Promise<string | undefined> {
  const deployment = theOnly(await rendered({ values: { resources: { limits: { memory } } } }), "Deployment");
  const [container] = objectsIn(at(deployment, "spec", "template", "spec", "containers"));
  const option = objectsIn(container?.env).find(({ name }) => name === "NODE_OPTIONS");
  return option === undefined ? undefined : String(option.value);
}

// V8 sizes its heap by the machine or the container, and knows nothing of what else a process takes.
const ROWS: readonly (readonly [Json, number | undefined])[] = [
  ["384Mi", 128],
  ["1Gi", 341],
  ["1.5Gi", 512],
  ["500M", 158],
  [402_653_184, 128],
  ["402653184", 128],
  ["100Mi", 64],
  ["", undefined],
];
for (const [memory, size] of ROWS) {
  it(`a limit of ${JSON.stringify(memory)} leaves V8 ${size ?? "to itself"}`, async () => {
    const wanted = size === undefined ? undefined : `--max-old-space-size=${size} --max-semi-space-size=8`;
    assert.equal(await nodeOptions(memory), wanted);
  });
}
