import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { toInjectionSettings } from "../../../src/config/injection-settings.ts";
import { defaultConfig } from "../../../src/config/load.ts";
import { NAMESPACE_LABEL } from "../../../src/contract/names.ts";
import { REASONS } from "../../../src/contract/reasons.ts";
import { VERSION } from "../../../src/contract/version.ts";
import { decide } from "../../../src/injection/decide.ts";
import type { Decision } from "../../../src/injection/decision.ts";
import { serviceFacts } from "../../../src/injection/settings.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import type { ApiResponse } from "../../cluster/api-client.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { ASSUMPTIONS, loadPod, type Shape, shapes } from "../../fixtures/index.ts";
import { type Injector, startInjector } from "./injector.ts";
import { asSent, withoutRandomNames } from "./stored.ts";

/** A shape in a namespace of its own, as the API server has it without the webhook. */
interface Case {
  readonly shape: Shape;
  readonly namespace: string;
  /** As it is sent. */
  readonly pod: JsonObject;
  /** What the API server makes of it without us. */
  readonly plain: JsonObject;
  readonly decision: Decision;
  /** What the API server makes of the pod that we plan. */
  readonly planned: JsonObject;
}

let plane: ControlPlane;
let injector: Injector;
const cases = new Map<string, Case>();

before(async () => {
  plane = await startControlPlane({ audit: "Metadata" });
  for (const shape of shapes) cases.set(shape.name, await prepare(shape));
  injector = await startInjector(plane);
});
after(async () => {
  await injector?.stop();
  await plane?.stop();
});

/** Before the webhook is there: what the API server does by itself, with the pod as it is and as it is planned. */
async function prepare(shape: Shape): Promise<Case> {
  const namespace = `shape-${shape.name}`;
  const move = (object: JsonObject) => ({ ...object, metadata: { ...asObject(object.metadata), namespace } });
  const pod = move(loadPod(shape.name));
  await prepareNamespace(plane.api, namespace, { [NAMESPACE_LABEL]: "enabled" });
  const account = asString(at(pod, "spec", "serviceAccountName")) ?? "default";
  if (account !== "default") {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    await accepted(plane.api.request("POST", path, { metadata: { name: account } }));
  }
  const services = new Map<string, JsonObject>();
  for (const service of shape.services) {
    const path = `/api/v1/namespaces/${namespace}/services`;
    const created = await accepted(plane.api.request("POST", path, move(service)));
    services.set(String(at(created, "metadata", "name")), created);
  }
  const plain = await accepted(dryRun(namespace, pod));
  const decision = decideOn(asSent(plain, pod), namespace, services);
  const planned = decision.kind === "inject" ? await accepted(dryRun(namespace, decision.pod)) : plain;
  return { shape, namespace, pod, plain, decision, planned };
}

function decideOn(pod: JsonObject, namespace: string, services: ReadonlyMap<string, JsonObject>): Decision {
  const { presets, clusterDomain, nativeSidecars, apiServerAddresses } = ASSUMPTIONS;
  const config = { ...defaultConfig(), presets: [...presets], clusterDomain };
  const job = objectsIn(at(pod, "metadata", "ownerReferences")).some(({ kind }) => kind === "Job");
  return decide(
    { pod, namespace, origin: "request", job },
    toInjectionSettings(config, { ownNamespace: undefined }),
    {
      service: (_, name) => {
        const service = services.get(name);
        return service && serviceFacts(service);
      },
      nativeSidecars,
      openshift: false,
      apiServerAddresses,
      suspended: () => false,
    },
  );
}

const dryRun = (namespace: string, pod: JsonObject): Promise<ApiResponse> =>
  plane.api.request("POST", `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod);

async function accepted(answer: Promise<ApiResponse>): Promise<JsonObject> {
  const { status, body } = await answer;
  assert.equal(status, 201, JSON.stringify(body));
  return body as JsonObject;
}

const theCase = (shape: Shape): Case => cases.get(shape.name) ?? assert.fail("not prepared");

const comparable = (answered: JsonObject, { pod }: Case): JsonObject =>
  withoutRandomNames(asSent(answered, pod));

/** What our webhook left in the audit log of the newest request in the namespace. */
interface Audit {
  /** Its own annotations, without its name. */
  readonly said: Readonly<Record<string, string>>;
  /** Of each of its calls in the second round, whether it changed the pod. */
  readonly changedAgain: readonly boolean[];
}

async function auditOf(namespace: string): Promise<Audit> {
  const newest = (await plane.auditEvents()).findLast(
    ({ objectRef, verb }) =>
      verb === "create" && at(objectRef, "namespace") === namespace && at(objectRef, "resource") === "pods",
  );
  const said: Record<string, string> = {};
  const changedAgain: boolean[] = [];
  for (const [key, value] of Object.entries(asObject(newest?.annotations) ?? {})) {
    const name = /^\d+\.mutate\.patroni-injector\.io\/(.+)$/.exec(key)?.[1];
    if (name !== undefined) said[name] = String(value);
    if (key.startsWith("mutation.webhook.admission.k8s.io/round_1_")) {
      changedAgain.push(JSON.parse(String(value)).mutated);
    }
  }
  return { said, changedAgain };
}

/** What the API client is warned of: the reasons, each once. */
function warnedOf({ headers }: ApiResponse): string[] {
  const found = [...String(headers.warning ?? "").matchAll(/"patroni-injector: ([a-z-]+): /g)];
  return [...new Set(found.map(([, reason]) => String(reason)))].sort();
}

function warningsDue(decision: Decision): string[] {
  const notes = decision.notes.map(({ reason }) => reason);
  const all = decision.kind === "skip" ? [decision.reason, ...notes] : notes;
  return [...new Set(all.filter((reason) => REASONS[reason].warn))].sort();
}

/** Not sent to the webhook at all: the API server's own selection leaves them out. */
const NOT_CALLED: ReadonlySet<string> = new Set(["not-selected", "static-pod"]);

describe("every shape of a pod, through the webhook", () => {
  for (const shape of shapes) {
    test(`${shape.name}: ${shape.describes}`, async () => {
      const its = theCase(shape);
      const { decision } = its;
      assert.equal(decision.reason, shape.expect.decision);
      const answer = await dryRun(its.namespace, its.pod);
      const audit = await auditOf(its.namespace);
      if (NOT_CALLED.has(decision.reason)) assert.deepEqual(audit.said, {});
      else {
        const { version, ...said } = audit.said;
        assert.equal(version, VERSION);
        const notes = [...new Set(decision.notes.map(({ reason }) => reason))];
        assert.deepEqual(said, { decision: decision.kind, reason: decision.reason, notes: notes.join(",") });
        assert.deepEqual([...notes].sort(), shape.expect.parts);
      }
      if (decision.kind === "deny") {
        assert.equal(answer.status, 400, JSON.stringify(answer.body));
        assert.ok(
          String(at(answer.body, "message")).endsWith(
            `denied the request: ${decision.reason}: ${decision.message}`,
          ),
        );
        return;
      }

      assert.equal(answer.status, 201, JSON.stringify(answer.body));
      const stored = answer.body as JsonObject;
      assert.deepEqual(comparable(stored, its), comparable(its.planned, its));
      assert.deepEqual(warnedOf(answer), warningsDue(decision));
      assert.equal(at(stored, "status", "qosClass"), at(its.plain, "status", "qosClass"));

      const again = await accepted(dryRun(its.namespace, asSent(stored, its.pod)));
      assert.deepEqual(comparable(again, its), comparable(stored, its), "a second pass changes nothing");
      if (decision.kind === "inject") {
        assert.equal(audit.changedAgain.includes(true), false, "called again, it changes nothing");
        assert.equal((await auditOf(its.namespace)).said.reason, "already-injected");
      }
    });
  }
});

test("no dry-run kept anything", async () => {
  const { body } = await plane.api.request("GET", "/api/v1/pods");
  assert.deepEqual(objectsIn(at(body, "items")), []);
});
