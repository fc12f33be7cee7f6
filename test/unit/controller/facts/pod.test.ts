import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { podFacts } from "../../../../src/controller/facts/pod.ts";
import { FAILURES } from "../../../../src/controller/facts/sidecar.ts";
import { templateFacts } from "../../../../src/controller/facts/template.ts";
import { asObject, type JsonObject } from "../../../../src/json/value.ts";
import { type Difference, injected, ours, patroniPod, settingsOf } from "../../injection/world.ts";

const settings = settingsOf({});
const factsOf = (difference: Difference = {}, status: JsonObject = {}) =>
  podFacts({ ...patroniPod(difference), status }, settings);

describe("what is kept of a pod", () => {
  it("its cluster's settings, from the annotations and the environment", () => {
    const facts = factsOf({ annotations: ours({ "primary-service": "postgres", "exclude-ports": "9187" }) });
    assert.equal(facts?.settings.scope, "pg");
    assert.equal(facts?.settings.primaryService, "postgres");
    assert.equal(facts?.settings.serviceAccount, "default");
    assert.deepEqual(facts?.settings.excludedPorts, [5432, 8008, 8011, 9187]);
  });

  it("its addresses, the first family's first", () => {
    const facts = factsOf({}, { podIP: "fd00::1", podIPs: [{ ip: "fd00::1" }, { ip: "10.0.0.1" }] });
    assert.equal(facts?.ip, "fd00::1");
    assert.deepEqual(facts?.addresses, ["fd00::1", "10.0.0.1"]);
    assert.equal(factsOf()?.ip, undefined);
  });

  it("whether its sidecar runs, in either form", () => {
    assert.equal(factsOf()?.sidecar, "absent");
    const pod = injected(patroniPod());
    const state = (form: string, value: JsonObject) => {
      const status = { [form]: [{ name: "patroni-injector", state: value }] };
      return podFacts({ ...pod, status }, settings)?.sidecar;
    };
    assert.equal(podFacts(pod, settings)?.sidecar, "down");
    assert.equal(state("initContainerStatuses", { running: {} }), "running");
    assert.equal(state("containerStatuses", { running: {} }), "running");
    assert.equal(state("initContainerStatuses", { waiting: { reason: "CrashLoopBackOff" } }), "down");
  });

  it("the name that the certificate of its REST API carries, injected or not", () => {
    const https = ours({ "patroni-scheme": "https" });
    const place = { metadata: { namespace: "db", name: "pg-0" }, status: { podIP: "10.0.0.7" } };
    const nameOf = (pod: JsonObject) => podFacts(pod, settings)?.patroniName;
    const plain = patroniPod({ annotations: https });
    assert.equal(nameOf(plain), undefined, "nothing says it");
    const pod = injected(plain);
    const given = {
      ...pod,
      metadata: { ...asObject(pod.metadata), ...place.metadata },
      status: place.status,
    };
    assert.equal(nameOf(given), "pg-0.pg-headless.db.svc.cluster.local");
    assert.equal(nameOf(injected(patroniPod())), undefined, "no certificate");
    const announces = (value: string): JsonObject => ({
      ...patroniPod({
        annotations: https,
        env: [
          { name: "MY_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
          { name: "PATRONI_RESTAPI_CONNECT_ADDRESS", value },
        ],
      }),
      status: place.status,
    });
    assert.equal(nameOf(announces("pg-0.example:8008")), "pg-0.example");
    assert.equal(nameOf(announces("$(MY_IP):8008")), "10.0.0.7");
  });

  it("how its sidecar does, in the kubelet's words, and which image it was asked for", () => {
    const pod = injected(patroniPod());
    const containerOf = (state: JsonObject, more: JsonObject = {}) =>
      podFacts(
        {
          ...pod,
          ...more,
          status: { containerStatuses: [{ name: "patroni-injector", restartCount: 3, state }] },
        },
        settings,
      )?.container;
    const image = "registry.example/patroni-injector:1.0";
    assert.deepEqual(containerOf({ running: {} }), { image, health: "running", why: "", restarts: 3 });
    for (const why of FAILURES) {
      const failing = { image, health: "failing", why, restarts: 3 };
      assert.deepEqual(containerOf({ waiting: { reason: why } }), failing);
    }
    for (const state of [{}, { waiting: { reason: "PodInitializing" } }, { terminated: { exitCode: 1 } }]) {
      assert.deepEqual(containerOf(state), { image, health: "waiting", why: "", restarts: 3 });
    }
    const spec = asObject(JSON.parse(JSON.stringify(pod.spec).replaceAll(image, "mirror.example/it:1")));
    assert.equal(containerOf({}, { spec: spec ?? {} })?.image, image, "a mirror's webhook renamed it");
    const metadata = { ...asObject(pod.metadata), annotations: { "patroni-injector.io/status": "{" } };
    assert.equal(containerOf({}, { metadata })?.image, image);
    assert.equal(factsOf()?.container, undefined);
  });

  it("whether it is to have a sidecar", () => {
    const wants = (difference: Difference) => factsOf(difference)?.settings.wantsSidecar;
    assert.equal(wants({}), true);
    assert.equal(wants({ annotations: ours({ discovery: "off" }) }), true);
    assert.equal(wants({ annotations: ours({ discovery: "off", reload: "off" }) }), false);
    assert.equal(wants({ containers: [{ name: "x", ports: [{ containerPort: 8011 }] }] }), false);
  });

  it("whether it is ready, being deleted, and since when it is there", () => {
    const created = "2026-01-01T00:00:00Z";
    const fresh = factsOf({ metadata: { creationTimestamp: created } });
    assert.deepEqual(
      [fresh?.ready, fresh?.terminating, fresh?.createdAt],
      [false, false, Date.parse(created)],
    );
    const conditions = [{ type: "Ready", status: "True" }];
    const going = factsOf({ metadata: { deletionTimestamp: created } }, { conditions });
    assert.deepEqual([going?.ready, going?.terminating], [true, true]);
  });

  it("what owns it", () => {
    const owner = { apiVersion: "apps/v1", kind: "StatefulSet", name: "pg", uid: "u", controller: true };
    const { controller: _controller, ...reference } = owner;
    assert.deepEqual(factsOf({ metadata: { ownerReferences: [owner] } })?.owner, reference);
  });

  it("a malformed annotation is passed over: a running database is served either way", () => {
    assert.equal(factsOf({ annotations: ours({ mesh: "maybe" }) })?.settings.mesh, true);
  });
});

describe("no member is", () => {
  const job = { apiVersion: "batch/v1", kind: "Job", name: "backup", uid: "u", controller: true };
  const rows: readonly [string, Difference][] = [
    ["a pod of another application", { labels: { application: "shop" } }],
    ["one that opted out", { annotations: ours({ inject: "false" }) }],
    ["a Job's pod, however much it looks like one", { metadata: { ownerReferences: [job] } }],
    ["one without a Patroni container", { container: { env: [], image: "postgres" } }],
    ["one without a scope", { labels: { "cluster-name": "" } }],
    ["one that cannot be read", { spec: { containers: "none" } }],
  ];
  for (const [what, difference] of rows) it(what, () => assert.equal(factsOf(difference), undefined));
});

it("a StatefulSet tells of its pods before they are there", () => {
  const { metadata, spec } = patroniPod();
  const template = { metadata: { labels: asObject(metadata)?.labels ?? {} }, spec: spec ?? {} };
  const set = {
    metadata: { namespace: "db", name: "pg", uid: "set" },
    spec: { serviceName: "pg", template },
  };
  const facts = templateFacts(set, settings);
  assert.equal(facts?.settings.primaryService, "pg-primary");
  assert.deepEqual(facts?.workload, { apiVersion: "apps/v1", kind: "StatefulSet", name: "pg", uid: "set" });
  assert.equal(templateFacts({ ...set, spec: {} }, settings), undefined);
});
