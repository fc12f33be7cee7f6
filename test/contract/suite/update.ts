import assert from "node:assert/strict";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import type { Cases } from "./context.ts";
import { configMap, endpointSlice, lease, pathOf, pod, remade, uidOf, versionOf } from "./objects.ts";
import { assertRefused } from "./refused.ts";

const STALE = "the object has been modified; please apply your changes to the latest version and try again";

export const UPDATE: Cases = {
  "a stale resourceVersion overwrites nothing": async (context) => {
    const { must, request } = context;
    const first = await must(201, "POST", pathOf(context, "configmaps"), configMap("a", { n: "1" }));
    const path = pathOf(context, "configmaps", "a");
    const second = await must(200, "PUT", path, { ...first, data: { n: "2" } });
    assert.ok(Number(versionOf(second)) > Number(versionOf(first)));
    assertRefused(await request("PUT", path, { ...first, data: { n: "3" } }), {
      code: 409,
      reason: "Conflict",
      message: `Operation cannot be fulfilled on configmaps "a": ${STALE}`,
      details: { name: "a", kind: "configmaps" },
    });
    assert.deepEqual(at(await must(200, "GET", path), "data"), { n: "2" });
  },

  "a stale EndpointSlice overwrites nothing": async (context) => {
    const { must, request } = context;
    const first = await must(201, "POST", pathOf(context, "endpointslices"), endpointSlice("pg", "10.0.0.1"));
    const path = pathOf(context, "endpointslices", "pg");
    await must(200, "PUT", path, { ...first, endpoints: [{ addresses: ["10.0.0.2"] }] });
    assertRefused(await request("PUT", path, { ...first, endpoints: [{ addresses: ["10.0.0.3"] }] }), {
      code: 409,
      reason: "Conflict",
      message: `Operation cannot be fulfilled on endpointslices.discovery.k8s.io "pg": ${STALE}`,
      details: { name: "pg", group: "discovery.k8s.io", kind: "endpointslices" },
    });
    assert.deepEqual(at(objectsIn((await must(200, "GET", path)).endpoints)[0], "addresses"), ["10.0.0.2"]);
  },

  "an EndpointSlice without a resourceVersion overwrites": async (context) => {
    const { must } = context;
    const first = await must(201, "POST", pathOf(context, "endpointslices"), endpointSlice("pg", "10.0.0.1"));
    const put = await must(
      200,
      "PUT",
      pathOf(context, "endpointslices", "pg"),
      endpointSlice("pg", "10.0.0.2"),
    );
    assert.equal(uidOf(put), uidOf(first));
    assert.equal(at(put, "metadata", "creationTimestamp"), at(first, "metadata", "creationTimestamp"));
    assert.notEqual(versionOf(put), versionOf(first));
    assert.deepEqual(at(objectsIn(put.endpoints)[0], "addresses"), ["10.0.0.2"]);
  },

  "of writers with the same version one wins": async (context) => {
    const { must, request } = context;
    const first = await must(201, "POST", pathOf(context, "endpointslices"), endpointSlice("pg", "10.0.0.1"));
    const path = pathOf(context, "endpointslices", "pg");
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        request("PUT", path, { ...first, endpoints: [{ addresses: [`10.0.1.${index}`] }] }),
      ),
    );
    const won = answers.filter(({ status }) => status === 200);
    assert.equal(won.length, 1);
    assert.ok(answers.every(({ status }) => status === 200 || status === 409));
    assert.equal(versionOf(await must(200, "GET", path)), versionOf(won[0]?.body as JsonObject));
  },

  "a Lease that another has taken": async (context) => {
    const { must, request } = context;
    const first = await must(201, "POST", pathOf(context, "leases"), lease("leader", "one"));
    const path = pathOf(context, "leases", "leader");
    await must(200, "PUT", path, { ...first, spec: { holderIdentity: "two" } });
    const details = { name: "leader", group: "coordination.k8s.io", kind: "leases" };
    assertRefused(await request("PUT", path, { ...first, spec: { holderIdentity: "one" } }), {
      code: 409,
      reason: "Conflict",
      message: `Operation cannot be fulfilled on leases.coordination.k8s.io "leader": ${STALE}`,
      details,
    });
    const why = "Invalid value: 0: must be specified for an update";
    assertRefused(await request("PUT", path, lease("leader", "one")), {
      code: 422,
      reason: "Invalid",
      message: `leases.coordination.k8s.io "leader" is invalid: metadata.resourceVersion: ${why}`,
      details: {
        ...details,
        causes: [{ reason: "FieldValueInvalid", message: why, field: "metadata.resourceVersion" }],
      },
    });
  },

  "a PUT to a name that is not there": async (context) => {
    const { must, request } = context;
    await must(201, "PUT", pathOf(context, "leases", "leader"), lease("leader", "one"));
    assertRefused(await request("PUT", pathOf(context, "configmaps", "a"), configMap("a")), {
      code: 404,
      reason: "NotFound",
      message: 'configmaps "a" not found',
      details: { name: "a", kind: "configmaps" },
    });
    const slice = endpointSlice("pg", "10.0.0.1");
    assert.equal((await request("PUT", pathOf(context, "endpointslices", "pg"), slice)).status, 404);
  },

  "a PUT of an object that was made anew": async (context) => {
    const { must, request } = context;
    const first = await must(201, "POST", pathOf(context, "configmaps"), configMap("a", { n: "1" }));
    const path = pathOf(context, "configmaps", "a");
    const uid = "11111111-2222-3333-4444-555555555555";
    const precondition = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${uidOf(first)}`;
    assertRefused(await request("PUT", path, configMap("a", { n: "2" }, { uid })), {
      code: 409,
      reason: "Conflict",
      message: `Operation cannot be fulfilled on configmaps "a": StorageError: invalid object, Code: 4, Key: /registry/configmaps/${context.namespace}/a, ResourceVersion: 0, AdditionalErrorMsg: ${precondition}`,
      details: { name: "a", kind: "configmaps" },
    });
  },

  "a PUT that changes nothing keeps the resourceVersion": async (context) => {
    const { must } = context;
    const first = await must(201, "POST", pathOf(context, "endpointslices"), endpointSlice("pg", "10.0.0.1"));
    const path = pathOf(context, "endpointslices", "pg");
    assert.equal(versionOf(await must(200, "PUT", path, first)), versionOf(first));
    assert.equal(versionOf(await must(200, "PUT", path, endpointSlice("pg", "10.0.0.1"))), versionOf(first));
  },

  "a PUT to the path of another": async (context) => {
    const { must, request } = context;
    await must(201, "POST", pathOf(context, "configmaps"), configMap("a"));
    assertRefused(await request("PUT", pathOf(context, "configmaps", "a"), configMap("b")), {
      code: 400,
      reason: "BadRequest",
      message: "the name of the object (b) does not match the name on the URL (a)",
    });
  },

  "a dry-run changes nothing": async (context) => {
    const { must } = context;
    const first = await must(201, "POST", pathOf(context, "configmaps"), configMap("a", { n: "1" }));
    const path = pathOf(context, "configmaps", "a");
    const answered = await must(200, "PUT", `${path}?dryRun=All`, configMap("a", { n: "2" }));
    assert.deepEqual(answered.data, { n: "2" });
    assert.equal(versionOf(answered), versionOf(first));
    assert.deepEqual((await must(200, "GET", path)).data, { n: "1" });
    const stale = remade(configMap("a", { n: "2" }), { resourceVersion: "1" });
    assert.equal((await context.request("PUT", `${path}?dryRun=All`, stale)).status, 409);
  },

  "a status has a path of its own": async (context) => {
    const { must } = context;
    const running = { phase: "Running", podIP: "10.0.0.1", podIPs: [{ ip: "10.0.0.1" }] };
    const created = await must(201, "POST", pathOf(context, "pods"), { ...pod("a"), status: running });
    assert.equal(at(created, "status", "phase"), "Pending");
    const path = pathOf(context, "pods", "a");
    const labels = { role: "primary" };
    const elsewhere = { ...(created.spec as JsonObject), nodeName: "node-1" };
    const reported = { ...remade(created, { labels }), spec: elsewhere, status: running };
    const ran = await must(200, "PUT", `${path}/status`, reported);
    assert.equal(at(ran, "status", "podIP"), "10.0.0.1");
    assert.equal(at(ran, "spec", "nodeName"), undefined);
    assert.deepEqual(at(ran, "metadata", "labels"), labels, "metadata is on both paths");
    const put = await must(200, "PUT", path, {
      ...remade(ran, { labels: { team: "data" } }),
      status: { phase: "Failed" },
    });
    assert.deepEqual(at(put, "metadata", "labels"), { team: "data" });
    assert.equal(at(put, "status", "phase"), "Running");
  },
};
