import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { REASONS } from "../../../src/contract/reasons.ts";
import { VERSION } from "../../../src/contract/version.ts";
import type { Decision } from "../../../src/injection/decision.ts";
import { asObject, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import type { ApiResponse } from "../../cluster/api-client.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { type Shape, shapes } from "../../fixtures/index.ts";
import { type Injector, startInjector } from "./injector.ts";
import { accepted, dryRun, type PreparedShape, prepareShape } from "./prepared-shapes.ts";
import { asSent, withoutRandomNames } from "./stored.ts";

let plane: ControlPlane;
let injector: Injector;
const cases = new Map<string, PreparedShape>();

before(async () => {
  plane = await startControlPlane({ audit: "Metadata" });
  for (const shape of shapes) cases.set(shape.name, await prepareShape(plane.api, shape));
  injector = await startInjector(plane);
});
after(async () => {
  await injector?.stop();
  await plane?.stop();
});

const prepared = (shape: Shape): PreparedShape => cases.get(shape.name) ?? assert.fail("not prepared");

const comparable = (answered: JsonObject, { pod }: PreparedShape): JsonObject =>
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
    const name = /^(?:poolers-)?\d+\.mutate\.patroni-injector\.io\/(.+)$/.exec(key)?.[1];
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
      const its = prepared(shape);
      const { decision } = its;
      assert.equal(decision.reason, shape.expect.decision);
      const answer = await dryRun(plane.api, its.namespace, its.pod);
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

      const again = await accepted(dryRun(plane.api, its.namespace, asSent(stored, its.pod)));
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
