import type { Json, JsonObject } from "../../src/json/value.ts";

/** The body of every answer that is not an object: `metav1.Status` (apimachinery pkg/api/errors). */
export interface Status extends JsonObject {
  kind: "Status";
  apiVersion: "v1";
  metadata: JsonObject;
  status: "Success" | "Failure";
  message?: string;
  reason?: string;
  details?: JsonObject;
  code?: number;
}

/** The names that errors speak of: `pods`, or `statefulsets.apps` where there is a group. */
export interface Qualified {
  readonly group: string;
  readonly plural: string;
}

/** A refusal that is answered with its Status. Thrown anywhere, translated once, in server.ts. */
export class StatusError extends Error {
  readonly status: Status & { code: number };
  constructor(code: number, reason: string, message: string, details?: JsonObject) {
    super(message);
    this.status = {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message,
      ...(reason === "" ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

export const qualifiedName = ({ group, plural }: Qualified): string =>
  group === "" ? plural : `${plural}.${group}`;

/** Empty strings and zeros are left out, as Go's `omitempty` does. */
function details(fields: Record<string, Json>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== "" && value !== 0));
}

const about = ({ group, plural }: Qualified, name: string, retryAfterSeconds = 0) =>
  details({ name, group, kind: plural, retryAfterSeconds });

export function success(fields: JsonObject): Status {
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details: fields };
}

export const notFound = (what: Qualified, name: string) =>
  new StatusError(404, "NotFound", `${qualifiedName(what)} "${name}" not found`, about(what, name));

/** The path names no resource that is served. */
export const noSuchPath = () =>
  new StatusError(404, "NotFound", "the server could not find the requested resource", {});

export const alreadyExists = (what: Qualified, name: string) =>
  new StatusError(409, "AlreadyExists", `${qualifiedName(what)} "${name}" already exists`, about(what, name));

export const generatedNameTaken = (what: Qualified, name: string) =>
  new StatusError(
    409,
    "AlreadyExists",
    `${qualifiedName(what)} "${name}" already exists, the server was not able to generate a unique name for the object`,
    about(what, name, 1),
  );

export const conflict = (what: Qualified, name: string, why: string) =>
  new StatusError(
    409,
    "Conflict",
    `Operation cannot be fulfilled on ${qualifiedName(what)} "${name}": ${why}`,
    about(what, name),
  );

export const STALE =
  "the object has been modified; please apply your changes to the latest version and try again";

export function invalid(
  kind: string,
  group: string,
  name: string,
  field: string,
  type: "FieldValueRequired" | "FieldValueInvalid" | "FieldValueNotSupported",
  text: string,
): StatusError {
  const what = group === "" ? kind : `${kind}.${group}`;
  return new StatusError(422, "Invalid", `${what} "${name}" is invalid: ${field}: ${text}`, {
    ...details({ name, group, kind }),
    causes: [{ reason: type, message: text, field }],
  });
}

export const badRequest = (message: string) => new StatusError(400, "BadRequest", message);

export const unauthorized = () => new StatusError(401, "Unauthorized", "Unauthorized");

export const unsupportedMediaType = (accepted: readonly string[]) =>
  new StatusError(
    415,
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
  );

export const tooLarge = (limit: number) =>
  new StatusError(413, "RequestEntityTooLarge", `Request entity too large: limit is ${limit}`);

export const expired = (message: string) => new StatusError(410, "Expired", message);

/** 500 with the text also as a cause: what a failing webhook leads to. */
export const internalError = (text: string) =>
  new StatusError(500, "InternalError", `Internal error occurred: ${text}`, { causes: [{ message: text }] });

/** An error that no part of a real API server has translated either: no reason, the bare text. */
export const untranslated = (text: string) => new StatusError(500, "", text);

/** What Go says of a resourceVersion that is none. */
export const notANumber = (text: string): string =>
  `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`;

interface Generic {
  readonly reason: string;
  readonly message: string;
}

/** What an API client says of an answer that carries no Status (apimachinery `NewGenericServerResponse`). */
const GENERIC: Readonly<Record<number, Generic>> = {
  400: { reason: "BadRequest", message: "the server rejected our request for an unknown reason" },
  401: { reason: "Unauthorized", message: "the server has asked for the client to provide credentials" },
  404: { reason: "NotFound", message: "the server could not find the requested resource" },
  405: {
    reason: "MethodNotAllowed",
    message: "the server does not allow this method on the requested resource",
  },
  409: { reason: "Conflict", message: "the server reported a conflict" },
  410: { reason: "Expired", message: "too old resource version" },
  422: { reason: "Invalid", message: "the server rejected our request due to an error in our request" },
  429: {
    reason: "TooManyRequests",
    message: "the server has received too many requests and has asked us to try again later",
  },
  503: { reason: "ServiceUnavailable", message: "the server is currently unable to handle the request" },
  504: {
    reason: "Timeout",
    message:
      "the server was unable to return a response in the time allotted, but may still be processing the request",
  },
};

/** @param body text of the answer, quoted for codes that have no words of their own */
export function generic(code: number, body = "unknown", retryAfterSeconds = 0): StatusError {
  const known = GENERIC[code];
  const extra = details({ retryAfterSeconds });
  if (known !== undefined) return new StatusError(code, known.reason, known.message, extra);
  if (code >= 500) {
    const message = `an error on the server (${JSON.stringify(body)}) has prevented the request from succeeding`;
    return new StatusError(code, "InternalError", message, extra);
  }
  return new StatusError(
    code,
    "",
    `the server responded with the status code ${code} but did not return more information`,
    extra,
  );
}
