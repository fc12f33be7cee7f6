import assert from "node:assert/strict";
import type { JsonObject } from "../../../src/json/value.ts";
import type { ApiResponse } from "../../cluster/api-client.ts";

/** What is expected of a Status; the rest of its fields are the same in all. */
export interface Refusal {
  readonly code: number;
  /** Absent: an error that the API server itself does not translate. */
  readonly reason?: string;
  readonly message: string | RegExp;
  readonly details?: JsonObject;
}

/** The answer is a Status with just these fields. */
export function assertRefused({ status, body }: ApiResponse, { message, ...expected }: Refusal): void {
  const { message: said, ...fields } = body as JsonObject;
  assert.equal(status, expected.code, JSON.stringify(body));
  const common = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure" };
  assert.deepEqual(fields, { ...common, ...expected }, JSON.stringify(body));
  if (typeof message === "string") assert.equal(said, message);
  else assert.match(String(said), message);
}
