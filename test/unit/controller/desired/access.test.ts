import assert from "node:assert/strict";
import { it } from "node:test";
import { access, accessFindings } from "../../../../src/controller/desired/access.ts";
import { objectsIn } from "../../../../src/json/value.ts";
import { member, settingsOf, viewOf } from "../views.ts";

it("lets each ServiceAccount in use read, watch and replace exactly the slice of this cluster", () => {
  const other = member({ name: "pg-1", settings: settingsOf({ serviceAccount: "other" }) });
  const objects = access(viewOf({ members: [member(), other] }));
  assert.deepEqual(
    objects.map(({ resource, name }) => `${resource} ${name}`),
    [
      "roles patroni-injector.pg.other",
      "rolebindings patroni-injector.pg.other",
      "roles patroni-injector.pg.pg",
      "rolebindings patroni-injector.pg.pg",
    ],
  );
  assert.deepEqual(objects[0]?.object.rules, [
    {
      apiGroups: ["discovery.k8s.io"],
      resources: ["endpointslices"],
      resourceNames: ["pg-primary"],
      verbs: ["get", "watch", "update"],
    },
  ]);
});

it("and to read and watch the leader object, with Kubernetes as DCS", () => {
  const leads = member({ settings: settingsOf({ leaderObject: "configmaps/pg-leader" }) });
  const [role] = access(viewOf({ members: [leads] }));
  assert.deepEqual(objectsIn(role?.object.rules)[1], {
    apiGroups: [""],
    resources: ["configmaps"],
    resourceNames: ["pg-leader"],
    verbs: ["get", "watch"],
  });
});

it("asks OpenShift for the right to write pods' addresses, and nobody else", () => {
  const rules = (openshift: boolean) =>
    access(viewOf({ openshift }))[0]?.object.rules as { resources: string[] }[];
  assert.ok(rules(true).some(({ resources }) => resources.includes("endpointslices/restricted")));
  assert.ok(!rules(false).some(({ resources }) => resources.includes("endpointslices/restricted")));
});

it("reports a ServiceAccount that several clusters share", () => {
  assert.deepEqual(accessFindings(viewOf({ sharedServiceAccounts: ["default"] })), [
    { reason: "shared-serviceaccount", detail: "ServiceAccount default" },
  ]);
});
