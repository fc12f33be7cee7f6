import { readFileSync } from "node:fs";
import { join } from "node:path";
import Draft4 from "ajv-draft-04";
import addFormats from "ajv-formats";

const FILE = join(import.meta.dirname, "../../../fixtures/third-party/sarif-schema-2.1.0.json");

/** Holds a value against the schema of SARIF 2.1.0; what is wrong is in `errors`. */
export function sarifValidator() {
  const ajv = new Draft4.default({ strict: false });
  addFormats.default(ajv as never);
  return ajv.compile(JSON.parse(readFileSync(FILE, "utf8")));
}
