import assert from "node:assert/strict";
import { it } from "node:test";
import { patroniAccess } from "../../../../src/controller/desired/patroni-access.ts";
import { at, objectsIn } from "../../../../src/json/value.ts";
import { member, settingsOf, viewOf } from "../views.ts";

const using = (leaderObject: string | undefined, openshift = false) =>
  patroniAccess(viewOf({ openshift, members: [member({ settings: settingsOf({ leaderObject }) })] }));
const granted = (desired: ReturnType<typeof patroniAccess>): string[] =>
  objectsIn(desired[0]?.object.rules).map(
    ({ resources, resourceNames, verbs }) => `${resources} ${resourceNames ?? "*"}: ${verbs}`,
  );

it("is nothing where another store than Kubernetes is used", () => assert.deepEqual(using(undefined), []));

it("is Patroni's four ConfigMaps, and the members", () => {
  assert.deepEqual(granted(using("configmaps/pg-leader")), [
    "pods *: list,watch,patch",
    "configmaps *: list,watch,create",
    "configmaps pg-leader,pg-config,pg-failover,pg-sync: get,patch",
  ]);
});

it("is Patroni's four Endpoints and a Service; on OpenShift also the right to write addresses", () => {
  const rules = [
    "pods *: list,watch,patch",
    "endpoints *: list,watch,create",
    "endpoints pg,pg-config,pg-failover,pg-sync: get,patch",
    "services *: create",
  ];
  assert.deepEqual(granted(using("endpoints/pg")), rules);
  assert.deepEqual(granted(using("endpoints/pg", true)), [...rules, "endpoints/restricted *: create"]);
});

it("is bound to the cluster's ServiceAccount, here and where the API server's own Service is", () => {
  const bindings = using("endpoints/pg").filter(({ resource }) => resource === "rolebindings");
  assert.deepEqual(
    bindings.map(({ name, object }) => [at(object, "metadata", "namespace"), name]),
    [
      ["db", "patroni.pg.pg"],
      ["default", "patroni-bypass.db.pg.pg"],
    ],
  );
  for (const { object } of bindings) {
    assert.deepEqual(object.subjects, [{ kind: "ServiceAccount", name: "pg", namespace: "db" }]);
    assert.equal(at(object, "metadata", "labels", "patroni-injector.io/namespace"), "db");
  }
});
