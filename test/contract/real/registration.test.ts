import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import { bundleHolds } from "../../../src/certificates/bundle.ts";
import { issueAuthority } from "../../../src/certificates/issue.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { connect, type KubeConnection } from "../../../src/kube/connection.ts";
import { type Registration, registerWebhooks } from "../../../src/kube/registration.ts";
import type { RegistrationMode } from "../../../src/kube/webhook-configuration.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { eventually } from "../suite/eventually.ts";

const NAME = "00-patroni-injector";
const PATH = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${NAME}`;
const APPLY = { "content-type": "application/apply-patch+yaml" };
const US = "patroni-injector";

let plane: ControlPlane;
let connection: KubeConnection;
let [own, other] = ["", ""];
const running: Registration[] = [];

before(async () => {
  plane = await startControlPlane();
  connection = connect(plane.kubeconfig.path);
  const validity = { from: new Date(), days: 1 };
  own = (await issueAuthority("one", validity)).certPem;
  other = (await issueAuthority("other", validity)).certPem;
});
after(() => plane?.stop());
beforeEach(() => plane.api.request("DELETE", PATH));
afterEach(async () => {
  await Promise.all(running.splice(0).map((registration) => registration.stop()));
});

const base64 = (pem: string) => Buffer.from(pem).toString("base64");

function configuration(names: readonly string[], pem?: string, more: JsonObject = {}): JsonObject {
  const webhooks = names.map((name) => ({
    name: `${name}.patroni-injector.io`,
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
    failurePolicy: "Ignore",
    clientConfig: {
      url: "https://127.0.0.1:1/mutate",
      ...(pem === undefined ? {} : { caBundle: base64(pem) }),
    },
    ...more,
  }));
  const type = { apiVersion: "admissionregistration.k8s.io/v1", kind: "MutatingWebhookConfiguration" };
  return { ...type, metadata: { name: NAME }, webhooks };
}

async function register(mode: RegistrationMode, desired: JsonObject): Promise<Registration> {
  const logger = pino({ level: "silent" });
  const times = { calmMs: 100 };
  const registration = registerWebhooks(connection, desired, { mode, logger, times });
  running.push(registration);
  await eventually("registered", async () => registration.registered());
  return registration;
}

/** As a chart does: by server-side apply, and not by force. */
async function applyAs(manager: string, object: JsonObject): Promise<void> {
  const { status, body } = await plane.api.request("PATCH", `${PATH}?fieldManager=${manager}`, object, APPLY);
  assert.ok(status < 300, JSON.stringify(body));
}

const live = async (): Promise<JsonObject> => (await plane.api.request("GET", PATH)).body as JsonObject;
const entries = async () => objectsIn((await live()).webhooks);
const bundleIn = (entry: JsonObject | undefined) =>
  Buffer.from(asString(at(entry, "clientConfig", "caBundle")) ?? "", "base64").toString();

/** The fields that a manager owns, as paths without the `f:`; keys of lists as they are. */
async function ownedBy(manager: string, operation: string): Promise<string[]> {
  const pathsIn = (fields: unknown, path: string): string[] => {
    const inner = Object.entries(asObject(fields) ?? {}).filter(([key]) => key !== ".");
    if (inner.length === 0) return [path];
    return inner.flatMap(([key, value]) => pathsIn(value, `${path}/${key.replace(/^f:/, "")}`));
  };
  const managed = objectsIn(at(await live(), "metadata", "managedFields"));
  return managed
    .filter((entry) => entry.manager === manager && entry.operation === operation)
    .flatMap(({ fieldsV1 }) => pathsIn(fieldsV1, ""))
    .sort();
}

describe("of a configuration that a chart made, only the caBundle is ours", () => {
  const chart = (names: readonly string[], more?: JsonObject) => configuration(names, undefined, more);

  test("we own it and nothing else, and the chart what it wrote", async () => {
    await applyAs("helm", chart(["a", "b"]));
    const before = await ownedBy("helm", "Apply");
    await register("caBundle", configuration(["x"], own));
    assert.deepEqual(await ownedBy(US, "Apply"), []);
    assert.deepEqual(await ownedBy(US, "Update"), [
      '/webhooks/k:{"name":"a.patroni-injector.io"}/clientConfig/caBundle',
      '/webhooks/k:{"name":"b.patroni-injector.io"}/clientConfig/caBundle',
    ]);
    assert.deepEqual(await ownedBy("helm", "Apply"), before);
    for (const entry of await entries()) assert.ok(bundleHolds(bundleIn(entry), own));
  });

  test("a later release of the chart keeps it, and may drop and add entries", async () => {
    await applyAs("helm", chart(["a", "b"]));
    await register("caBundle", configuration(["x"], own));
    await applyAs("helm", chart(["b", "c"], { timeoutSeconds: 3 }));
    await eventually("the new entry has it too", async () =>
      (await entries()).every((entry) => bundleHolds(bundleIn(entry), own)),
    );
    const now = (await entries()).map(({ name, timeoutSeconds }) => [name, timeoutSeconds]);
    assert.deepEqual(now, [
      ["b.patroni-injector.io", 3],
      ["c.patroni-injector.io", 3],
    ]);
  });

  test("the authority of another process stays beside ours", async () => {
    await applyAs("helm", chart(["a"]));
    await register("caBundle", configuration(["x"], other));
    await Promise.all(running.splice(0).map((registration) => registration.stop()));
    await register("caBundle", configuration(["x"], own));
    const [entry] = await entries();
    assert.ok(bundleHolds(bundleIn(entry), own));
    assert.ok(bundleHolds(bundleIn(entry), other));
  });

  test("without a configuration nothing is made, and one that comes is seen to", async () => {
    const logger = pino({ level: "silent" });
    const registration = registerWebhooks(connection, configuration(["x"], own), {
      mode: "caBundle",
      logger,
    });
    running.push(registration);
    await delay(300);
    assert.equal((await plane.api.request("GET", PATH)).status, 404);
    await applyAs("helm", chart(["a"]));
    await eventually("registered", async () => registration.registered());
  });
});

describe("a configuration that is ours as a whole", () => {
  test("we own what we name, by apply; what others add stays theirs", async () => {
    await register("full", configuration(["a"], own));
    const labels = { metadata: { labels: { team: "data" } } };
    const merge = { "content-type": "application/merge-patch+json" };
    await plane.api.request("PATCH", `${PATH}?fieldManager=somebody`, labels, merge);
    const ours = await ownedBy(US, "Apply");
    const entry = '/webhooks/k:{"name":"a.patroni-injector.io"}';
    for (const field of ["clientConfig/caBundle", "clientConfig/url", "failurePolicy", "name"]) {
      assert.ok(ours.includes(`${entry}/${field}`), field);
    }
    assert.ok(
      ours.every((path) => path.startsWith(entry)),
      ours.join(" "),
    );
    assert.deepEqual(await ownedBy("somebody", "Update"), ["/metadata/labels/team"]);
  });

  test("what somebody changes is taken back, and what we no longer want goes", async () => {
    const registration = await register("full", configuration(["a", "b"], own));
    const patch = [{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Fail" }];
    const json = { "content-type": "application/json-patch+json" };
    await plane.api.request("PATCH", `${PATH}?fieldManager=somebody`, patch, json);
    await eventually("repaired", async () => (await entries())[0]?.failurePolicy === "Ignore");
    registration.update(configuration(["b"], own));
    await eventually("the entry is gone", async () => (await entries()).length === 1);
    assert.equal((await entries())[0]?.name, "b.patroni-injector.io");
  });

  test("the authorities of other replicas stay, whoever writes last", async () => {
    const one = await register("full", configuration(["a"], own));
    const two = await register("full", configuration(["a"], other));
    await eventually("both are trusted", async () => one.registered() && two.registered());
    const [entry] = await entries();
    assert.ok(bundleHolds(bundleIn(entry), own) && bundleHolds(bundleIn(entry), other));
    const { resourceVersion } = (await live()).metadata as JsonObject;
    await delay(500);
    assert.equal(at(await live(), "metadata", "resourceVersion"), resourceVersion, "they do not quarrel");
  });
});
