import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import type { PartReason } from "../../../../src/contract/reasons.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { inject, injected, named, ours, patroniPod, spiloPod } from "../world.ts";

const POD_NAME = {
  name: "PATRONI_INJECTOR_POD_NAME",
  valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } },
};
const POSTGRES = "$(PATRONI_INJECTOR_POD_NAME).pg-headless.db.svc.cluster.local:5432";
const REST_API = "$(PATRONI_INJECTOR_POD_NAME).pg-headless.db.svc.cluster.local:8008";
const BY_ENV = [
  { name: "PATRONI_POSTGRESQL_CONNECT_ADDRESS", value: POSTGRES },
  { name: "PATRONI_RESTAPI_CONNECT_ADDRESS", value: REST_API },
];
const secret = { valueFrom: { secretKeyRef: { name: "s", key: "k" } } };

/** What follows the two variables that the pod came with. */
const added = (pod: JsonObject) => inject(pod).env.slice(2);

describe("plain Patroni", () => {
  test("the pod's name, then both addresses, at the end", () => {
    const { env, applied, reasons } = inject(patroniPod());
    assert.deepEqual(
      env.map(({ name }) => name),
      ["PATRONI_SCOPE", "PATRONI_NAME", POD_NAME.name, ...BY_ENV.map(({ name }) => name)],
    );
    assert.deepEqual(env.slice(2), [POD_NAME, ...BY_ENV]);
    assert.ok(applied.includes("connect-addresses"));
    assert.deepEqual(reasons, []);
  });

  test("a container without any environment gets one", () => {
    const pod = patroniPod({ container: { env: null } });
    assert.deepEqual(inject(pod).env, [POD_NAME, ...BY_ENV]);
  });

  test("ports from the environment and from annotations", () => {
    const listen = [
      { name: "PATRONI_POSTGRESQL_LISTEN", value: "0.0.0.0:5433" },
      { name: "PATRONI_RESTAPI_LISTEN", value: "0.0.0.0:8009" },
    ];
    const ends = (pod: JsonObject) =>
      inject(pod)
        .env.slice(-2)
        .map(({ value }) => String(value).split(":")[1]);
    assert.deepEqual(ends(patroniPod({ env: listen })), ["5433", "8009"]);
    const annotations = ours({ "postgres-port": "1", "patroni-port": "2" });
    assert.deepEqual(ends(patroniPod({ env: listen, annotations })), ["1", "2"]);
  });

  test("the cluster's domain and a hostname of the user's", () => {
    const { env } = inject(patroniPod({ spec: { hostname: "mine", subdomain: null } }), {
      settings: { clusterDomain: "k8s.example" },
    });
    assert.deepEqual(
      env.slice(2).map(({ value }) => value),
      ["mine.pg-headless.db.svc.k8s.example:5432", "mine.pg-headless.db.svc.k8s.example:8008"],
    );
  });

  const kept: readonly [name: string, env: JsonObject[], reasons: PartReason[], applied: boolean][] = [
    [
      "one that the user set",
      [{ name: "PATRONI_RESTAPI_CONNECT_ADDRESS", value: "10.0.0.1:8008" }],
      ["user-set-address"],
      true,
    ],
    [
      "one from a Secret",
      [{ name: "PATRONI_POSTGRESQL_CONNECT_ADDRESS", ...secret }],
      ["user-set-address"],
      true,
    ],
    ["an empty one", [{ name: "PATRONI_POSTGRESQL_CONNECT_ADDRESS", value: "" }], ["user-set-address"], true],
    [
      "both",
      [
        { name: "PATRONI_RESTAPI_CONNECT_ADDRESS", value: "a:1" },
        { name: "PATRONI_POSTGRESQL_CONNECT_ADDRESS", value: "b:2" },
      ],
      ["user-set-address", "user-set-address"],
      false,
    ],
  ];
  for (const [name, env, reasons, applied] of kept) {
    test(`${name} stays`, () => {
      const after = inject(patroniPod({ env }));
      for (const entry of env) assert.deepEqual(named(after.env, String(entry.name)), entry);
      assert.deepEqual(after.reasons, reasons);
      assert.equal(after.applied.includes("connect-addresses"), applied);
      assert.deepEqual(
        after.env.some(({ name: variable }) => variable === POD_NAME.name),
        applied,
      );
    });
  }

  const settings = { configMapRef: { name: "settings" } };
  const hidden: readonly [
    name: string,
    envFrom: JsonObject,
    connect: string | undefined,
    reasons: PartReason[],
  ][] = [
    [
      "a ConfigMap may hold them: not written",
      settings,
      undefined,
      ["address-may-be-set", "address-may-be-set"],
    ],
    ["a ConfigMap may hold them, and the user says on: written", settings, "on", []],
    ["a Secret holds credentials: written", { secretRef: { name: "passwords" } }, undefined, []],
  ];
  for (const [name, source, connect, reasons] of hidden) {
    test(`envFrom: ${name}`, () => {
      const annotations = connect === undefined ? {} : ours({ "connect-addresses": connect });
      const after = inject(patroniPod({ annotations, container: { envFrom: [source] } }));
      assert.deepEqual(after.reasons, reasons);
      assert.equal(
        named(after.env, "PATRONI_POSTGRESQL_CONNECT_ADDRESS")?.value,
        reasons.length === 0 ? POSTGRES : undefined,
      );
    });
  }

  test("one that we wrote follows what changed", () => {
    const before = injected(patroniPod({ annotations: ours({ "postgres-port": "5433" }) }));
    const again = { ...before, metadata: { ...(before.metadata as JsonObject), annotations: {} } };
    assert.equal(named(inject(again).env, "PATRONI_POSTGRESQL_CONNECT_ADDRESS")?.value, POSTGRES);
  });
});

describe("the pod's name stands before its uses", () => {
  const order = (env: JsonObject[]) => inject(patroniPod({ container: { env } })).env.map(({ name }) => name);
  const scope = { name: "PATRONI_SCOPE", value: "pg" };
  const uses = { name: "MINE", value: `x-$(${POD_NAME.name})` };
  const [first, second] = BY_ENV as unknown as [JsonObject, JsonObject];

  test("where another webhook reversed the list", () => {
    assert.deepEqual(order([second, first, scope, POD_NAME]), [
      POD_NAME.name,
      second.name,
      first.name,
      "PATRONI_SCOPE",
    ]);
  });
  test("where the user refers to it before us", () => {
    assert.deepEqual(order([uses, scope]), [POD_NAME.name, "MINE", "PATRONI_SCOPE", first.name, second.name]);
  });
  test("where it already is, it stays", () => {
    assert.deepEqual(order([POD_NAME, scope]), [POD_NAME.name, "PATRONI_SCOPE", first.name, second.name]);
  });
  test("where it is defined again later, one definition is left", () => {
    const names = order([POD_NAME, scope, first, second, { name: POD_NAME.name, value: "other" }]);
    assert.deepEqual(names, ["PATRONI_SCOPE", POD_NAME.name, first.name, second.name]);
  });
  test("where it was given another meaning, it gets its own back, once", () => {
    const { env } = inject(
      patroniPod({
        env: [
          { name: POD_NAME.name, value: "other" },
          { name: POD_NAME.name, value: "third" },
        ],
      }),
    );
    assert.deepEqual(env.slice(2), [POD_NAME, ...BY_ENV]);
  });
});

describe("Spilo", () => {
  const value = (pod: JsonObject, name = "SPILO_CONFIGURATION") =>
    String(named(inject(pod).env, name)?.value);
  const withText = (text: string) => spiloPod({ env: [{ name: "SPILO_CONFIGURATION", value: text }] });
  const addresses = { postgresql: { connect_address: POSTGRES }, restapi: { connect_address: REST_API } };

  test("without SPILO_CONFIGURATION it gets one, after the pod's name", () => {
    const { env, applied } = inject(spiloPod());
    assert.deepEqual(
      env.map(({ name }) => name),
      ["SCOPE", POD_NAME.name, "SPILO_CONFIGURATION"],
    );
    assert.deepEqual(parse(String(env[2]?.value)), addresses);
    assert.ok(applied.includes("connect-addresses"));
  });

  test("YAML is merged with, and stays YAML", () => {
    const text = value(withText("# mine\npostgresql:\n  port: 5432\n"));
    assert.match(text, /^# mine\npostgresql:\n {2}port: 5432\n/);
    assert.deepEqual(parse(text), { ...addresses, postgresql: { port: 5432, ...addresses.postgresql } });
  });

  test("JSON is merged with, and stays JSON", () => {
    const before = { bootstrap: { dcs: { ttl: 30 } }, postgresql: { parameters: { work_mem: "4MB" } } };
    assert.deepEqual(JSON.parse(value(withText(JSON.stringify(before)))), {
      ...before,
      ...addresses,
      postgresql: { ...before.postgresql, ...addresses.postgresql },
    });
  });

  test("the pod's name is put before the variable that was there", () => {
    const { env } = inject(withText("a: 1"));
    assert.deepEqual(
      env.map(({ name }) => name),
      ["SCOPE", POD_NAME.name, "SPILO_CONFIGURATION"],
    );
  });

  test("PATRONI_CONFIGURATION counts where SPILO_CONFIGURATION is absent", () => {
    const pod = spiloPod({ env: [{ name: "PATRONI_CONFIGURATION", value: "a: 1" }] });
    assert.deepEqual(parse(value(pod, "PATRONI_CONFIGURATION")), { a: 1, ...addresses });
    assert.equal(named(inject(pod).env, "SPILO_CONFIGURATION"), undefined);
  });

  test("the last of two variables counts", () => {
    const pod = spiloPod({
      env: [
        { name: "SPILO_CONFIGURATION", value: "a: 1" },
        { name: "SPILO_CONFIGURATION", value: "b: 2" },
      ],
    });
    const values = inject(pod)
      .env.filter(({ name }) => name === "SPILO_CONFIGURATION")
      .map((entry) => parse(String(entry.value)));
    assert.deepEqual(values, [{ a: 1 }, { b: 2, ...addresses }]);
  });

  const untouched: readonly [name: string, env: JsonObject[], reasons: PartReason[], detail: RegExp][] = [
    [
      "valueFrom",
      [{ name: "SPILO_CONFIGURATION", ...secret }],
      ["spilo-configuration-from"],
      /^SPILO_CONFIGURATION$/,
    ],
    [
      "no mapping",
      [{ name: "SPILO_CONFIGURATION", value: "- a" }],
      ["spilo-configuration-invalid"],
      /^SPILO_CONFIGURATION: not a mapping$/,
    ],
    [
      "broken",
      [{ name: "SPILO_CONFIGURATION", value: "a: [" }],
      ["spilo-configuration-invalid"],
      /\(line 1, column \d+\)$/,
    ],
    [
      "both addresses set inside",
      [
        {
          name: "SPILO_CONFIGURATION",
          value: "{postgresql: {connect_address: a:1}, restapi: {connect_address: b:1}}",
        },
      ],
      ["user-set-address", "user-set-address"],
      /^postgresql\.connect_address$/,
    ],
    [
      "both addresses set by variables",
      [
        { name: "PG_CONNECT_ADDRESS", value: "a" },
        { name: "RESTAPI_CONNECT_ADDRESS", value: "b" },
      ],
      ["user-set-address", "user-set-address"],
      /^PG_CONNECT_ADDRESS$/,
    ],
    [
      "PATRONI_CONFIGURATION from a ConfigMap",
      [{ name: "PATRONI_CONFIGURATION", ...secret }],
      ["spilo-configuration-from"],
      /^PATRONI_CONFIGURATION$/,
    ],
  ];
  for (const [name, env, reasons, detail] of untouched) {
    test(`${name}: left alone`, () => {
      const after = inject(spiloPod({ env }));
      assert.deepEqual(after.env, [{ name: "SCOPE", value: "pg" }, ...env]);
      assert.deepEqual(after.reasons, reasons);
      assert.match(after.notes[0]?.detail ?? "", detail);
      assert.ok(!after.applied.includes("connect-addresses"));
    });
  }

  test("one address set by a variable: the other is merged", () => {
    const after = inject(spiloPod({ env: [{ name: "RESTAPI_CONNECT_ADDRESS", value: "b" }] }));
    assert.deepEqual(parse(String(named(after.env, "SPILO_CONFIGURATION")?.value)), {
      postgresql: addresses.postgresql,
    });
    assert.deepEqual(after.reasons, ["user-set-address"]);
    assert.ok(after.applied.includes("connect-addresses"));
  });

  test("Patroni's variables do not count for Spilo", () => {
    const pod = spiloPod({ env: [{ name: "PATRONI_RESTAPI_CONNECT_ADDRESS", value: "x:1" }] });
    assert.deepEqual(parse(value(pod)), addresses);
  });

  test("a valueFrom of null is none", () => {
    const pod = spiloPod({ env: [{ name: "SPILO_CONFIGURATION", value: "a: 1", valueFrom: null }] });
    assert.deepEqual(parse(value(pod)), { a: 1, ...addresses });
  });
});

test("plain Patroni with PATRONI_CONFIGURATION: nothing else of the environment counts there", () => {
  const after = inject(
    patroniPod({ env: [{ name: "PATRONI_CONFIGURATION", value: "scope: pg" }, ...BY_ENV] }),
  );
  assert.match(
    String(named(after.env, "PATRONI_CONFIGURATION")?.value),
    /^scope: pg\npostgresql:\n {2}connect_address: /,
  );
});

describe("names that are too long", () => {
  const domain = (length: number) => "d".repeat(length);
  const length = (name: string) => `${name}.pg-headless.db.svc.`.length;

  test("of 253 characters, it fits", () => {
    const settings = { clusterDomain: domain(253 - length("pg-0")) };
    assert.ok(inject(patroniPod(), { settings }).applied.includes("connect-addresses"));
  });
  test("of 254, it does not, and nothing is announced", () => {
    const settings = { clusterDomain: domain(254 - length("pg-0")) };
    const { applied, notes, env } = inject(patroniPod(), { settings });
    assert.ok(!applied.includes("connect-addresses"));
    assert.deepEqual(notes, [{ reason: "invalid-name", detail: "the DNS name would exceed 253 characters" }]);
    assert.equal(env.length, 2);
  });
});

test("the environment of other containers is left alone", () => {
  const other = { name: "exporter", env: [{ name: "A", value: "b" }] };
  const { spec } = inject(patroniPod({ containers: [other] }));
  assert.deepEqual(named(spec.containers, "exporter"), other);
  assert.deepEqual(added(patroniPod({ containers: [other] })), [POD_NAME, ...BY_ENV]);
});
