import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { replicationRules } from "../../../../src/audit/checks/replication-rules.ts";
import { slimConfigMap } from "../../../../src/audit/hba/config-maps.ts";
import type { JsonObject } from "../../../../src/json/value.ts";
import { audited, member, namespace, object, statefulSet } from "../world.ts";

const LETS_IN = ["host replication standby all md5"];
const SHUTS_OUT = ["host all all all md5"];
const MESSAGE = "no rule fits standby from";

type Rules = string[] | string | null;

/** A Patroni configuration, with the user that all fixtures have. */
const configuration = (
  pg_hba: Rules | undefined,
  more: JsonObject = {},
  postgresql: JsonObject = {},
): string =>
  JSON.stringify({
    scope: "pg",
    postgresql: {
      authentication: { replication: { username: "standby", password: "secret" } },
      ...(pg_hba === undefined ? {} : { pg_hba }),
      ...postgresql,
    },
    ...more,
  });

const variable = (name: string, value: string): JsonObject => ({ name, value });
const SCOPE = variable("PATRONI_SCOPE", "pg");
const USER = variable("PATRONI_REPLICATION_USERNAME", "standby");

/** A pod's spec with one container that runs Patroni. */
const running = (
  env: readonly JsonObject[],
  container: JsonObject = {},
  spec: JsonObject = {},
): JsonObject => ({
  containers: [{ name: "postgres", image: "example.test/db", env: [...env], ...container }],
  ...spec,
});

const inEnvironment = (name: string, text: string): JsonObject => running([SCOPE, variable(name, text)]);
const inSpilo = (text: string, ...more: JsonObject[]): JsonObject =>
  running([variable("SCOPE", "pg"), variable("SPILO_CONFIGURATION", text), ...more]);

const mounted = (
  volume: JsonObject,
  mount: JsonObject = { mountPath: "/etc/patroni" },
  path = "/etc/patroni",
) =>
  running(
    [SCOPE],
    { command: ["patroni", path], volumeMounts: [{ name: "config", ...mount }] },
    { volumes: [{ name: "config", ...volume }] },
  );
const FILE = "/etc/patroni/patroni.yml";
const inConfigMap = mounted({ configMap: { name: "patroni" } }, undefined, FILE);
const configMap = (data: JsonObject): JsonObject => object("ConfigMap", "patroni", { data });

const stored = (config: JsonObject): JsonObject[] => [
  object("ConfigMap", "pg-leader", {}, { annotations: { leader: "pg-0" } }),
  object("ConfigMap", "pg-config", {}, { annotations: { config: JSON.stringify(config) } }),
];
const storedRules = (pg_hba: Rules): JsonObject[] => stored({ postgresql: { pg_hba } });

/** Where Patroni keeps its lock in ConfigMaps. */
const withDcs = (spec: JsonObject): JsonObject => {
  const [container] = spec.containers as [JsonObject];
  const env = [
    ...(container.env as JsonObject[]),
    variable("PATRONI_KUBERNETES_LABELS", "{application: patroni}"),
    variable("DCS_ENABLE_KUBERNETES_API", "true"),
    variable("KUBERNETES_USE_CONFIGMAPS", "true"),
  ];
  return { ...spec, containers: [{ ...container, env }] };
};

/** As an audit of a cluster has it: ConfigMaps lose what is not needed. */
const live = (spec: JsonObject, ...others: readonly JsonObject[]) =>
  audited([replicationRules], {
    objects: [
      namespace("db"),
      ...[0, 1].map((ordinal) => member(ordinal, withDcs(spec))),
      ...others.map((each) => (each.kind === "ConfigMap" ? slimConfigMap(each) : each)),
    ],
  });

const offline = (spec: JsonObject, ...others: readonly JsonObject[]) =>
  audited([replicationRules], {
    live: false,
    objects: [namespace("db"), statefulSet(withDcs(spec)), ...others],
  });

type Outcome = ReturnType<typeof live>;
const isClean = ({ findings, unseen }: Outcome): void => {
  assert.deepEqual(findings, []);
  assert.deepEqual(unseen, []);
};
const hasFound = ({ findings, unseen }: Outcome, place: string, evidence: string): void => {
  assert.deepEqual(unseen, []);
  assert.deepEqual(
    findings.map(({ code, object: { kind, name }, field }) => [code, `${kind}/${name}: ${field}`]),
    [["pg-hba-replication", place]],
  );
  assert.equal(findings[0]?.evidence, evidence);
};
const isUnseen = ({ findings, unseen }: Outcome, why: string): void => {
  assert.deepEqual(findings, []);
  assert.deepEqual(unseen, [{ codes: ["pg-hba-replication"], why }]);
};

const ENV = "spec.containers.0.env.1.value";
const HERE = "10.244.0.1 (pg-0)";

describe("each place trips, or just does not", () => {
  for (const [what, place, from, of] of [
    [
      "PATRONI_CONFIGURATION",
      `Pod/pg-0: ${ENV}`,
      "postgresql.pg_hba in PATRONI_CONFIGURATION",
      (rules: Rules) =>
        live(inEnvironment("PATRONI_CONFIGURATION", configuration(rules)), ...storedRules(LETS_IN)),
    ],
    [
      "SPILO_CONFIGURATION",
      `Pod/pg-0: ${ENV}`,
      "postgresql.pg_hba in SPILO_CONFIGURATION",
      (rules: Rules) => live(inSpilo(configuration(rules)), ...storedRules(LETS_IN)),
    ],
    [
      "a mounted ConfigMap",
      "ConfigMap/patroni: data.patroni\\.yml",
      "postgresql.pg_hba in patroni.yml of ConfigMap patroni",
      (rules: Rules) =>
        live(inConfigMap, configMap({ "patroni.yml": configuration(rules) }), ...storedRules(LETS_IN)),
    ],
    [
      "the dynamic configuration",
      "Pod/pg-0: postgresql.pg_hba",
      "postgresql.pg_hba in the dynamic configuration",
      (rules: Rules) => live(running([SCOPE, USER]), ...storedRules(rules)),
    ],
    [
      "the dynamic configuration, below a local one without rules",
      "Pod/pg-0: postgresql.pg_hba",
      "postgresql.pg_hba in the dynamic configuration",
      (rules: Rules) =>
        live(inEnvironment("PATRONI_CONFIGURATION", configuration(undefined)), ...storedRules(rules)),
    ],
  ] as const) {
    test(`${what} trips`, () => hasFound(of(SHUTS_OUT), place, `${MESSAGE} ${HERE} (${from})`));
    test(`${what} just does not`, () => isClean(of([...SHUTS_OUT, ...LETS_IN])));
  }

  const TEMPLATE = `StatefulSet/pg: spec.template.${ENV}`;
  for (const [what, place, from, of] of [
    [
      "PATRONI_CONFIGURATION",
      TEMPLATE,
      "postgresql.pg_hba in PATRONI_CONFIGURATION",
      (rules: Rules) => offline(inEnvironment("PATRONI_CONFIGURATION", configuration(rules))),
    ],
    [
      "a mounted ConfigMap",
      "ConfigMap/patroni: data.patroni\\.yml",
      "postgresql.pg_hba in patroni.yml of ConfigMap patroni",
      (rules: Rules) => offline(inConfigMap, configMap({ "patroni.yml": configuration(rules) })),
    ],
    [
      "bootstrap.dcs",
      TEMPLATE,
      "postgresql.pg_hba in bootstrap.dcs in PATRONI_CONFIGURATION",
      (pg_hba: Rules) =>
        offline(
          inEnvironment(
            "PATRONI_CONFIGURATION",
            configuration(undefined, {
              bootstrap: { dcs: { postgresql: { pg_hba } }, pg_hba: LETS_IN },
            }),
          ),
        ),
    ],
    [
      "bootstrap.pg_hba",
      TEMPLATE,
      "bootstrap.pg_hba in PATRONI_CONFIGURATION",
      (pg_hba: Rules) =>
        offline(inEnvironment("PATRONI_CONFIGURATION", configuration(undefined, { bootstrap: { pg_hba } }))),
    ],
  ] as const) {
    test(`in manifests, ${what} trips`, () =>
      hasFound(of(SHUTS_OUT), place, `${MESSAGE} another member of pg (${from})`));
    test(`in manifests, ${what} just does not`, () => isClean(of([...SHUTS_OUT, ...LETS_IN])));
  }
});

describe("which place counts", () => {
  test("what a new cluster would get is nothing to one that runs", () => {
    const bootstrap = { dcs: { postgresql: { pg_hba: LETS_IN } }, pg_hba: LETS_IN };
    const spec = inEnvironment("PATRONI_CONFIGURATION", configuration(undefined, { bootstrap }));
    assert.equal(live(spec, ...storedRules(SHUTS_OUT)).findings.length, 1);
    isUnseen(live(spec, ...stored({})), "pg_hba is not in the dynamic configuration");
  });

  for (const empty of [[], null, ""])
    test(`${JSON.stringify(empty)} hides the dynamic rules, and writes none`, () =>
      isUnseen(
        live(inEnvironment("PATRONI_CONFIGURATION", configuration(empty)), ...storedRules(LETS_IN)),
        "pg_hba is empty in PATRONI_CONFIGURATION: PostgreSQL keeps the file that it has",
      ));

  test("Spilo's own template counts where the user says nothing, before the dynamic rules", () => {
    isClean(live(inSpilo("{}"), ...storedRules(SHUTS_OUT)));
    isClean(live(inSpilo(configuration(null)), ...storedRules(SHUTS_OUT)));
    isClean(offline(inSpilo("{}")));
  });

  test("an empty list of the user's counts before Spilo's own template", () =>
    isUnseen(
      live(inSpilo(configuration([])), ...storedRules(LETS_IN)),
      "pg_hba is empty in SPILO_CONFIGURATION: PostgreSQL keeps the file that it has",
    ));

  test("Spilo's own template lets in its own user, and no other", () => {
    const other = { postgresql: { authentication: { replication: { username: "replicator" } } } };
    hasFound(
      live(inSpilo(JSON.stringify(other)), ...storedRules(LETS_IN)),
      "Pod/pg-0: postgresql.pg_hba",
      `no rule fits replicator from ${HERE} (Spilo's own template)`,
    );
    isClean(live(inSpilo(JSON.stringify(other), variable("PGUSER_STANDBY", "replicator")), ...stored({})));
    const secret = { name: "PGUSER_STANDBY", valueFrom: { secretKeyRef: { name: "pg", key: "user" } } };
    isClean(live(inSpilo("{}", secret), ...stored({})));
  });

  test("Spilo takes PATRONI_CONFIGURATION where there is no other", () => {
    const text = configuration(SHUTS_OUT);
    const both = inSpilo(configuration(LETS_IN), variable("PATRONI_CONFIGURATION", text));
    isClean(live(both, ...stored({})));
    const one = running([variable("SCOPE", "pg"), variable("PATRONI_CONFIGURATION", text)]);
    assert.equal(live(one, ...stored({})).findings.length, 1);
  });

  test("a mounted file counts before PATRONI_CONFIGURATION", () => {
    const [container] = inConfigMap.containers as [JsonObject];
    const env = [SCOPE, variable("PATRONI_CONFIGURATION", configuration(SHUTS_OUT))];
    const spec = { ...inConfigMap, containers: [{ ...container, env }] };
    isClean(live(spec, configMap({ "patroni.yml": configuration(LETS_IN) }), ...stored({})));
  });

  test("of a folder the later file counts", () => {
    const data = {
      "10.yml": configuration(SHUTS_OUT),
      "20.yaml": configuration(LETS_IN),
      "30.conf": "scope: x",
    };
    const volume = { projected: { sources: [{ configMap: { name: "patroni" } }] } };
    isClean(live(mounted(volume), configMap(data), ...stored({})));
    const turned = { ...data, "10.yml": data["20.yaml"], "20.yaml": data["10.yml"] };
    const { findings } = live(mounted(volume), configMap(turned), ...stored({}));
    assert.deepEqual(
      findings.map(({ field }) => field),
      ["data.20\\.yaml"],
    );
  });

  test("a null in a later file of a folder takes the rules of an earlier one away, not those of the DCS", () => {
    const map = configMap({ "10.yml": configuration(SHUTS_OUT), "20.yml": configuration(null) });
    isClean(live(mounted({ configMap: { name: "patroni" } }), map, ...storedRules(LETS_IN)));
    const whole = configMap({
      "10.yml": configuration(SHUTS_OUT),
      "20.yml": '{"scope":"pg","postgresql":null}',
    });
    const { findings } = live(
      mounted({ configMap: { name: "patroni" } }),
      whole,
      ...storedRules(["host replication all all md5"]),
    );
    assert.deepEqual(findings, []);
  });

  test("the innermost mount counts", () => {
    const volumes = [
      { name: "outer", configMap: { name: "outer" } },
      { name: "config", configMap: { name: "patroni" } },
    ];
    const volumeMounts = [
      { name: "outer", mountPath: "/etc" },
      { name: "config", mountPath: "/etc/patroni" },
    ];
    const spec = running([SCOPE], { command: ["patroni", FILE], volumeMounts }, { volumes });
    const outer = object("ConfigMap", "outer", { data: { "patroni.yml": configuration(SHUTS_OUT) } });
    isClean(live(spec, outer, configMap({ "patroni.yml": configuration(LETS_IN) }), ...stored({})));
  });

  test("a key under another name, and a file mounted by itself", () => {
    const items = [{ key: "any", path: "patroni.yml" }];
    const map = configMap({ any: configuration(SHUTS_OUT), other: configuration(LETS_IN) });
    const renamed = mounted({ configMap: { name: "patroni", items } }, undefined, FILE);
    assert.equal(live(renamed, map, ...stored({})).findings[0]?.field, "data.any");
    const single = mounted({ configMap: { name: "patroni" } }, { mountPath: FILE, subPath: "other" }, FILE);
    isClean(live(single, map, ...stored({})));
  });

  test("a variable that a ConfigMap fills", () => {
    const map = configMap({ PATRONI_CONFIGURATION: configuration(SHUTS_OUT) });
    const place = "ConfigMap/patroni: data.PATRONI_CONFIGURATION";
    const configMapKeyRef = { name: "patroni", key: "PATRONI_CONFIGURATION" };
    const entry = { name: "PATRONI_CONFIGURATION", valueFrom: { configMapKeyRef } };
    const renamed = configMap({ CONFIGURATION: configuration(LETS_IN) });
    const envFrom = [{ configMapRef: { name: "patroni" }, prefix: "PATRONI_" }];
    isClean(live(running([SCOPE], { envFrom }), renamed, ...storedRules(SHUTS_OUT)));
    for (const spec of [
      running([SCOPE, entry]),
      running([SCOPE], { envFrom: [{ configMapRef: { name: "patroni" } }] }),
    ])
      hasFound(
        live(spec, map, ...storedRules(LETS_IN)),
        place,
        `${MESSAGE} ${HERE} (postgresql.pg_hba in PATRONI_CONFIGURATION of ConfigMap patroni)`,
      );
  });

  test("a file that is made in the container hides nothing", () => {
    const spec = running([SCOPE, USER], {
      command: ["sh", "-c", "make > /tmp/p.yml; exec patroni /tmp/p.yml"],
    });
    isClean(live(spec, ...storedRules(LETS_IN)));
    assert.equal(live(spec, ...storedRules(SHUTS_OUT)).findings.length, 1);
  });
});

describe("as whom members connect", () => {
  const rules = { "patroni.yml": configuration(["host replication env all md5"]) };
  const withEnv = (name: string) => {
    const [container] = inConfigMap.containers as [JsonObject];
    return { ...inConfigMap, containers: [{ ...container, env: [SCOPE, variable(name, "env")] }] };
  };
  test("Patroni's environment counts before its file", () =>
    isClean(live(withEnv("PATRONI_REPLICATION_USERNAME"), configMap(rules), ...stored({}))));
  test("Spilo's does not", () =>
    assert.equal(live(withEnv("PGUSER_STANDBY"), configMap(rules), ...stored({})).findings.length, 1));
  test("beside PATRONI_CONFIGURATION Patroni's environment does not count", () => {
    const entry = variable("PATRONI_REPLICATION_USERNAME", "env");
    const spec = running([SCOPE, variable("PATRONI_CONFIGURATION", configuration(LETS_IN)), entry]);
    isClean(live(spec, ...stored({})));
  });
  test("Spilo does not read Patroni's", () =>
    isClean(
      live(inSpilo(configuration(LETS_IN), variable("PATRONI_REPLICATION_USERNAME", "env")), ...stored({})),
    ));
});

describe("what cannot be known is unseen", () => {
  const PLAIN = "PATRONI_CONFIGURATION";
  const from = (name: string, source: string): JsonObject => ({
    name,
    valueFrom: { [source]: { name: "x", key: "y" } },
  });
  const HBA_FILE = { parameters: { hba_file: "/etc/hba" } };
  const initial = (bootstrap: JsonObject): JsonObject =>
    inEnvironment(PLAIN, configuration(undefined, { bootstrap }));
  for (const [what, why, outcome] of [
    [
      "a file of its own",
      "hba_file is /etc/hba: Patroni does not write it",
      () => live(inEnvironment(PLAIN, configuration(SHUTS_OUT, {}, HBA_FILE)), ...stored({})),
    ],
    [
      "a file of its own, by the DCS",
      "hba_file is /etc/hba: Patroni does not write it",
      () => live(inEnvironment(PLAIN, configuration(SHUTS_OUT)), ...stored({ postgresql: HBA_FILE })),
    ],
    [
      "a Secret's value",
      "PATRONI_CONFIGURATION comes from what is not read",
      () => live(running([SCOPE, from(PLAIN, "secretKeyRef")]), ...storedRules(SHUTS_OUT)),
    ],
    [
      "a Secret's file",
      "/etc/patroni/patroni.yml is of Secret s, which is not read",
      () => live(mounted({ secret: { secretName: "s" } }, undefined, FILE), ...storedRules(SHUTS_OUT)),
    ],
    [
      "a Secret's file among others",
      "/etc/patroni is of Secret s, which is not read",
      () =>
        live(
          mounted({
            projected: { sources: [{ configMap: { name: "patroni" } }, { secret: { name: "s" } }] },
          }),
          configMap({ "patroni.yml": configuration(SHUTS_OUT) }),
          ...stored({}),
        ),
    ],
    ["a ConfigMap that is not there", "there is no ConfigMap db/patroni", () => offline(inConfigMap)],
    [
      "a broken file",
      "/etc/patroni/patroni.yml holds no configuration of Patroni that could be read",
      () => live(inConfigMap, configMap({ "patroni.yml": "scope: [" }), ...storedRules(SHUTS_OUT)),
    ],
    [
      "a broken file, in manifests",
      "patroni.yml of ConfigMap patroni cannot be read: not a mapping",
      () => offline(inConfigMap, configMap({ "patroni.yml": "- scope" })),
    ],
    [
      "no list",
      "postgresql.pg_hba in PATRONI_CONFIGURATION is no list",
      () => live(inEnvironment(PLAIN, configuration("host all")), ...stored({})),
    ],
    [
      "a template's rule",
      "whether postgresql.pg_hba in PATRONI_CONFIGURATION lets in standby from another member of pg cannot be told",
      () => offline(inEnvironment(PLAIN, configuration(["host {{database}} all all md5"]))),
    ],
    [
      "a network, where no pod has an address yet",
      "whether postgresql.pg_hba in PATRONI_CONFIGURATION lets in standby from another member of pg cannot be told",
      () => offline(inEnvironment(PLAIN, configuration(["host replication all 10.0.0.0/8 md5"]))),
    ],
    ["nothing", "pg_hba stands in none of these manifests", () => offline(running([SCOPE, USER]))],
    [
      "a script that may write rules",
      "which pg_hba.conf bootstrap.post_init leaves cannot be told",
      () => offline(initial({ post_init: "/x", pg_hba: ["local all all trust"] })),
    ],
    [
      "a method of one's own",
      "which pg_hba.conf bootstrap.method: clone leaves cannot be told",
      () => offline(initial({ method: "clone" })),
    ],
  ] as const)
    test(what, () => isUnseen(outcome(), why));

  test("one member's configuration hides no other's", () => {
    const secret = member(0, withDcs(mounted({ secret: { secretName: "s" } })));
    const other = member(
      1,
      withDcs(inEnvironment(PLAIN, configuration(["host replication all all reject"]))),
    );
    const { findings, unseen } = audited([replicationRules], {
      objects: [namespace("db"), secret, other, ...stored({})],
    });
    assert.equal(findings[0]?.object.name, "pg-1");
    assert.equal(unseen.length, 1);
  });
});

test("initdb's own rules let in nobody from elsewhere", () =>
  hasFound(
    offline(inEnvironment("PATRONI_CONFIGURATION", configuration(undefined))),
    `StatefulSet/pg: spec.template.${ENV}`,
    `${MESSAGE} another member of pg (initdb, as PATRONI_CONFIGURATION has no pg_hba)`,
  ));

test("of a ConfigMap nothing else is kept", () => {
  const data = {
    "patroni.yml": configuration(LETS_IN),
    script: "#!/bin/sh\nexec patroni",
    large: `scope: ${"x".repeat(200_000)}`,
    "app.yml": "a: 1",
  };
  const slim = slimConfigMap({ ...configMap(data), binaryData: { jar: "" } });
  assert.deepEqual(Object.keys(slim.data as JsonObject), ["patroni.yml"]);
  assert.ok(!JSON.stringify(slim).includes("secret"));
  assert.equal(slim.binaryData, undefined);
  assert.equal(slimConfigMap(configMap({ a: "b" })).data, undefined);
});
