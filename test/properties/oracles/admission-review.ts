import assert from "node:assert/strict";

const RESPONSE_KEYS = ["uid", "allowed", "status", "patch", "patchType", "auditAnnotations", "warnings"];
const OPERATION_KEYS = {
  add: ["op", "path", "value"],
  replace: ["op", "path", "value"],
  remove: ["op", "path"],
};
const POINTER = /^(\/([^~/]|~0|~1)*)+$/;

type Fields = Record<string, unknown>;

function fields(value: unknown, what: string): Fields {
  assert.ok(typeof value === "object" && value !== null && !Array.isArray(value), `${what} is an object`);
  return value as Fields;
}

/**
 * What the API server demands of an answer (admission.k8s.io/v1, VerifyAdmissionResponse of its webhook client), and what
 * Kubernetes asks of warnings. Gives the decoded patch; throws an assertion that names what is wrong.
 */
export function checkAdmissionReview(review: unknown, uid: unknown): { allowed: boolean; patch: Fields[] } {
  const { apiVersion, kind, response, ...others } = fields(JSON.parse(JSON.stringify(review)), "the review");
  assert.deepEqual([apiVersion, kind, others], ["admission.k8s.io/v1", "AdmissionReview", {}]);
  const answer = fields(response, "the response");
  for (const key of Object.keys(answer)) assert.ok(RESPONSE_KEYS.includes(key), `no field ${key}`);
  assert.equal(answer.uid, uid, "the uid is the request's");
  assert.equal(typeof answer.allowed, "boolean", "allowed is a boolean");
  checkWarnings(answer.warnings);
  for (const [key, value] of Object.entries(fields(answer.auditAnnotations, "auditAnnotations"))) {
    assert.match(key, /^[a-z][-a-z]*$/, "an audit annotation's key has no domain");
    assert.equal(typeof value, "string", "an audit annotation is a string");
  }
  if ("status" in answer) checkStatus(fields(answer.status, "status"));
  assert.equal("status" in answer, !answer.allowed, "a refusal says why, an admission need not");
  return { allowed: answer.allowed as boolean, patch: checkPatch(answer) };
}

function checkWarnings(warnings: unknown): void {
  assert.ok(Array.isArray(warnings), "warnings are a list");
  for (const warning of warnings) {
    assert.ok(
      typeof warning === "string" && warning.length > 0 && warning.length <= 120,
      `warning: ${warning}`,
    );
    assert.ok(
      !/\p{Cc}/u.test(warning) && warning.isWellFormed(),
      `odd characters: ${JSON.stringify(warning)}`,
    );
  }
  assert.equal(new Set(warnings).size, warnings.length, "nothing is said twice");
}

function checkStatus({ code, reason, message, ...others }: Fields): void {
  assert.ok(Number.isInteger(code) && (code as number) >= 400 && (code as number) < 600, "an error's code");
  assert.ok(typeof reason === "string" && /^[A-Z][A-Za-z]+$/.test(reason), "a reason of the API's kind");
  assert.ok(typeof message === "string" && message.length > 10, "a message");
  assert.deepEqual(others, {});
}

function checkPatch(answer: Fields): Fields[] {
  assert.equal("patch" in answer, "patchType" in answer, "patch and patchType come together");
  if (!("patch" in answer)) return [];
  assert.ok(answer.allowed, "a refusal has no patch");
  assert.equal(answer.patchType, "JSONPatch");
  assert.ok(typeof answer.patch === "string" && /^[A-Za-z0-9+/]+={0,2}$/.test(answer.patch), "base64");
  const operations = JSON.parse(Buffer.from(answer.patch, "base64").toString("utf8")) as Fields[];
  assert.ok(Array.isArray(operations) && operations.length > 0, "a patch has operations");
  for (const operation of operations) {
    const keys = OPERATION_KEYS[operation.op as keyof typeof OPERATION_KEYS];
    assert.ok(keys !== undefined, `operation ${String(operation.op)}`);
    assert.deepEqual(Object.keys(operation).sort(), keys.toSorted());
    assert.match(String(operation.path), POINTER);
  }
  return operations;
}
