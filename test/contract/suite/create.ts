import assert from "node:assert/strict";
import { at } from "../../../src/json/value.ts";
import type { Cases } from "./context.ts";
import { configMap, pathOf, pod } from "./objects.ts";
import { assertRefused } from "./refused.ts";

const TAKEN = { code: 409, reason: "AlreadyExists" };

export const CREATE: Cases = {
  "the answer is the object with what the server adds": async (context) => {
    const { must, namespace } = context;
    const { metadata, ...created } = await must(201, "POST", pathOf(context, "pods"), pod("a"));
    assert.equal(at(metadata, "namespace"), namespace);
    assert.match(String(at(metadata, "uid")), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    assert.match(String(at(metadata, "resourceVersion")), /^\d+$/);
    assert.match(String(at(metadata, "creationTimestamp")), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.deepEqual([created.kind, created.apiVersion], ["Pod", "v1"]);
    assert.equal(at(created, "status", "phase"), "Pending");
    const named = at(created, "spec", "restartPolicy");
    assert.equal(named, context.differs("no defaults", { real: "Always", embedded: undefined }));
    const owned = at(metadata, "managedFields") !== undefined;
    assert.equal(owned, context.differs("no field ownership", { real: true, embedded: false }));
  },

  "a name that is taken": async (context) => {
    const path = pathOf(context, "configmaps");
    await context.must(201, "POST", path, configMap("a"));
    assertRefused(await context.request("POST", path, configMap("a")), {
      ...TAKEN,
      message: 'configmaps "a" already exists',
      details: { name: "a", kind: "configmaps" },
    });
  },

  "a name in a group": async (context) => {
    const path = pathOf(context, "leases");
    const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "a" } };
    await context.must(201, "POST", path, lease);
    assertRefused(await context.request("POST", path, lease), {
      ...TAKEN,
      message: 'leases.coordination.k8s.io "a" already exists',
      details: { name: "a", group: "coordination.k8s.io", kind: "leases" },
    });
  },

  "generateName ends in five letters": async (context) => {
    const names = new Set<unknown>();
    for (let count = 0; count < 5; count++) {
      const created = await context.must(
        201,
        "POST",
        pathOf(context, "pods"),
        pod("", { generateName: "pg-" }),
      );
      assert.match(String(at(created, "metadata", "name")), /^pg-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      assert.equal(at(created, "metadata", "generateName"), "pg-");
      names.add(at(created, "metadata", "name"));
    }
    assert.equal(names.size, 5);
  },

  "a name wins over generateName": async (context) => {
    const created = await context.must(
      201,
      "POST",
      pathOf(context, "pods"),
      pod("a", { generateName: "pg-" }),
    );
    assert.equal(at(created, "metadata", "name"), "a");
  },

  "neither name nor generateName": async (context) => {
    assertRefused(await context.request("POST", pathOf(context, "configmaps"), configMap("")), {
      code: 422,
      reason: "Invalid",
      message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
      details: {
        kind: "ConfigMap",
        causes: [
          {
            reason: "FieldValueRequired",
            message: "Required value: name or generateName is required",
            field: "metadata.name",
          },
        ],
      },
    });
  },

  "a resourceVersion on what is to be new": async (context) => {
    const path = pathOf(context, "configmaps");
    assertRefused(await context.request("POST", path, configMap("a", {}, { resourceVersion: "1" })), {
      code: 500,
      message: "resourceVersion should not be set on objects to be created",
    });
  },

  "a namespace that is not there": async (context) => {
    const answer = await context.request("POST", "/api/v1/namespaces/nowhere/configmaps", configMap("a"));
    assertRefused(answer, {
      code: 404,
      reason: "NotFound",
      message: 'namespaces "nowhere" not found',
      details: { name: "nowhere", kind: "namespaces" },
    });
  },

  "a namespace that is not the path's": async (context) => {
    const path = pathOf(context, "configmaps");
    assertRefused(await context.request("POST", path, configMap("a", {}, { namespace: "default" })), {
      code: 400,
      reason: "BadRequest",
      message: "the namespace of the provided object does not match the namespace sent on the request",
    });
  },

  "another kind than the path's": async (context) => {
    const { status, body } = await context.request("POST", pathOf(context, "configmaps"), pod("a"));
    assert.deepEqual([status, at(body, "reason")], [400, "BadRequest"]);
  },

  "no JSON": async (context) => {
    const { status, body } = await context.request("POST", pathOf(context, "configmaps"), '{"metadata":');
    assert.deepEqual([status, at(body, "reason")], [400, "BadRequest"]);
  },

  "a body of an unknown type": async (context) => {
    const type = { "content-type": "text/plain" };
    const { status, body } = await context.request("POST", pathOf(context, "configmaps"), "a: 1", type);
    assert.deepEqual([status, at(body, "reason")], [415, "UnsupportedMediaType"]);
  },

  "an object's path": async (context) => {
    assertRefused(await context.request("POST", pathOf(context, "configmaps", "a"), configMap("a")), {
      code: 405,
      reason: "MethodNotAllowed",
      message: "the server does not allow this method on the requested resource",
      details: {},
    });
  },

  "a resource that nobody serves": async (context) => {
    assertRefused(await context.request("GET", `/api/v1/namespaces/${context.namespace}/unicorns`), {
      code: 404,
      reason: "NotFound",
      message: "the server could not find the requested resource",
      details: {},
    });
  },

  "a dry-run answers as if and keeps nothing": async (context) => {
    const path = pathOf(context, "pods");
    const created = await context.must(201, "POST", `${path}?dryRun=All`, pod("a"));
    assert.equal(at(created, "metadata", "namespace"), context.namespace);
    assert.ok(at(created, "metadata", "uid"));
    assert.equal(at(created, "metadata", "resourceVersion"), undefined);
    assertRefused(await context.request("GET", `${path}/a`), {
      code: 404,
      reason: "NotFound",
      message: 'pods "a" not found',
      details: { name: "a", kind: "pods" },
    });
  },

  "a dry-run of a name that is taken": async (context) => {
    const path = pathOf(context, "pods");
    await context.must(201, "POST", path, pod("a"));
    const { status, body } = await context.request("POST", `${path}?dryRun=All`, pod("a"));
    assert.deepEqual([status, at(body, "reason")], [409, "AlreadyExists"]);
  },

  "another dryRun than All": async (context) => {
    const { status, body } = await context.request(
      "POST",
      `${pathOf(context, "pods")}?dryRun=Some`,
      pod("a"),
    );
    assert.deepEqual([status, at(body, "reason")], [422, "Invalid"]);
    assert.equal(at(body, "details", "kind"), "CreateOptions");
  },

  "a field that is not valid": async (context) => {
    const bad = pod(
      "a",
      {},
      { containers: [{ name: "main", image: "x", ports: [{ containerPort: 70_000 }] }] },
    );
    const { status } = await context.request("POST", pathOf(context, "pods"), bad);
    assert.equal(status, context.differs("no validation", { real: 422, embedded: 201 }));
  },

  "a field that nobody knows": async (context) => {
    const created = await context.must(201, "POST", pathOf(context, "pods"), pod("a", {}, { brandNew: 1 }));
    const kept = at(created, "spec", "brandNew");
    assert.equal(kept, context.differs("unknown fields are kept", { real: undefined, embedded: 1 }));
  },
};
