import { PROOFS, RELOAD_COMPONENTS, RELOAD_PROBLEMS, RELOAD_TIMEOUT } from "./reload.ts";

/** As much of JSON Schema (2020-12) as the reload API's documents need. */
export type Schema = { readonly description?: string } & (
  | {
      readonly type: "integer";
      readonly minimum?: number;
      readonly maximum?: number;
      readonly default?: number;
    }
  | { readonly type: "string"; readonly enum?: readonly string[]; readonly format?: "date-time" | "uri" }
  | { readonly type: "boolean" }
  | { readonly type: "array"; readonly items: Schema }
  | {
      readonly type: "object";
      readonly properties: Readonly<Record<string, Schema>>;
      readonly required: readonly string[];
      readonly additionalProperties: false;
    }
);

const version: Schema = {
  type: "integer",
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "A version of the configuration: it only grows.",
};

const object = (
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = Object.keys(properties),
): Schema => ({ type: "object", properties, required, additionalProperties: false });

/** The body of a reload. */
export const RELOAD_REQUEST = object(
  {
    version,
    timeoutSeconds: {
      type: "integer",
      minimum: RELOAD_TIMEOUT.least,
      maximum: RELOAD_TIMEOUT.most,
      default: RELOAD_TIMEOUT.default,
      description: "How long to wait at most, for the version and for the proof.",
    },
  },
  ["version"],
);

/** A request as {@link RELOAD_REQUEST} allows it. */
export interface ReloadRequest {
  readonly version: number;
  readonly timeoutSeconds?: number;
}

const component: Schema = { type: "string", enum: RELOAD_COMPONENTS };
const pendingRestart: Schema = {
  type: "array",
  items: { type: "string" },
  description: "Settings that the file has and that come into force with the next start only.",
};
const unverified: Schema = {
  type: "array",
  items: { type: "string" },
  description:
    "What of the configuration nothing was seen of, or what something else decides on than the configuration that was asked for; in words.",
};
const errors: Schema = {
  type: "array",
  items: object(
    { file: { type: "string" }, line: { type: "integer", minimum: 0 }, message: { type: "string" } },
    ["message"],
  ),
};

/** The answer to a reload that was proven. */
export const RELOAD_RESULT = object({
  component,
  requestedVersion: version,
  appliedVersion: version,
  proof: { type: "string", enum: PROOFS },
  pendingRestart,
  unverified,
  durationMs: { type: "integer", minimum: 0 },
});

/** RFC 9457. `type` and `title` of a problem that HTTP itself tells are `about:blank` and the status's words. */
export const RELOAD_PROBLEM = object(
  {
    type: { type: "string", format: "uri" },
    title: { type: "string" },
    status: { type: "integer", minimum: 400, maximum: 599 },
    detail: { type: "string" },
    component,
    requestedVersion: version,
    materialisedVersion: version,
    appliedVersion: version,
    errors,
  },
  ["type", "title", "status", "detail"],
);

const time: Schema = { type: "string", format: "date-time" };

const componentStatus = object(
  {
    materialisedVersion: version,
    notMaterialised: { type: "string", description: "Why there is no version that can be read." },
    appliedVersion: version,
    appliedSince: time,
    reloading: { type: "boolean" },
    waiting: { type: "integer", minimum: 0 },
    lastError: object({
      problem: { type: "string", enum: Object.keys(RELOAD_PROBLEMS) },
      detail: { type: "string" },
      at: time,
      errors,
    }),
  },
  ["reloading", "waiting"],
);

/** The answer to `GET /v1/status`: the components that this pod's annotations ask for. */
export const RELOAD_STATUS = object(
  Object.fromEntries(RELOAD_COMPONENTS.map((name) => [name, componentStatus])),
  [],
);
