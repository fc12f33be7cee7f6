import {
  RELOAD_AUDIENCE,
  RELOAD_COMPONENTS,
  RELOAD_OPENAPI_PATH,
  RELOAD_PROBLEMS,
  RELOAD_STATUS_PATH,
  type ReloadProblem,
  reloadPath,
} from "../../../contract/reload.ts";
import {
  RELOAD_PROBLEM,
  RELOAD_REQUEST,
  RELOAD_RESULT,
  RELOAD_STATUS,
} from "../../../contract/reload-schemas.ts";
import { VERSION } from "../../../contract/version.ts";

const schema = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (name: string) => ({ "application/json": { schema: schema(name) } });
const problem = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: schema("Problem") } },
});

const NAMES: Readonly<Record<(typeof RELOAD_COMPONENTS)[number], string>> = {
  postgres: "PostgreSQL",
  pgbouncer: "PgBouncer",
};

/** The OpenAPI document, of the same schemas that requests are held to. */
export function openapi(): object {
  return {
    openapi: "3.1.0",
    info: {
      title: "Reload API of a pod",
      version: VERSION,
      description: "Says that this pod runs a version of its configuration, and proves it.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ serviceAccount: [] }],
    paths: {
      ...Object.fromEntries(
        RELOAD_COMPONENTS.map((component) => [reloadPath(component), reloadItem(component)]),
      ),
      [RELOAD_STATUS_PATH]: {
        get: {
          operationId: "getStatus",
          summary: "What each component runs",
          responses: {
            200: {
              description: "The components that this pod's annotations ask for.",
              content: json("Status"),
            },
            ...whoMay,
          },
        },
      },
      [RELOAD_OPENAPI_PATH]: {
        get: {
          operationId: "getOpenapi",
          summary: "This document",
          responses: {
            200: {
              description: "OpenAPI 3.1.",
              content: { "application/json": { schema: { type: "object" } } },
            },
            ...whoMay,
          },
        },
      },
    },
    components: {
      schemas: {
        Request: RELOAD_REQUEST,
        Result: RELOAD_RESULT,
        Problem: RELOAD_PROBLEM,
        Status: RELOAD_STATUS,
      },
      securitySchemes: {
        serviceAccount: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: `A ServiceAccount token for the audience \`${RELOAD_AUDIENCE}\`.`,
        },
      },
    },
  };
}

const PROBLEMS = Object.keys(RELOAD_PROBLEMS) as ReloadProblem[];

/** One response for each status; several problems may share one. */
const responsesOf = (problems: readonly ReloadProblem[]) =>
  Object.fromEntries(
    [...new Set(problems.map((name) => RELOAD_PROBLEMS[name].status))].map((status) => {
      const here = problems.filter((name) => RELOAD_PROBLEMS[name].status === status);
      return [status, problem(here.map((name) => `\`${name}\`: ${RELOAD_PROBLEMS[name].means}`).join(" "))];
    }),
  );

const whoMay = responsesOf(["unauthenticated", "forbidden"]);

function reloadItem(component: (typeof RELOAD_COMPONENTS)[number]) {
  return {
    post: {
      operationId: `reload${NAMES[component]}`,
      summary: `Waits until ${NAMES[component]}'s configuration is at a version or past it, reloads, and proves it`,
      requestBody: { required: true, content: json("Request") },
      responses: {
        200: { description: "Proven.", content: json("Result") },
        ...responsesOf(PROBLEMS),
        404: problem("This pod's annotations do not ask for this component."),
        413: problem("The body is too large."),
        415: problem("The body is no `application/json`."),
      },
    },
  };
}
