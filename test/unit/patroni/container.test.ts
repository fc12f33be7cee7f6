import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject } from "../../../src/json/value.ts";
import { type FoundContainer, findPatroniContainer, flavourOf } from "../../../src/patroni/container.ts";

const env = (...names: string[]): JsonObject => ({ env: names.map((name) => ({ name, value: "x" })) });
const image = (reference: string): JsonObject => ({ image: reference });
const port = (containerPort: number): JsonObject => ({ ports: [{ containerPort }] });
const named = (name: string, ...traits: JsonObject[]): JsonObject => Object.assign({ name }, ...traits);

const found = (index: number, flavour: "patroni" | "spilo" = "patroni"): FoundContainer => ({
  kind: "found",
  index,
  flavour,
});
const none: FoundContainer = { kind: "none" };

const ROWS: readonly [name: string, containers: JsonObject[], expected: FoundContainer][] = [
  ["no containers", [], none],
  ["nothing that speaks for Patroni", [named("postgres", image("postgres:17"), port(5432))], none],
  ["the name alone says nothing", [named("patroni")], none],
  ["PATRONI_NAME", [named("a"), named("b", env("PATRONI_NAME"))], found(1)],
  ["PATRONI_SCOPE", [named("a", env("PATRONI_SCOPE"))], found(0)],
  ["PATRONI_KUBERNETES_…", [named("a", env("PATRONI_KUBERNETES_POD_IP"))], found(0)],
  ["PATRONI_CONFIGURATION", [named("a", env("PATRONI_CONFIGURATION"))], found(0)],
  ["PATRONI_LOG_LEVEL alone is no identity", [named("a", env("PATRONI_LOG_LEVEL"))], none],
  ["PATRONI_INJECTOR_… is ours", [named("a", env("PATRONI_INJECTOR_CLUSTER"))], none],
  ["SPILO_CONFIGURATION", [named("a", env("SPILO_CONFIGURATION"))], found(0, "spilo")],
  ["SCOPE", [named("a", env("SCOPE"))], found(0, "spilo")],
  ["only the port 8008", [named("a"), named("b", port(8008))], found(1)],
  ["only the image, with a registry", [named("a", image("ghcr.io/acme/patroni:4.1"))], found(0)],
  ["only the image, bare", [named("a", image("patroni"))], found(0)],
  ["only Spilo's image", [named("a", image("ghcr.io/zalando/spilo-17:4.0-p3"))], found(0, "spilo")],
  ["an image that only mentions Patroni", [named("a", image("acme/not-patroni/exporter:1"))], none],
  [
    "the environment beats the port of a proxy",
    [named("proxy", port(8008)), named("db", env("PATRONI_NAME"))],
    found(1),
  ],
  [
    "the environment beats an exporter's image",
    [named("exporter", image("acme/patroni-exporter:1")), named("db", env("PATRONI_SCOPE"))],
    found(1),
  ],
  [
    "evidence adds up",
    [named("helper", env("SCOPE")), named("db", env("SCOPE"), image("acme/spilo:3"), port(8008))],
    found(1, "spilo"),
  ],
  [
    "two of a kind are ambiguous",
    [named("one", env("PATRONI_NAME")), named("two"), named("three", env("PATRONI_SCOPE"))],
    { kind: "ambiguous", names: ["one", "three"] },
  ],
  [
    "our own sidecar is no candidate, though its image is named like Patroni's",
    [named("db", image("acme/patroni:4")), named("patroni-injector", image("acme/patroni-injector:1"))],
    found(0),
  ],
  [
    "our own sidecar is not taken for a Patroni that only shows its port",
    [named("db", port(8008)), named("patroni-injector", image("acme/patroni-injector:1"))],
    found(0),
  ],
  ["our own sidecar alone", [named("patroni-injector", image("acme/patroni-injector:1"))], none],
];

describe("the container that runs Patroni", () => {
  for (const [name, containers, expected] of ROWS) {
    test(name, () => assert.deepEqual(findPatroniContainer(containers), expected));
  }
});

test("as many containers as a request can hold", () => {
  const many = Array.from({ length: 500_000 }, () => ({ name: "a" }));
  assert.deepEqual(findPatroniContainer([...many, named("db", env("PATRONI_NAME"))]), found(500_000));
});

describe("flavour", () => {
  const rows: readonly [name: string, container: JsonObject, expected: "patroni" | "spilo"][] = [
    ["plain", named("a", env("PATRONI_NAME"), image("patroni")), "patroni"],
    ["SCOPE", named("a", env("SCOPE")), "spilo"],
    ["PGROOT", named("a", env("PGROOT")), "spilo"],
    ["SPILO_PROVIDER", named("a", env("SPILO_PROVIDER")), "spilo"],
    [
      "SPILO_CONFIGURATION beside PATRONI_NAME",
      named("a", env("PATRONI_NAME", "SPILO_CONFIGURATION")),
      "spilo",
    ],
    ["Spilo's image", named("a", image("registry.example/team/spilo-16:3.3-p1")), "spilo"],
    ["no image, no environment", named("a"), "patroni"],
  ];
  for (const [name, container, expected] of rows) {
    test(name, () => assert.equal(flavourOf(container), expected));
  }
});
