import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { refusal } from "../../../src/certificates/verify.ts";
import { RELOAD_LIFETIMES } from "../../../src/controller/reload/plan.ts";
import { at, isObject, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { textsIn } from "../../../src/kube/secret-data.ts";
import { ofKind, RELEASE, rendered } from "../../chart/helm.ts";
import { create } from "../../chart/posting.ts";
import { ScriptedMember } from "../../component/sidecar/scripted-member.ts";
import { eventually } from "../suite/eventually.ts";
import { Controlled, type Place } from "./controlled.ts";

const SECRET = "patroni-injector-reload-tls";
const ACCOUNT = `system:serviceaccount:${RELEASE.namespace}:patroni-injector`;
const HOST = "127.33.0.1";

let controlled: Controlled;
let shop: Place;
let late: Place;
let own: Place;
const members: ScriptedMember[] = [];
const clock = { aheadMs: 0 };
let sidecar: Server | undefined;
let lastError: JsonObject | undefined;

/** What the chart makes with these values, its Secrets too. */
async function install(reloadCertificates: readonly string[]): Promise<void> {
  const values = { rbac: { reloadCertificates: [...reloadCertificates] } };
  const objects = await rendered({ values });
  for (const secret of ofKind(objects, "Secret")) await create(controlled.plane.api, secret);
  await controlled.grant(values);
}

/** A member with a sidecar, as the webhook makes it, that asks for the reload API. */
async function addAsking(place: Place, ordinal: number): Promise<void> {
  const member = await new ScriptedMember("pg-0", `127.33.0.${ordinal}`).start();
  members.push(member);
  await place.addPod(member, { "patroni-injector.io/reload-postgres-version": "dcs" }, [], {
    containers: [{ name: "patroni-injector", image: "patroni-injector" }],
    spec: {
      hostname: "pg-0",
      subdomain: "pg-headless",
      volumes: [{ name: "patroni-injector-reload-tls", secret: { secretName: SECRET, optional: true } }],
    },
  });
  const containerStatuses = [
    {
      name: "patroni-injector",
      image: "patroni-injector",
      imageID: "",
      ready: true,
      restartCount: 0,
      state: { running: {} },
    },
  ];
  await place.change(`${place.core("pods")}/pg-0/status`, { status: { containerStatuses } });
}

const textsOf = async (place: Place) =>
  textsIn((await place.read(`${place.core("secrets")}/${SECRET}`))?.data);

async function untilServed(place: Place, what: string, holds: (texts: Record<string, string>) => boolean) {
  const began = performance.now();
  let texts: Record<string, string> = {};
  await eventually(what, async () => {
    texts = await textsOf(place);
    return !!texts["tls.crt"] && holds(texts);
  });
  return { texts, tookMs: Math.round(performance.now() - began) };
}

const eventsOf = async (place: Place, reason: string) => {
  const path = `/apis/events.k8s.io/v1/namespaces/${place.namespace}/events`;
  return objectsIn((await place.read(path))?.items).filter((event) => event.reason === reason);
};

/** What the controller asked of Secrets. */
async function asked() {
  const events = await controlled.plane.auditEvents();
  return events.flatMap(({ verb, objectRef, responseStatus, user, stage }) =>
    isObject(objectRef) &&
    objectRef.resource === "secrets" &&
    at(user, "username") === ACCOUNT &&
    stage === "ResponseComplete"
      ? [
          {
            verb: String(verb),
            place: `${String(objectRef.namespace)}/${String(objectRef.name)}`,
            code: Number(at(responseStatus, "code")),
          },
        ]
      : [],
  );
}

before(async () => {
  controlled = await Controlled.start();
  [shop, late, own] = [
    await controlled.addNamespace("shop"),
    await controlled.addNamespace("late"),
    await controlled.addNamespace("own"),
  ];
  const theirs = { "tls.crt": Buffer.from("theirs").toString("base64"), "tls.key": "" };
  await own.create(own.core("secrets"), {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: SECRET },
    type: "kubernetes.io/tls",
    data: theirs,
  });
  await install(["shop"]);
  // The Role alone: the Secret is the user's.
  const objects = await rendered({ values: { rbac: { reloadCertificates: ["own"] } } });
  for (const kind of ["Role", "RoleBinding"])
    for (const object of ofKind(objects, kind))
      if (at(object, "metadata", "namespace") === "own") await create(controlled.plane.api, object);
  // One port for the whole test: the certificate comes later.
  sidecar = createServer((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify(
        lastError === undefined ? {} : { postgres: { reloading: false, waiting: 0, lastError } },
      ),
    );
  }).listen(0, HOST);
  await once(sidecar, "listening");
  for (const [index, place] of [shop, late, own].entries()) await addAsking(place, index + 1);
  controlled.controller(
    {},
    {
      authorities: { namespace: RELEASE.namespace, name: "patroni-injector-reload-ca" },
      now: () => new Date(Date.now() + clock.aheadMs),
      token: async () => "a-token",
      port: (sidecar.address() as AddressInfo).port,
      times: { tickMs: 50, everyMs: 300, retry: { firstPauseMs: 100, longestPauseMs: 2000 } },
    },
  );
});
after(async () => {
  sidecar?.closeAllConnections();
  sidecar?.close();
  await Promise.all(members.map((member) => member.stop()));
  await controlled?.stop();
});

test("the certificate is there within seconds", async (t) => {
  const { texts, tookMs } = await untilServed(shop, "issued", () => true);
  t.diagnostic(`issued after ${tookMs} ms`);
  const name = "pg-0.pg-headless.shop.svc";
  assert.equal(refusal(texts["tls.crt"] ?? "", texts["ca.crt"] ?? "", name, new Date()), undefined);
});

test("an upgrade of the chart does not touch what is in it", async () => {
  const objects = await rendered({ values: { rbac: { reloadCertificates: ["shop"] } } });
  const before = await textsOf(shop);
  for (const secret of ofKind(objects, "Secret")) {
    const [namespace, name] = [at(secret, "metadata", "namespace"), at(secret, "metadata", "name")].map(
      String,
    );
    const path = `/api/v1/namespaces/${namespace}/secrets/${name}?fieldManager=helm&force=true`;
    const answer = await controlled.plane.api.request("PATCH", path, secret, {
      "content-type": "application/apply-patch+yaml",
    });
    assert.equal(answer.status, 200);
  }
  assert.deepEqual(await textsOf(shop), before);
});

test("without the right one Event says so, and it is asked less and less often; with it all is well", async () => {
  await eventually("it is said", async () => (await eventsOf(late, "reload-certificate")).length > 0);
  const refused = async () =>
    (await asked()).filter(({ place, code }) => place === `late/${SECRET}` && code === 403);
  await eventually("it was tried again", async () => (await refused()).length > 3);
  const [event, ...others] = await eventsOf(late, "reload-certificate");
  assert.deepEqual(others, []);
  assert.match(
    String(event?.note),
    /Secret late\/patroni-injector-reload-tls may not be kept: .*rbac\.reloadCertificates/,
  );
  await install(["shop", "late"]);
  await untilServed(late, "issued once it is granted", () => true);
  assert.ok((await refused()).length < 20, "it was asked all the time");
  assert.deepEqual(await eventsOf(shop, "reload-certificate"), []);
});

test("a reload that failed is told once, on the pod", async () => {
  const { texts } = await untilServed(shop, "it is there", () => true);
  sidecar?.setSecureContext({ cert: texts["tls.crt"] ?? "", key: texts["tls.key"] ?? "" });
  lastError = { problem: "reload-unproven", detail: "nothing showed it", at: new Date().toISOString() };
  await eventually("it is told", async () => (await eventsOf(shop, "reload-failed")).length > 0);
  const [event, ...others] = await eventsOf(shop, "reload-failed");
  assert.deepEqual(others, []);
  assert.deepEqual([at(event, "regarding", "kind"), at(event, "regarding", "name")], ["Pod", "pg-0"]);
  assert.match(String(event?.note), /^postgres at .*: reload-unproven: nothing showed it/);
});

test("it is rotated in time", async () => {
  const before = await textsOf(shop);
  clock.aheadMs = (RELOAD_LIFETIMES.leafMs * 3) / 4;
  const { texts } = await untilServed(shop, "another", (found) => found["tls.crt"] !== before["tls.crt"]);
  assert.equal(texts["ca.crt"], before["ca.crt"]);
});

test("nothing else was read or written, or could be: no Secret of a user's, and none was made", async () => {
  const secret = await own.read(`${own.core("secrets")}/${SECRET}`);
  assert.deepEqual(textsIn(secret?.data), { "tls.crt": "theirs", "tls.key": "" });
  const all = await asked();
  const expected = [
    `${RELEASE.namespace}/patroni-injector-reload-ca`,
    ...["shop", "late", "own"].map((namespace) => `${namespace}/${SECRET}`),
  ];
  assert.deepEqual(new Set(all.map(({ place }) => place)), new Set(expected));
  const written = all.filter(({ verb }) => verb !== "get");
  assert.deepEqual(new Set(written.map(({ verb }) => verb)), new Set(["update"]));
  assert.ok(!written.some(({ place }) => place.startsWith("own/")), "a user's Secret was written");
  const refused = all.filter(({ code }) => code === 403);
  assert.deepEqual(new Set(refused.map(({ place }) => place)), new Set([`late/${SECRET}`]));
  for (const [path, status] of [
    [`${shop.core("secrets")}/${SECRET}`, 200],
    [shop.core("secrets"), 403],
    [`${shop.core("secrets")}/another`, 403],
  ] as const)
    assert.equal((await controlled.asAccount("GET", path)).status, status, path);
});
