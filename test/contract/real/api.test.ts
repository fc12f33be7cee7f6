import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { createApiClient } from "../../cluster/api-client.ts";
import { type ControlPlane, startControlPlane } from "../../cluster/control-plane.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";

let plane: ControlPlane;

before(async () => {
  plane = await startControlPlane({
    users: [{ name: "alice", token: "alice-token", groups: ["developers"] }],
  });
});
after(() => plane?.stop());

function pod(name: string, container: JsonObject = {}): JsonObject {
  const spec = { containers: [{ name: "main", image: "example.test/main", ...container }] };
  return { apiVersion: "v1", kind: "Pod", metadata: { name }, spec };
}

test("it is the version that go.mod names", async () => {
  const { body } = await plane.api.request("GET", "/version");
  assert.match(String(at(body, "gitVersion")), /^v1\.\d+\.\d+$/);
  assert.match(String(at(body, "minor")), /^\d+$/);
});

test("a pod can be created right after its namespace", async () => {
  await prepareNamespace(plane.api, "prepared", { team: "database" });
  const created = await plane.api.request("POST", "/api/v1/namespaces/prepared/pods", pod("first"));
  assert.equal(created.status, 201, JSON.stringify(created.body));
  assert.equal(at(created.body, "spec", "serviceAccountName"), "default");
  const namespace = await plane.api.request("GET", "/api/v1/namespaces/prepared");
  assert.equal(at(namespace.body, "metadata", "labels", "team"), "database");
});

test("an invalid field is refused by name", async () => {
  await prepareNamespace(plane.api, "invalid");
  const bad = pod("bad", { ports: [{ containerPort: 70_000 }] });
  const { status, body } = await plane.api.request("POST", "/api/v1/namespaces/invalid/pods", bad);
  assert.equal(status, 422);
  const fields = objectsIn(at(body, "details", "causes")).map((cause) => cause.field);
  assert.deepEqual(fields, ["spec.containers[0].ports[0].containerPort"]);
});

test("a server-side dry-run answers as if, and keeps nothing", async () => {
  await prepareNamespace(plane.api, "dry");
  const pods = "/api/v1/namespaces/dry/pods";
  const { status, body } = await plane.api.request("POST", `${pods}?dryRun=All`, pod("ghost"));
  assert.equal(status, 201);
  assert.equal(at(body, "spec", "restartPolicy"), "Always"); // defaulted
  assert.equal((await plane.api.request("GET", `${pods}/ghost`)).status, 404);
});

test("server-side apply records who owns which field", async () => {
  await prepareNamespace(plane.api, "applied");
  const path = "/api/v1/namespaces/applied/configmaps/settings";
  const apply = (manager: string, data: JsonObject) =>
    plane.api.request(
      "PATCH",
      `${path}?fieldManager=${manager}`,
      { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings" }, data },
      { "content-type": "application/apply-patch+yaml" },
    );
  assert.equal((await apply("one", { color: "red" })).status, 201);
  assert.equal((await apply("two", { size: "small" })).status, 200);
  assert.equal((await apply("two", { color: "blue" })).status, 409);

  const { body } = await plane.api.request("GET", path);
  const owned = objectsIn(at(body, "metadata", "managedFields")).map(({ manager, operation, fieldsV1 }) => [
    manager,
    operation,
    Object.keys(at(fieldsV1, "f:data") as JsonObject),
  ]);
  assert.deepEqual(owned, [
    ["one", "Apply", ["f:color"]],
    ["two", "Apply", ["f:size"]],
  ]);
});

test("RBAC binds every user but the admin", async () => {
  await prepareNamespace(plane.api, "guarded");
  const alice = createApiClient(plane.url, plane.caPem, { token: "alice-token" });
  const bob = createApiClient(
    plane.url,
    plane.caPem,
    await plane.authority.issueClient("bob", ["developers"]),
  );
  try {
    for (const user of [alice, bob]) {
      assert.equal((await user.request("GET", "/api/v1/namespaces/guarded/pods")).status, 403);
    }
    const self = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    for (const [user, name] of [
      [alice, "alice"],
      [bob, "bob"],
    ] as const) {
      const { body } = await user.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", self);
      assert.equal(at(body, "status", "userInfo", "username"), name);
      assert.deepEqual(at(body, "status", "userInfo", "groups"), ["developers", "system:authenticated"]);
    }
  } finally {
    alice.close();
    bob.close();
  }
});
