import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { type Authority, type Issued, issueAuthority, issueLeaf } from "../../../src/certificates/issue.ts";
import { type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { newAuthority } from "../../cluster/authority.ts";
import { until } from "../kube-api/support.ts";
import { body, PRIMARY, REPLICA, ScriptedMember } from "../sidecar/scripted-member.ts";
import { NAMESPACE, startWorld, type World } from "./world.ts";

const DAY_MS = 24 * 3_600_000;
const SLICE = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices/orders-primary`;
const name = (member: string) => `${member}.orders-headless.${NAMESPACE}.svc.cluster.local`;
const dns = (...dnsNames: string[]) => ({ dnsNames, ipAddresses: [] });
const current = () => ({ from: new Date(), days: 1 });

let authority: Authority;
let other: Authority;
let served: Issued;
let expired: Issued;
let elsewhere: Issued;
let members = 0;

before(async () => {
  [authority, other] = await Promise.all([
    issueAuthority("patroni", { from: new Date(Date.now() - 30 * DAY_MS), days: 60 }),
    issueAuthority("other", current()),
  ]);
  [served, expired, elsewhere] = await Promise.all([
    issueLeaf(
      "patroni",
      dns(
        name("orders-0"),
        name("orders-1"),
        name("orders-4"),
        name("orders-5"),
        name("orders-6"),
        name("orders-7"),
      ),
      current(),
      authority,
    ),
    issueLeaf(
      "expired",
      dns(name("orders-2")),
      { from: new Date(Date.now() - 9 * DAY_MS), days: 2 },
      authority,
    ),
    issueLeaf("elsewhere", dns("elsewhere.example"), current(), authority),
  ]);
});

const secret = (world: World, secretName: string, files: Readonly<Record<string, string>>) =>
  world.post(`/api/v1/namespaces/${NAMESPACE}/secrets`, {
    metadata: { name: secretName },
    data: encoded(files),
  });

const encoded = (files: Readonly<Record<string, string>>): JsonObject =>
  Object.fromEntries(Object.entries(files).map(([key, text]) => [key, Buffer.from(text).toString("base64")]));

/** A pod whose REST API announces its name of the headless Service, and whose annotations say how it is to be asked. */
async function addMember(
  world: World,
  member: ScriptedMember,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  const annotations = Object.entries(secrets).map(([what, secretName]) => [
    `patroni-injector.io/patroni-${what}-secret`,
    secretName,
  ]);
  await world.addPod(member, {
    annotations: { "patroni-injector.io/patroni-scheme": "https", ...Object.fromEntries(annotations) },
    env: [{ name: "PATRONI_RESTAPI_CONNECT_ADDRESS", value: `${name(member.name)}:8008` }],
  });
}

interface Served extends Pick<Issued, "certPem" | "keyPem"> {
  /** Whose clients are let in; undefined: all. */
  readonly clientCa?: string;
}

/** A member that speaks TLS. */
async function start(
  world: World,
  ordinal: number,
  { certPem, keyPem, clientCa }: Served,
): Promise<ScriptedMember> {
  const client = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const tls = { cert: certPem, key: keyPem, ...client };
  const member = await new ScriptedMember(`orders-${ordinal}`, `127.29.${++members}.1`, tls).start();
  world.endsWith(() => member.stop());
  return member;
}

async function untilTold(world: World, message: RegExp): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const events = await world.send("GET", `/apis/events.k8s.io/v1/namespaces/${NAMESPACE}/events`);
    if (objectsIn(events.items).some(({ note }) => message.test(String(note)))) return;
    await delay(50);
  }
  assert.fail(`no Event ${message}`);
}

describe("Patroni over TLS", { concurrency: true }, () => {
  test("is verified by the name that it announces, with the CA and the client certificate of the pod's Secrets", async (t) => {
    const world = await startWorld(t, { pods: false });
    const clients = await newAuthority("clients");
    const client = await clients.issueClient("patroni-injector");
    const member = await start(world, 0, { ...served, clientCa: clients.certPem });
    member.answer = PRIMARY;
    await secret(world, "patroni-ca", { "ca.crt": authority.certPem });
    await secret(world, "patroni-client", { "tls.crt": client.certPem, "tls.key": client.keyPem });
    await addMember(world, member, { ca: "patroni-ca", client: "patroni-client" });
    world.controller();
    await world.untilPublished(member);
    member.answer = REPLICA;
    await until("it is withdrawn", () => world.published?.length === 0);
    const reads = world.api.audit.entries.filter(
      ({ resource, verb }) => resource === "secrets" && verb !== "create",
    );
    assert.deepEqual(
      reads.map(({ verb }) => verb),
      ["get", "get"],
      "each is read by its name, once",
    );
  });

  test("takes nothing away where it cannot be verified, and says why", async (t) => {
    const world = await startWorld(t, { pods: false });
    const clients = await newAuthority("clients");
    await secret(world, "right", { "ca.crt": authority.certPem });
    await secret(world, "wrong", { "ca.crt": other.certPem });
    await secret(world, "empty", {});
    await secret(world, "forbidden", { "ca.crt": authority.certPem });
    world.api.faults.add({ kind: "status", status: 403, match: { resource: "secrets", name: "forbidden" } });
    const strict = { ...served, clientCa: clients.certPem };
    const rows: readonly (readonly [Served, Record<string, string>, RegExp])[] = [
      [served, {}, /^orders-0: unable to verify the first certificate/],
      [served, { ca: "wrong" }, /^orders-1: (unable to verify|certificate signature failure)/],
      [expired, { ca: "right" }, /^orders-2: certificate has expired/],
      [
        elsewhere,
        { ca: "right" },
        /^orders-3: Hostname\/IP does not match certificate's altnames: Host: orders-3\./,
      ],
      [served, { ca: "absent" }, /^orders-4: Secret shop\/absent does not exist/],
      [served, { ca: "empty" }, /^orders-5: Secret shop\/empty has no ca\.crt/],
      [
        served,
        { ca: "forbidden" },
        /^orders-6: Secret shop\/forbidden may not be read: .*rbac\.patroniSecrets/,
      ],
      [strict, { ca: "right" }, /^orders-7: .*certificate required/],
    ];
    const started: ScriptedMember[] = [];
    for (const [ordinal, [issued, secrets]] of rows.entries()) {
      const member = await start(world, ordinal, issued);
      member.answer = { code: 503, body: body("replica", "running") }; // what would remove an address
      started.push(member);
      await addMember(world, member, secrets);
    }
    const [first] = started;
    assert.ok(first);
    const controller = world.controller();
    await until("there is a slice", () => world.slice !== undefined);
    const pod = world.api.get("pods", NAMESPACE, first.name);
    const targetRef = { kind: "Pod", namespace: NAMESPACE, name: first.name, uid: pod?.metadata.uid ?? "" };
    await world.patch(SLICE, { endpoints: [{ addresses: [first.host], targetRef }] });
    const details = () =>
      world.logged.filter(({ reason }) => reason === "unobservable").map(({ detail }) => String(detail));
    await until("it is said of each", () => details().length >= rows.length);
    for (const [, , message] of rows)
      assert.ok(
        details().some((detail) => message.test(detail)),
        `${message} in\n${details().join("\n")}`,
      );
    assert.deepEqual(world.published, [first.host], "an address goes by proof only");
    assert.ok(
      started.every(({ asked }) => asked.length === 0),
      "nobody unproven was listened to",
    );
    for (const [, , message] of rows) await untilTold(world, message);
    controller.measure();
    const { values } = await world.metrics.controllerFindings.get();
    const unobservable = values.find(({ labels }) => labels.reason === "unobservable");
    assert.deepEqual([unobservable?.value, unobservable?.labels.severity], [rows.length, "warning"]);
  });
});
