import { apiVersionOf } from "./decode.ts";
import type { KubeObject } from "./objects.ts";
import type { Resource } from "./resource.ts";
import type { Target } from "./router.ts";
import { fieldSelector, labelSelector } from "./selectors.ts";
import * as status from "./status.ts";
import type { Store } from "./store.ts";
import type { Stored } from "./stored.ts";

/** The selectors of a query. */
export interface Selection {
  readonly matches: (object: KubeObject) => boolean;
  /** No selector was given. */
  readonly everything: boolean;
}

/** @throws StatusError 400 */
export function selectionOf(query: URLSearchParams, resource: Resource): Selection {
  const [labels, fields] = [query.get("labelSelector") ?? "", query.get("fieldSelector") ?? ""];
  const byLabels = labelSelector(labels);
  const byFields = fieldSelector(fields, resource.selectableFields);
  return {
    matches: (object) => byLabels(object.metadata.labels ?? {}) && byFields(object),
    everything: labels === "" && fields === "",
  };
}

/** @throws StatusError 404 */
export function get(store: Store, { resource, namespace, name }: Target): Stored {
  const found = store.get(resource.id, namespace ?? "", name);
  if (found === undefined) throw status.notFound(resource, name);
  return found;
}

/** A page ends before `start`; the next one shows the state of the same revision. */
interface Continuation {
  readonly revision: number;
  readonly start: string;
}

/**
 * A list as JSON, in pages where `limit` asks for them. The resourceVersion of the query is not looked at: the
 * answer is always the newest state, which every value but an exact match allows.
 * @throws StatusError 400, and 410 for a page of a state that is forgotten
 */
export function list(store: Store, { resource, namespace }: Target, query: URLSearchParams): string {
  const selection = selectionOf(query, resource);
  const page = parseContinuation(query.get("continue") ?? "");
  const revision = page?.revision ?? store.revision;
  const state =
    page === undefined ? store.list(resource.id, namespace) : store.listAt(revision, resource.id, namespace);
  if (state === undefined) {
    throw status.expired(
      "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.",
    );
  }
  const rest = page === undefined ? state : state.filter(({ key }) => key >= page.start);
  const chosen = selection.everything ? rest : rest.filter(({ object }) => selection.matches(object));
  const limit = Number(query.get("limit") ?? 0) || chosen.length;
  const next = chosen[limit];
  const metadata = {
    resourceVersion: String(revision),
    ...(next === undefined ? {} : { continue: formatContinuation({ revision, start: next.key }) }),
    ...(next === undefined || !selection.everything ? {} : { remainingItemCount: chosen.length - limit }),
  };
  return listJson(resource, metadata, chosen.slice(0, limit));
}

/** Items of built-in kinds come without `kind` and `apiVersion`, as the real ones do. */
export function listJson(resource: Resource, metadata: object, items: readonly Stored[]): string {
  const texts = items.map((item) => (resource.custom ? item.json : item.itemJson));
  const head = { kind: `${resource.kind}List`, apiVersion: apiVersionOf(resource), metadata };
  return `${JSON.stringify(head).slice(0, -1)},"items":[${texts.join(",")}]}`;
}

const formatContinuation = (page: Continuation): string =>
  Buffer.from(JSON.stringify(page)).toString("base64url");

function parseContinuation(token: string): Continuation | undefined {
  if (token === "") return undefined;
  try {
    const { revision, start } = JSON.parse(Buffer.from(token, "base64url").toString());
    if (typeof revision === "number" && typeof start === "string") return { revision, start };
  } catch {
    // Falls through to the refusal.
  }
  throw status.badRequest("continue key is not valid: not a token of this server");
}
