import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { isObject, type Json, type JsonObject } from "../../src/json/value.ts";
import type { AuditLog } from "./audit.ts";
import { asKubeObject, parseBody } from "./decode.ts";
import { discover } from "./discovery.ts";
import type { Faults, RequestFacts, WatchFault } from "./faults.ts";
import { type Answer, contentTypeOf, ok, readBody, refusal, send } from "./http.ts";
import type { KubeObject, UserInfo } from "./objects.ts";
import { applyPatch, PATCH_CAVEATS, PATCH_TYPES, parsePatch } from "./patch.ts";
import { get, list, listJson, selectionOf } from "./read.ts";
import type { Resource } from "./resources.ts";
import { route, type Target } from "./router.ts";
import * as status from "./status.ts";
import type { Stored } from "./stored.ts";
import type { Tokens } from "./tokens.ts";
import { type Watches, watchOrder } from "./watch.ts";
import { type Backend, create, remove, update, type WriteRequest } from "./write.ts";

/** What answering needs. */
export interface Services extends Backend {
  readonly tokens: Tokens;
  readonly faults: Faults;
  readonly watches: Watches;
  readonly audit: AuditLog;
}

const HEALTH: ReadonlySet<string> = new Set(["/livez", "/readyz", "/healthz"]);

/** Answers one HTTP request. Never rejects. */
export async function handle(
  services: Services,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // The host is not looked at; a URL only needs one.
  const url = new URL(request.url ?? "/", "https://embedded");
  if (HEALTH.has(url.pathname)) {
    response.writeHead(200, { "content-type": "text/plain; charset=utf-8" }).end("ok");
    return;
  }
  try {
    const user = services.tokens.authenticate(request.headers.authorization);
    const discovered = request.method === "GET" ? discover(url.pathname, services.table) : undefined;
    if (user === undefined && url.pathname !== "/version") throw status.unauthorized();
    if (discovered !== undefined || user === undefined) send(response, ok(discovered ?? {}), []);
    else await handleResource(services, { request, response, url, user });
  } catch (error) {
    send(response, refusalOf(error), []);
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly user: UserInfo;
}

/** Routes, lets faults strike, answers, and writes the audit entry. */
async function handleResource(services: Services, exchange: Exchange): Promise<void> {
  const { request, response, url, user } = exchange;
  const target = route(request.method ?? "GET", url, services.table);
  const facts = factsOf(target, user);
  const report: WriteRequest["report"] = { warnings: [], annotations: {} };
  const audit = (code: number) => {
    const dryRun = url.searchParams.get("dryRun") === "All";
    services.audit.add({ ...facts, time: Date.now(), dryRun, code, annotations: report.annotations });
  };

  let losesAnswer = false;
  let watchFault: WatchFault | undefined;
  for (const fault of services.faults.strike(facts)) {
    switch (fault.kind) {
      case "latency":
        await sleep(fault.ms);
        break;
      case "status":
        audit(fault.status);
        send(response, refusal(status.generic(fault.status, "an ordered fault", fault.retryAfter)), []);
        return;
      case "drop":
        audit(0);
        request.socket.destroy();
        return;
      case "hang":
        audit(0);
        return;
      case "drop-after-write":
        losesAnswer = true;
        break;
      case "watch-silent":
      case "watch-gone":
        watchFault = fault.kind;
    }
  }

  if (target.verb === "watch") {
    const order = watchOrder(target, url.searchParams);
    audit(200);
    services.watches.open(order, facts, watchFault, response);
    return;
  }
  const answer = await answerTo(services, exchange, target, report).catch(refusalOf);
  audit(losesAnswer ? 0 : answer.code);
  if (losesAnswer) request.socket.destroy();
  else send(response, answer, report.warnings);
}

function factsOf(
  { verb, resource, subresource, namespace = "", name }: Target,
  user: UserInfo,
): RequestFacts {
  const path = subresource === "" ? resource.id : `${resource.id}/${subresource}`;
  return { verb, resource: path, namespace, name, user: user.username };
}

/** @throws StatusError */
async function answerTo(
  services: Services,
  { request, url, user }: Exchange,
  target: Target,
  report: WriteRequest["report"],
): Promise<Answer> {
  const { store } = services;
  const { resource } = target;
  const query = url.searchParams;
  const order: WriteRequest = {
    target,
    user,
    dryRun: dryRunOf(query.getAll("dryRun"), OPTIONS_KINDS[target.verb] ?? ""),
    options: optionsOf(query),
    report,
  };
  switch (target.verb) {
    case "get":
      return answer(get(store, target));
    case "list":
    case "watch":
      return { code: 200, body: list(store, target, query) };
    case "create": {
      const object = asKubeObject(parseBody(contentTypeOf(request), await readBody(request)), resource);
      if (resource.virtual) return ok(reviewed(object), 201);
      const { state } = await create(services, order, object);
      return answer(state, 201);
    }
    case "update": {
      const object = asKubeObject(parseBody(contentTypeOf(request), await readBody(request)), resource);
      const { state, created } = await update(services, order, {
        change: () => object,
        create: resource.createOnUpdate ? () => object : undefined,
        uid: object.metadata.uid,
      });
      return answer(state, created ? 201 : 200);
    }
    case "patch":
      return patch(services, request, order);
    case "delete": {
      const options = deleteOptions(await readBody(request), query);
      const dryRun = dryRunOf(Array.isArray(options.dryRun) ? options.dryRun : [], "DeleteOptions");
      const { state, gone } = await remove(services, { ...order, dryRun, options }, options);
      if (resource.answersDeleted || !gone) return answer(state);
      return ok(status.success(deletedDetails(resource, state)));
    }
    case "deletecollection": {
      const options = deleteOptions(await readBody(request), query);
      const dryRun = dryRunOf(Array.isArray(options.dryRun) ? options.dryRun : [], "DeleteOptions");
      const selection = selectionOf(query, resource);
      const chosen = store
        .list(resource.id, target.namespace)
        .filter(({ object }) => selection.matches(object));
      for (const { object } of chosen) {
        const one = { ...target, name: object.metadata.name ?? "" };
        await remove(services, { ...order, target: one, dryRun, options }, options);
      }
      return { code: 200, body: listJson(resource, { resourceVersion: String(store.revision) }, chosen) };
    }
  }
}

/** @throws StatusError */
async function patch(services: Services, request: IncomingMessage, order: WriteRequest): Promise<Answer> {
  const { resource, name } = order.target;
  const kind = PATCH_TYPES[contentTypeOf(request)];
  if (kind === undefined || (kind === "strategic" && resource.custom)) {
    const known = Object.keys(PATCH_TYPES);
    throw status.unsupportedMediaType(
      resource.custom ? known.filter((type) => PATCH_TYPES[type] !== "strategic") : known,
    );
  }
  if (kind === "apply" && order.options.fieldManager === undefined) {
    const text = "Required value: is required for apply patch";
    throw status.invalid("PatchOptions", "meta.k8s.io", "", "fieldManager", "FieldValueRequired", text);
  }
  const change = parsePatch(kind, await readBody(request));
  const caveat = PATCH_CAVEATS[kind];
  if (caveat !== undefined) order.report.warnings.push(caveat);
  const applied = (): KubeObject => {
    const object = asKubeObject(change as Json, resource);
    const { uid } = object.metadata;
    if (uid !== undefined) {
      const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
      throw status.conflict(resource, name, why);
    }
    return { ...object, metadata: { ...object.metadata, name: object.metadata.name ?? name } };
  };
  const { state, created } = await update(services, order, {
    change: (existing) => asKubeObject(applyPatch(existing, change), resource),
    create: kind === "apply" ? applied : undefined,
    uid: undefined,
  });
  return answer(state, created ? 201 : 200);
}

const answer = (state: Stored, code = 200): Answer => ({ code, body: state.json });

/** RBAC is not imitated: everyone may do everything, and the answer says that nothing was looked at. */
const reviewed = (object: KubeObject): KubeObject => ({
  ...object,
  status: { allowed: true, reason: "embedded API: RBAC is not imitated, every request is allowed" },
});

function deletedDetails({ group, plural }: Resource, { object }: Stored): JsonObject {
  const { name = "", uid = "" } = object.metadata;
  return { name, ...(group === "" ? {} : { group }), kind: plural, uid };
}

/** @throws StatusError 422 */
function dryRunOf(values: readonly Json[], optionsKind: string): boolean {
  if (values.every((value) => value === "All")) return values.length > 0;
  const text = `Unsupported value: ${JSON.stringify(values)}: supported values: "All"`;
  throw status.invalid(optionsKind, "meta.k8s.io", "", "dryRun", "FieldValueNotSupported", text);
}

/** Those of a delete may also come in the body. */
const OPTIONS_KINDS: Readonly<Partial<Record<Target["verb"], string>>> = {
  create: "CreateOptions",
  update: "UpdateOptions",
  patch: "PatchOptions",
  delete: "DeleteOptions",
  deletecollection: "DeleteOptions",
};

const OPTIONS = ["fieldManager", "fieldValidation"];

function optionsOf(query: URLSearchParams): JsonObject {
  const given = OPTIONS.map((option) => [option, query.get(option)] as const).filter(
    ([, value]) => value !== null,
  );
  const dryRun = query.getAll("dryRun");
  return { ...Object.fromEntries(given), ...(dryRun.length > 0 ? { dryRun } : {}) };
}

/** `DeleteOptions` from the body or, without one, from the query. */
function deleteOptions(body: string, query: URLSearchParams): JsonObject {
  if (body !== "") {
    const options = parseBody("application/json", body);
    if (!isObject(options)) throw status.badRequest("decoded object cannot be converted to DeleteOptions");
    const { kind: _kind, apiVersion: _apiVersion, ...fields } = options;
    return fields;
  }
  const grace = query.get("gracePeriodSeconds");
  const dryRun = query.getAll("dryRun");
  return {
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(dryRun.length > 0 ? { dryRun } : {}),
  };
}

function refusalOf(error: unknown): Answer {
  if (error instanceof status.StatusError) return refusal(error);
  return refusal(status.untranslated(error instanceof Error ? error.message : String(error)));
}
