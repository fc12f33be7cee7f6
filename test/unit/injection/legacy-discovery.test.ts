import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { legacyDiscoveryContainer } from "../../../src/injection/legacy-discovery.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { cpuTimeMs } from "../../support/cpu-time.ts";

const shell = (script: string): JsonObject => ({ name: "loop", command: ["/bin/sh", "-c", script] });

const LOOPS: Readonly<Record<string, JsonObject>> = {
  "kubectl patches Endpoints": shell('while true; do\n  kubectl patch endpoints pg -p "$P"\n  sleep 5\ndone'),
  "curl patches Endpoints": shell("until false; do\n curl -X PATCH $API/endpoints/pg\n sleep 1\ndone"),
  "kubectl labels the role": shell(
    "while :; do kubectl label pod $HOSTNAME role=primary --overwrite; sleep 1; done",
  ),
  "an EndpointSlice": shell("for i in $(seq 1e9); do kubectl apply -f endpointslice; done"),
  "in args": { name: "loop", command: ["sh", "-c"], args: ["while true; do kubectl replace endpoint; done"] },
  "a Python loop": shell("while True:\n  requests.patch(url + '/endpoints')  # PATCH\n"),
};

const OTHERS: Readonly<Record<string, JsonObject>> = {
  "no command": { name: "loop" },
  "no loop": shell("kubectl patch endpoints pg"),
  "no write": shell("while true; do kubectl get endpoints; done"),
  "another object": shell("while true; do kubectl patch configmap x; done"),
  "another label": shell("while true; do kubectl label pod x color=blue; done"),
  "a word that only contains the other": shell("while true; do kubectl dispatch endpointsmith; done"),
  "a command that is no list": { name: "loop", command: "while kubectl patch endpoints" },
  "words that are no texts": { name: "loop", command: [1, null, {}] },
};

describe("a discovery loop of its own", () => {
  for (const [name, container] of Object.entries(LOOPS)) {
    test(`found: ${name}`, () =>
      assert.equal(legacyDiscoveryContainer([{ name: "db" }, container], 0), "loop"));
  }
  for (const [name, container] of Object.entries(OTHERS)) {
    test(`not found: ${name}`, () =>
      assert.equal(legacyDiscoveryContainer([{ name: "db" }, container], 0), undefined));
  }

  const loop = Object.values(LOOPS)[0] as JsonObject;
  test("Patroni's own container is not looked at", () =>
    assert.equal(legacyDiscoveryContainer([loop], 0), undefined));
  test("nor is our sidecar", () =>
    assert.equal(
      legacyDiscoveryContainer([{ name: "db" }, { ...loop, name: "patroni-injector" }], 0),
      undefined,
    ));

  test("hostile scripts take bounded time", () => {
    const hostile = ["label ", "kubectl ", "labels role ", "while kubectl label "].map((words) =>
      shell(`while endpoints ${words.repeat(64 * 1024)}`),
    );
    const start = cpuTimeMs();
    for (let round = 0; round < 25; round++) legacyDiscoveryContainer(hostile, 99);
    const took = cpuTimeMs() - start;
    assert.ok(took < 1000, `took ${Math.round(took)} ms of CPU time`);
  });
});
