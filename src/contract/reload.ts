import { DOMAIN } from "./names.ts";

/** The pod-local reload API: its names, bounds and problems. Stable once shipped. */

export const RELOAD_COMPONENTS = ["postgres", "pgbouncer"] as const;
export type ReloadComponent = (typeof RELOAD_COMPONENTS)[number];

/** The audience that a caller's ServiceAccount token must be for. */
export const RELOAD_AUDIENCE = "patroni-injector";

/** The file with the version, in the same volume as the configuration. */
export const VERSION_FILE = "version";

/** The setting that carries the version of a configuration in Patroni's DCS. */
export const VERSION_SETTING = "patroni_injector.config_version";

export const reloadPath = (component: ReloadComponent): string => `/v1/${component}/reload`;
export const RELOAD_STATUS_PATH = "/v1/status";
export const RELOAD_OPENAPI_PATH = "/v1/openapi.json";

/** Seconds that a call may wait. */
export const RELOAD_TIMEOUT = { least: 1, most: 300, default: 60 } as const;

/**
 * How it was proven that a configuration is loaded:
 * `marker`: PostgreSQL shows the version itself, in {@link VERSION_SETTING}; `load-time`: PostgreSQL loaded its files after the
 * reload was asked for, and found no fault in them; `console`: PgBouncer shows the settings, databases and users of its files;
 * `signalled`: PgBouncer was sent a SIGHUP, and nothing more is known.
 */
export const PROOFS = ["marker", "load-time", "console", "signalled"] as const;
export type Proof = (typeof PROOFS)[number];

interface ProblemEntry {
  readonly status: number;
  readonly title: string;
  readonly means: string;
}

/** The problems (RFC 9457) that the API answers with. */
export const RELOAD_PROBLEMS = {
  "invalid-request": {
    status: 400,
    title: "The request is not as it must be",
    means: "The body, its size or its type is not allowed; the detail says what is.",
  },
  unauthenticated: {
    status: 401,
    title: "No valid token",
    means: `There is no ServiceAccount token, or it is not one of this cluster for the audience \`${RELOAD_AUDIENCE}\`, or it has expired.`,
  },
  forbidden: {
    status: 403,
    title: "Not on the allow-list",
    means: "The token is valid, and its ServiceAccount may not reload this pod.",
  },
  "version-superseded": {
    status: 409,
    title: "The version was replaced by a lower one",
    means: "The version was in the pod, and a lower one is there now. Versions only grow: use a new one.",
  },
  "configuration-invalid": {
    status: 422,
    title: "The configuration is faulty",
    means:
      "The component found faults in the files, or does not show what they say, or Patroni does not take a parameter of its DCS; `errors` tells file, line and message.",
  },
  busy: {
    status: 429,
    title: "Too much is going on",
    means: "Too many calls wait already, or a reload of another version has not ended in time.",
  },
  "reload-rejected": {
    status: 502,
    title: "The reload was refused",
    means: "Patroni or PgBouncer refused, or did not answer; the detail holds its words.",
  },
  "reload-unproven": {
    status: 502,
    title: "Nothing proves that the configuration is loaded",
    means:
      "The reload was asked for, and within its time nothing showed that it happened; `appliedVersion` stays as it was.",
  },
  "version-not-materialised": {
    status: 504,
    title: "The version did not arrive",
    means: "The version was not in the pod within the time given; `materialisedVersion` is what is there.",
  },
} as const satisfies Record<string, ProblemEntry>;

export type ReloadProblem = keyof typeof RELOAD_PROBLEMS;

/** The `type` of a problem: a name, not a page. */
export const problemType = (problem: ReloadProblem): string => `https://${DOMAIN}/problems/${problem}`;
