import { STATUS_CODES } from "node:http";
import {
  problemType,
  RELOAD_PROBLEMS,
  type ReloadComponent,
  type ReloadProblem,
} from "../../../contract/reload.ts";
import type { ComponentStatus, ReloadAnswer } from "../component.ts";

/** An answer of the API, before it is written. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

const PROBLEM_TYPE = "application/problem+json";

export const jsonAnswer = (body: object): HttpAnswer => ({
  status: 200,
  headers: { "content-type": "application/json" },
  body,
});

/** Further headers that a status asks for (RFC 9110). */
const HEADERS: Partial<Record<ReloadProblem, Readonly<Record<string, string>>>> = {
  unauthenticated: { "www-authenticate": "Bearer" },
  busy: { "retry-after": "5" },
};

export function problemAnswer(problem: ReloadProblem, detail: string, more: object = {}): HttpAnswer {
  const { status, title } = RELOAD_PROBLEMS[problem];
  return {
    status,
    headers: { "content-type": PROBLEM_TYPE, ...HEADERS[problem] },
    body: { type: problemType(problem), title, status, detail, ...more },
  };
}

/** What HTTP itself knows (RFC 9457, 4.2.1). */
export function plainProblem(
  status: 404 | 405 | 413 | 415,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  return {
    status,
    headers: { "content-type": PROBLEM_TYPE, ...headers },
    body: { type: "about:blank", title: STATUS_CODES[status], status, detail },
  };
}

/** The answer to a reload. */
export function reloadAnswer(
  answer: ReloadAnswer,
  component: ReloadComponent,
  requestedVersion: number,
  { applied, reading }: Pick<ComponentStatus, "applied" | "reading">,
  tookMs: number,
): HttpAnswer {
  const facts = {
    component,
    requestedVersion,
    ...(reading.kind === "version" && { materialisedVersion: reading.version }),
    ...(applied !== undefined && { appliedVersion: applied }),
  };
  const problem = (kind: ReloadProblem, detail: string, more: object = {}): HttpAnswer =>
    problemAnswer(kind, detail, { ...facts, ...more });
  switch (answer.kind) {
    case "applied":
      return jsonAnswer({
        component,
        requestedVersion,
        appliedVersion: answer.version,
        ...answer.success,
        durationMs: Math.round(tookMs),
      });
    case "failed": {
      const { errors, problem: kind, detail } = answer.failure;
      return problem(kind, detail, errors.length === 0 ? {} : { errors });
    }
    case "not-materialised": {
      const there =
        reading.kind === "version" ? `version ${reading.version} is` : `there is none: ${reading.why}`;
      return problem(
        "version-not-materialised",
        `version ${requestedVersion} was not in the pod in time; ${there}`,
      );
    }
    case "superseded":
      return problem(
        "version-superseded",
        `version ${answer.highest} was in the pod, and gave way to version ${answer.materialised}`,
      );
    case "busy":
      return problem(
        "busy",
        answer.running === undefined
          ? "too many calls wait already"
          : `a reload of version ${answer.running} is still running`,
      );
    case "late":
      return problem("reload-unproven", "the reload has not ended within the time of this call");
  }
}

/** A component in the answer to `GET /v1/status`. */
export function statusOf({
  reading,
  applied,
  appliedAt,
  failure,
  failedAt,
  reloading,
  waiting,
}: ComponentStatus) {
  return {
    ...(reading.kind === "version"
      ? { materialisedVersion: reading.version }
      : { notMaterialised: reading.why }),
    ...(applied !== undefined && { appliedVersion: applied, appliedSince: appliedAt?.toISOString() }),
    reloading,
    waiting,
    ...(failure !== undefined && {
      lastError: {
        problem: failure.problem,
        detail: failure.detail,
        at: failedAt?.toISOString(),
        errors: failure.errors,
      },
    }),
  };
}
