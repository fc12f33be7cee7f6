import type { IncomingMessage, ServerResponse } from "node:http";
import type { Report } from "./admission.ts";
import { answerTo } from "./answers.ts";
import type { AuditLog } from "./audit.ts";
import { discover } from "./discovery.ts";
import { fateOf } from "./fate.ts";
import type { Faults, RequestFacts, WatchFault } from "./faults.ts";
import { type Answer, contentTypeOf, ok, plain, readBody, refusal, send } from "./http.ts";
import type { UserInfo } from "./objects.ts";
import { restsOn } from "./rests-on.ts";
import { route, type Target } from "./router.ts";
import { StatusError, unauthorized, untranslated } from "./status.ts";
import type { Tokens } from "./tokens.ts";
import { watchOrder } from "./watch-stream.ts";
import type { Watches } from "./watches.ts";
import type { Backend } from "./write.ts";

/** What answering needs. */
export interface Services extends Backend {
  readonly tokens: Tokens;
  readonly faults: Faults;
  readonly watches: Watches;
  readonly audit: AuditLog;
}

const HEALTH: ReadonlySet<string> = new Set(["/livez", "/readyz", "/healthz"]);

const WRITES: ReadonlySet<string> = new Set(["create", "update", "patch", "delete"]);

const ANONYMOUS: UserInfo = { username: "system:anonymous", groups: ["system:unauthenticated"] };

/** Answers one HTTP request. Never rejects. */
export async function handle(
  services: Services,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // The host is not looked at; a URL only needs one.
  const url = new URL(request.url ?? "/", "https://embedded");
  try {
    const known = services.tokens.authenticate(request.headers.authorization);
    if (known === undefined && !HEALTH.has(url.pathname) && url.pathname !== "/version") throw unauthorized();
    await serve(services, { request, response, url, user: known ?? ANONYMOUS });
  } catch (error) {
    if (response.headersSent) response.destroy();
    else send(response, refusalOf(error), []);
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly user: UserInfo;
}

/** What a request is about: a path of its own, or a resource. */
type Subject =
  | { readonly kind: "path"; readonly path: string; readonly answer: Answer }
  | { readonly kind: "resource"; readonly target: Target };

/** Lets faults strike, answers, and writes the audit entry. */
async function serve(services: Services, exchange: Exchange): Promise<void> {
  const { request, response, url, user } = exchange;
  const subject = subjectOf(services, request.method ?? "GET", url);
  const facts = factsOf(subject, user);
  const report: Report = { warnings: [], annotations: {} };
  const audit = (code: number) => {
    const dryRun = url.searchParams.get("dryRun") === "All";
    const { annotations, name = facts.name, restsOn } = report;
    services.audit.add({ ...facts, name, time: Date.now(), dryRun, code, restsOn, annotations });
  };

  const fate = await fateOf(services.faults.strike(facts));
  if (fate.kind === "answered") {
    audit(fate.answer.code);
    send(response, fate.answer, []);
  } else if (fate.kind !== "goes-on") {
    audit(0);
    if (fate.kind === "cut") request.socket.destroy();
  } else {
    const order = { subject, facts, report, watchFault: fate.watchFault };
    const answer = await carryOut(services, exchange, order).catch(refusalOf);
    audit(fate.losesAnswer ? 0 : (answer?.code ?? 200));
    if (fate.losesAnswer) request.socket.destroy();
    else if (answer !== undefined) send(response, answer, report.warnings);
  }
}

function subjectOf({ table }: Services, method: string, url: URL): Subject {
  const path = url.pathname;
  const discovered = method === "GET" ? discover(path, table) : undefined;
  if (HEALTH.has(path)) return { kind: "path", path, answer: plain("ok") };
  if (discovered !== undefined) return { kind: "path", path, answer: ok(discovered) };
  return { kind: "resource", target: route(method, url, table) };
}

interface Order {
  readonly subject: Subject;
  readonly facts: RequestFacts;
  readonly report: Report;
  readonly watchFault: WatchFault | undefined;
}

/** @returns undefined where the answer is a stream, which is open now */
async function carryOut(
  services: Services,
  { request, response, url, user }: Exchange,
  { subject, facts, report, watchFault }: Order,
): Promise<Answer | undefined> {
  if (subject.kind === "path") return subject.answer;
  const { target } = subject;
  if (target.verb === "watch") {
    services.watches.open(watchOrder(target, url.searchParams), facts, watchFault, response);
    return undefined;
  }
  const body = await readBody(request);
  if (WRITES.has(target.verb)) report.restsOn = restsOn(body);
  const contentType = contentTypeOf(request);
  return answerTo(services, { target, user, query: url.searchParams, contentType, body, report });
}

/** A path of its own is its own resource. */
function factsOf(subject: Subject, { username: user }: UserInfo): RequestFacts {
  if (subject.kind === "path") {
    return { verb: "get", resource: subject.path, namespace: "", name: "", user };
  }
  const { verb, resource, subresource, namespace = "", name } = subject.target;
  const part = subresource === "" ? resource.id : `${resource.id}/${subresource}`;
  return { verb, resource: part, namespace, name, user };
}

function refusalOf(error: unknown): Answer {
  if (error instanceof StatusError) return refusal(error);
  return refusal(untranslated(error instanceof Error ? error.message : String(error)));
}
