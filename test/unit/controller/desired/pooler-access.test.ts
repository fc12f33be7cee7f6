import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { access } from "../../../../src/controller/desired/access.ts";
import { poolerAccess } from "../../../../src/controller/desired/pooler-access.ts";
import type { PoolerFacts } from "../../../../src/controller/facts/pooler.ts";
import { member, settingsOf, viewOf } from "../views.ts";

const pooler = (difference: Partial<PoolerFacts> = {}): PoolerFacts => ({
  namespace: "db",
  name: "pool-0",
  uid: "pool-0",
  scope: "pg",
  serviceAccount: "pool",
  ip: "10.0.0.9",
  reloadApi: undefined,
  ended: false,
  terminating: false,
  container: { image: "patroni-injector:1", health: "running", why: "", restarts: 0 },
  owner: undefined,
  ...difference,
});

const namesFor = (...poolers: PoolerFacts[]) =>
  poolerAccess(viewOf({ poolers })).map(({ resource, name }) => `${resource} ${name}`);

describe("what a pooler's sidecar may do", () => {
  it("is to see exactly the slice of its cluster, and nothing else", () => {
    const settings = settingsOf({ primaryService: "writes" });
    const [role, binding, ...more] = poolerAccess(viewOf({ settings, poolers: [pooler()] }));
    assert.deepEqual(role?.object.rules, [
      {
        apiGroups: ["discovery.k8s.io"],
        resources: ["endpointslices"],
        resourceNames: ["writes"],
        verbs: ["get", "watch"],
      },
    ]);
    assert.equal(role?.name, "patroni-injector-pooler.pg.pool");
    assert.deepEqual(binding?.object.roleRef, {
      apiGroup: "rbac.authorization.k8s.io",
      kind: "Role",
      name: "patroni-injector-pooler.pg.pool",
    });
    assert.deepEqual(binding?.object.subjects, [{ kind: "ServiceAccount", name: "pool", namespace: "db" }]);
    assert.deepEqual(more, []);
  });

  it("is given once for each ServiceAccount", () => {
    const others = [pooler({ name: "pool-1" }), pooler({ name: "x-0", serviceAccount: "a" })];
    assert.deepEqual(namesFor(pooler(), ...others), [
      "roles patroni-injector-pooler.pg.a",
      "rolebindings patroni-injector-pooler.pg.a",
      "roles patroni-injector-pooler.pg.pool",
      "rolebindings patroni-injector-pooler.pg.pool",
    ]);
  });

  it("is not given to one without a sidecar, nor to one that has ended", () => {
    assert.deepEqual(namesFor(pooler({ container: undefined }), pooler({ name: "x", ended: true })), []);
  });

  it("is apart from what members may do with the same ServiceAccount", () => {
    const view = (poolers: PoolerFacts[]) => viewOf({ members: [member()], poolers });
    const shared = pooler({ serviceAccount: "pg" });
    assert.deepEqual(access(view([shared])), access(view([])));
    const names = new Set(
      [...access(view([shared])), ...poolerAccess(view([shared]))].map(({ name }) => name),
    );
    assert.equal(names.size, 2);
  });
});
