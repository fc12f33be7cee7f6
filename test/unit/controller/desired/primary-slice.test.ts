import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addressTypeOf, sliceSkeleton } from "../../../../src/controller/desired/primary-slice.ts";
import { at, type JsonObject } from "../../../../src/json/value.ts";
import { service, settingsOf, viewOf } from "../views.ts";

describe("the skeleton of the primary's slice", () => {
  const skeleton = sliceSkeleton(viewOf(), service());

  it("belongs to the Service, by name, label and owner, and is kept by us", () => {
    assert.equal(at(skeleton, "metadata", "name"), "pg-primary");
    assert.deepEqual(at(skeleton, "metadata", "labels"), {
      "app.kubernetes.io/managed-by": "patroni-injector",
      "patroni-injector.io/cluster": "pg",
      "kubernetes.io/service-name": "pg-primary",
      "endpointslice.kubernetes.io/managed-by": "patroni-injector.io",
    });
    assert.deepEqual(at(skeleton, "metadata", "ownerReferences"), [
      { apiVersion: "v1", kind: "Service", name: "pg-primary", uid: "service-uid", controller: true },
    ]);
  });

  it("holds nobody", () => assert.deepEqual(skeleton.endpoints, []));

  it("remembers the Service's address", () => {
    assert.equal(at(skeleton, "metadata", "annotations", "patroni-injector.io/cluster-ip"), "10.96.0.9");
    const headless = sliceSkeleton(viewOf(), service({ clusterIP: "None" }));
    assert.deepEqual(at(headless, "metadata", "annotations"), {});
  });
});

const PORTS: readonly [what: string, ports: JsonObject[], slice: string[]][] = [
  [
    "one port: PostgreSQL's number, whatever it says",
    [{ name: "db", port: 6543, targetPort: 6543 }],
    ["db 5432"],
  ],
  ["a port without a name", [{ port: 5432 }], [" 5432"]],
  ["no ports", [], ["tcp-postgres 5432"]],
  [
    "several ports",
    [
      { name: "db", port: 5432, targetPort: 5432 },
      { name: "exporter", port: 80, targetPort: 9187 },
    ],
    ["db 5432", "exporter 9187"],
  ],
];

describe("its ports have the Service's names and numbers of their own", () => {
  for (const [what, ports, wanted] of PORTS) {
    it(what, () => {
      const skeleton = sliceSkeleton(viewOf({ settings: settingsOf() }), service({ ports }));
      const given = skeleton.ports as { name: string; port: number }[];
      assert.deepEqual(
        given.map(({ name, port }) => `${name} ${port}`),
        wanted,
      );
    });
  }
});

describe("its address family", () => {
  const rows: readonly [JsonObject, "IPv4" | "IPv6"][] = [
    [{ ipFamilies: ["IPv6"] }, "IPv6"],
    [{ ipFamilies: ["IPv6", "IPv4"] }, "IPv6"],
    [{ ipFamilies: ["IPv4", "IPv6"] }, "IPv4"],
    [{ ipFamilies: undefined, clusterIP: "fd00::9" }, "IPv6"],
    [{ ipFamilies: undefined, clusterIP: "None" }, "IPv4"],
  ];
  for (const [spec, family] of rows) {
    it(`${JSON.stringify(spec)}: ${family}`, () => assert.equal(addressTypeOf(service(spec)), family));
  }
});
