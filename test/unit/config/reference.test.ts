import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { referenceFiles } from "../../../scripts/reference/files.ts";
import { type Json, objectsIn } from "../../../src/json/value.ts";

const DIRECTORY = join(import.meta.dirname, "../../../docs/reference");

describe("docs/reference", () => {
  for (const [name, content] of Object.entries(referenceFiles())) {
    it(`${name} is as the sources say (npm run reference)`, async () =>
      assert.equal(await readFile(join(DIRECTORY, name), "utf8"), content));
  }

  it("describes every key of the configuration, and allows no others", () => {
    const check = (schema: Record<string, Json | undefined>, path: string): void => {
      if (path !== "") assert.ok(schema.description || path.endsWith("[]"), `${path} is not described`);
      const passedOn = schema.properties === undefined && path.endsWith("[]"); // Kubernetes says what is allowed
      if (schema.type === "object" && !passedOn) assert.equal(schema.additionalProperties, false, path);
      for (const [key, value] of Object.entries(schema.properties ?? {})) {
        for (const child of objectsIn([value])) check(child, path === "" ? key : `${path}.${key}`);
      }
      for (const items of objectsIn([schema.items])) check(items, `${path}[]`);
    };
    check(JSON.parse(referenceFiles()["config.schema.json"] ?? ""), "");
  });
});
