import type { ApiAnswer } from "./kube-api.ts";

/** One object at the API server, by name. */
export interface ApiObject {
  /** `/api/v1` or `/apis/<group>/<version>`. */
  readonly prefix: string;
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

export const collectionPath = ({ prefix, resource, namespace }: ApiObject): string =>
  `${prefix}/namespaces/${encodeURIComponent(namespace)}/${resource}`;

export const objectPath = (object: ApiObject): string =>
  `${collectionPath(object)}/${encodeURIComponent(object.name)}`;

/** An answer that refused, or that did not come, as an error that says what was wanted and what is missing. */
export class ApiProblem extends Error {
  /** HTTP status; 0 is no answer. */
  readonly code: number;
  readonly retryAfterMs: number;

  constructor(verb: string, object: ApiObject, { code, problem, retryAfterMs }: ApiAnswer) {
    super(inWords(verb, `${object.resource} ${object.namespace}/${object.name}`, code, problem));
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

function inWords(verb: string, what: string, code: number, problem: string): string {
  if (code === 403)
    return `permission missing: this pod's ServiceAccount may not ${verb} ${what} (${problem})`;
  if (code === 401)
    return `cannot ${verb} ${what}: the API server does not accept this pod's token (${problem})`;
  return `cannot ${verb} ${what}: ${code === 0 ? "no answer" : code} (${problem})`;
}
