import assert from "node:assert/strict";
import { before, describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pino } from "pino";
import type { KubeApi } from "../../../demo/kube-api/server.ts";
import { bundleHolds } from "../../../src/certificates/bundle.ts";
import { issueAuthority } from "../../../src/certificates/issue.ts";
import { asString, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import type { KubeConnection } from "../../../src/kube/connection.ts";
import { type Registration, registerWebhooks, type Seen } from "../../../src/kube/registration.ts";
import type { RegistrationMode } from "../../../src/kube/webhook-configuration.ts";
import { bystander, FAST, order, startConnected, until } from "./support.ts";

const RESOURCE = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
const COLLECTION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
const NAME = "00-patroni-injector";
const TIMES = { ...FAST, watchMs: 30_000, calmMs: 500 };

let own: string;
let other: string;
before(async () => {
  const validity = { from: new Date(), days: 1 };
  const made = await Promise.all([issueAuthority("CA", validity), issueAuthority("CA", validity)]);
  [own = "", other = ""] = made.map(({ certPem }) => certPem);
});

const base64 = (pem: string) => Buffer.from(pem).toString("base64");

function configuration(pem: string, ...names: string[]): JsonObject {
  const webhooks = names.map((name) => ({
    name: `${name}.patroni-injector.io`,
    admissionReviewVersions: ["v1"],
    sideEffects: "None",
    failurePolicy: "Ignore",
    clientConfig: { url: "https://localhost:1/mutate", ...(pem === "" ? {} : { caBundle: base64(pem) }) },
  }));
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: NAME },
    webhooks,
  };
}

async function scene(t: TestContext) {
  const { api, connection } = await startConnected(t);
  const others = await bystander(t, api);
  const lines: JsonObject[] = [];
  const logger = pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const register = (mode: RegistrationMode, desired: JsonObject, by: KubeConnection = connection) => {
    const results: string[] = [];
    const onWrite = (result: string) => void results.push(result);
    const registration = registerWebhooks(by, desired, { mode, logger, onWrite, times: TIMES });
    t.after(() => registration.stop());
    return { results, registration };
  };
  const path = `${COLLECTION}/${NAME}`;
  return {
    api,
    connection,
    others,
    lines,
    register,
    create: (body: JsonObject) => others.send({ method: "POST", path: COLLECTION, body }),
    remove: () => others.send({ method: "DELETE", path }),
    change: (...body: JsonObject[]) =>
      others.send({ method: "PATCH", path, contentType: "application/json-patch+json", body }),
  };
}

const entries = (api: KubeApi) => objectsIn(api.get(RESOURCE, "", NAME)?.webhooks);
const names = (api: KubeApi) => entries(api).map(({ name }) => asString(name)?.split(".")[0]);
const bundle = (entry: JsonObject | undefined) =>
  Buffer.from(asString(at(entry, "clientConfig", "caBundle")) ?? "", "base64").toString();
const allTrust = (api: KubeApi, pem: string) =>
  entries(api).length > 0 && entries(api).every((entry) => bundleHolds(bundle(entry), pem));
const writes = (api: KubeApi) =>
  api.audit.entries.filter(({ verb, resource }) => verb === "patch" && resource === RESOURCE).length;
const registered = (registration: Registration) => until("registered", () => registration.registered());

describe("registration of the whole", { concurrency: true }, () => {
  it("makes what is not there, and then writes nothing more", async (t) => {
    const { api, register } = await scene(t);
    const { registration, results } = register("full", configuration(own, "a", "b"));
    assert.equal(registration.registered(), false);
    await registered(registration);
    assert.deepEqual(names(api), ["a", "b"]);
    assert.ok(allTrust(api, own));
    await sleep(400);
    assert.deepEqual(results, ["success"]);
    assert.equal(writes(api), 1);
  });

  it("puts right what somebody changes, and makes again what somebody deletes", async (t) => {
    const { api, register, change, remove } = await scene(t);
    const { registration } = register("full", configuration(own, "a"));
    await registered(registration);
    await change({ op: "replace", path: "/webhooks/0/failurePolicy", value: "Fail" });
    await until("repaired", () => entries(api)[0]?.failurePolicy === "Ignore");
    await change({ op: "remove", path: "/webhooks/0/clientConfig/caBundle" });
    await until("trusted", () => allTrust(api, own));
    await remove();
    await until("made again", () => allTrust(api, own));
    await registered(registration);
  });

  it("is not registered while API servers do not trust it", async (t) => {
    const { api, register, change } = await scene(t);
    const { registration } = register("full", configuration(own, "a"));
    await registered(registration);
    order(api, { kind: "status", status: 500 }, { verb: "patch" });
    await change({ op: "replace", path: "/webhooks/0/clientConfig/caBundle", value: base64(other) });
    await until("no longer registered", () => !registration.registered());
  });

  it("writes what is desired next, and drops what is no longer", async (t) => {
    const { api, register } = await scene(t);
    const { registration, results } = register("full", configuration(own, "a", "b"));
    await registered(registration);
    registration.update(configuration(own, "a", "b", "c"));
    await until("one more", () => results.length === 2);
    assert.deepEqual(names(api), ["a", "b", "c"]);
    registration.update(configuration(own, "b"));
    await until("two less", () => names(api).join() === "b");
  });

  it("drops at its start what the process before it left behind", async (t) => {
    const { api, register } = await scene(t);
    const first = register("full", configuration(own, "a", "b"));
    await registered(first.registration);
    await first.registration.stop();
    register("full", configuration(own, "a"));
    await until("dropped", () => names(api).join() === "a");
  });

  it("waits for an API server that is away", async (t) => {
    const { api, register } = await scene(t);
    const away = order(api, { kind: "drop" });
    const { registration } = register("full", configuration(own, "a"));
    await until("some tries", () => away.hits > 3);
    away.remove();
    await registered(registration);
  });

  it("tries again what failed, and counts it", async (t) => {
    const { api, register, lines } = await scene(t);
    order(api, { kind: "status", status: 500, times: 2 }, { verb: "patch" });
    const { registration, results } = register("full", configuration(own, "a"));
    await registered(registration);
    assert.deepEqual(results, ["failure", "failure", "success"]);
    assert.equal(lines.filter(({ level }) => level === 50).length, 2);
  });

  it("gets on with another process that has an authority of its own", async (t) => {
    const { api, register, others } = await scene(t);
    const one = register("full", configuration(own, "a"));
    const two = register("full", configuration(other, "a"), others);
    await registered(one.registration);
    await registered(two.registration);
    await sleep(500);
    assert.ok(allTrust(api, own) && allTrust(api, other));
    assert.ok(writes(api) <= 4, `${writes(api)} writes`);
  });

  it("does not flood the API server where somebody insists on something else", async (t) => {
    const { api, register, change } = await scene(t);
    const { registration } = register("full", configuration(own, "a"));
    await registered(registration);
    const revert = { op: "replace", path: "/webhooks/0/failurePolicy", value: "Fail" };
    const insisting = api.onChange(({ resource, type, object }) => {
      const [entry] = objectsIn((object.object as JsonObject).webhooks);
      if (resource === RESOURCE && type !== "DELETED" && entry?.failurePolicy === "Ignore") {
        setImmediate(() => change(revert).catch(() => undefined));
      }
    });
    t.after(insisting);
    await change(revert);
    const begun = writes(api);
    await sleep(1000);
    // At the very fastest 10 + 20 + 40 + 80 ms, then 100 ms each; half of the writes are the other's.
    const ours = (writes(api) - begun) / 2;
    assert.ok(ours >= 2 && ours <= 14, `${ours} writes in a second`);
  });

  it("ends at once, and leaves the configuration", async (t) => {
    const { api, register, change } = await scene(t);
    const { registration } = register("full", configuration(own, "a"));
    await registered(registration);
    await registration.stop();
    await change({ op: "replace", path: "/webhooks/0/failurePolicy", value: "Fail" });
    await sleep(200);
    assert.equal(entries(api)[0]?.failurePolicy, "Fail");
    await until("no watch is open", () => api.openWatches === 0);
  });
});

describe("registration of the caBundle", () => {
  const desired = () => configuration(own, "whatever");

  it("waits for the configuration that a chart makes, and touches only the bundle", async (t) => {
    const { api, register, create, lines } = await scene(t);
    const { registration } = register("caBundle", desired());
    await until("said that it waits", () => lines.some(({ msg }) => /waiting/.test(String(msg))));
    assert.equal(registration.registered(), false);
    const chart = configuration("", "x", "y");
    await create({ ...chart, metadata: { name: NAME, annotations: { "notYetInvented.io/x": "1" } } });
    await registered(registration);
    assert.ok(allTrust(api, own));
    const stripped = entries(api).map((entry) => ({
      ...entry,
      clientConfig: { url: at(entry, "clientConfig", "url") },
    }));
    assert.deepEqual(stripped, chart.webhooks);
    assert.deepEqual(api.get(RESOURCE, "", NAME)?.metadata.annotations, { "notYetInvented.io/x": "1" });
    assert.equal(writes(api), 1);
  });

  it("writes nothing where all is well already", async (t) => {
    const { api, register, create } = await scene(t);
    await create(configuration(`${other}${own}`, "x"));
    const { registration } = register("caBundle", desired());
    await registered(registration);
    await sleep(200);
    assert.equal(writes(api), 0);
  });

  it("comes back after a release of the chart", async (t) => {
    const { api, register, create, change } = await scene(t);
    await create(configuration("", "x", "y"));
    const { registration } = register("caBundle", desired());
    await registered(registration);
    await change({
      op: "replace",
      path: "/webhooks",
      value: configuration("", "y", "z").webhooks as JsonObject[],
    });
    await until("trusted again", () => names(api).join() === "y,z" && allTrust(api, own));
  });

  it("takes a change in between for what it is: reads again, and then writes", async (t) => {
    const { api, register, create, change } = await scene(t);
    const slow = order(api, { kind: "latency", ms: 150 }, { verb: "patch" });
    await create(configuration("", "x", "y"));
    const { registration, results } = register("caBundle", desired());
    await until("on its way", () => slow.hits === 1);
    const paths = [0, 1].map((index) => `/webhooks/${index}/clientConfig/caBundle`);
    await change(...paths.map((path) => ({ op: "add", path, value: base64(other) })));
    const bundles: boolean[] = [];
    t.after(api.onChange(() => void bundles.push(allTrust(api, other))));
    await registered(registration);
    assert.deepEqual(results, ["failure", "success"]);
    assert.ok(bundles.length > 0 && bundles.every(Boolean), "the other authority was lost for a moment");
  });

  it("takes out who was retired, and nobody else", async (t) => {
    const { api, register, create } = await scene(t);
    await create(configuration(`${other}${own}`, "x"));
    const { registration } = register("caBundle", desired());
    await registered(registration);
    registration.update(desired(), { retiredPem: other });
    await until("taken out", () => entries(api).every((entry) => !bundleHolds(bundle(entry), other)));
    assert.ok(allTrust(api, own));
  });

  it("reads the configuration when it is asked to, and tells what is in it", async (t) => {
    const { create, connection } = await scene(t);
    await create(configuration(`${own}`, "x", "y"));
    const seen: Seen[] = [];
    const logger = pino({ level: "silent" });
    const onSeen = (what: Seen) => void seen.push(what);
    const registration = registerWebhooks(connection, desired(), { mode: "observe", logger, onSeen });
    t.after(() => registration.stop());
    await until("seen", () => seen.length > 0);
    await registration.refresh();
    const { trustees, bundles } = seen.at(-1) as Seen;
    assert.deepEqual(
      trustees.map(({ entry, serverName }) => [entry, serverName]),
      ["x", "y"].map((name) => [`${name}.patroni-injector.io`, "localhost"]),
    );
    assert.deepEqual(bundles, [own, own]);
  });

  it("writes nothing where somebody else looks after the caBundle", async (t) => {
    const { api, register, create, change } = await scene(t);
    await create(configuration(other, "x"));
    const { registration } = register("observe", desired());
    await change({ op: "remove", path: "/webhooks/0/clientConfig/caBundle" });
    await registration.refresh();
    await sleep(200);
    assert.deepEqual([writes(api), allTrust(api, own)], [1, false]);
  });

  it("hands out a new authority beside the old one", async (t) => {
    const { api, register, create } = await scene(t);
    await create(configuration("", "x"));
    const { registration } = register("caBundle", desired());
    await registered(registration);
    registration.update(configuration(other, "whatever"));
    await until("both", () => allTrust(api, own) && allTrust(api, other));
    await registered(registration);
  });
});
