import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { annotationKey } from "../../../src/contract/annotations.ts";
import { NAMESPACE_LABEL, SIDECAR_CONTAINER } from "../../../src/contract/names.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { newAuthority } from "../../cluster/authority.ts";
import {
  PEER_AUTHENTICATION_CRD,
  standInConfiguration,
  standInHost,
  standInObjects,
} from "../manifests/istio-stand-in.ts";
import { POSTGRES_CONTAINER } from "../manifests/patroni.ts";
import type { Deployed, Form } from "../rig/deploy.ts";
import { Kubectl, until } from "../rig/kubectl.ts";
import { targetFromEnv } from "../rig/target.ts";
import { extent } from "./selection.ts";
import { setStage } from "./stage.ts";

const FORM: Form = { name: "mesh", dcs: "configmaps", synchronous: false, ttlSeconds: 20 };
const MESHED = `e2e-${FORM.name}`;
const NAMESPACE = "e2e-istio-system";
const PROGRAM = join(import.meta.dirname, "../client/istio-stand-in.py");
const EXCLUDED = "traffic.sidecar.istio.io/excludeInboundPorts";
const SEEN = "e2e/excluded-ports-seen";
const FURTHER_PORT = "9187";
const TIMEOUT = { timeout: 600_000 };

describe("Istio, as far as a stand-in goes", { skip: extent === "quick" }, () => {
  const kubectl = new Kubectl(targetFromEnv().access);
  const made: (readonly string[])[] = [];
  before(() => startStandIn(kubectl, made), { timeout: 180_000 });
  const { deployed } = setStage(FORM);
  after(async () => {
    for (const object of made.toReversed())
      await kubectl.run(["delete", ...object, "--wait=false", "--ignore-not-found"]);
  });

  it("was called after us and before us again, and all containers run", async () => {
    for (const { name, object } of await deployed().members.pods()) {
      const containers = allContainers(object);
      assert.deepEqual(
        containers.map((container) => container.name),
        ["istio-proxy", SIDECAR_CONTAINER, POSTGRES_CONTAINER],
        name,
      );
      assert.deepEqual(portsIn(annotation(object, SEEN)), ["5432", "8008", "8011"], "it came after us");
      const [, sidecar, patroni] = containers;
      assert.equal(at(patroni, "readinessProbe", "httpGet", "path"), "/app-health/postgres/readyz");
      // It sends every HTTP probe through its proxy, ours too: that this one is direct is our second call's work.
      assert.equal(at(sidecar, "livenessProbe", "httpGet", "path"), "/healthz", "we came after it");
      assert.equal(at(sidecar, "livenessProbe", "httpGet", "port"), 8011);
    }
  });

  it("is told by a policy of the ports that the pods leave out", async () => {
    await inStep(deployed(), ["5432", "8008", "8011"]);
  });

  it("is told of a further port when the pods leave it out", TIMEOUT, async () => {
    const { members } = deployed();
    const annotations = { [annotationKey("exclude-ports")]: FURTHER_PORT };
    const patch = JSON.stringify({ spec: { template: { metadata: { annotations } } } });
    await kubectl.run(["patch", "statefulset", members.scope, `--namespace=${MESHED}`, `--patch=${patch}`]);
    const status = ["rollout", "status", `statefulset/${members.scope}`, `--namespace=${MESHED}`];
    await kubectl.run([...status, "--timeout=300s"], { timeoutMs: 320_000 });
    await inStep(deployed(), ["5432", "8008", "8011", FURTHER_PORT]);
  });
});

/** Refuses to stand beside an Istio that is there already: `create` fails, and only what was made here is removed. */
async function startStandIn(kubectl: Kubectl, made: (readonly string[])[]): Promise<void> {
  const create = async (object: JsonObject): Promise<void> => {
    await kubectl.run(["create", "--filename=-"], { input: JSON.stringify(object) });
    made.push([String(object.kind), String(at(object, "metadata", "name"))]);
  };
  await create(PEER_AUTHENTICATION_CRD);
  await create({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
  await create({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: MESHED, labels: { [NAMESPACE_LABEL]: "enabled" } },
  });
  const authority = await newAuthority("istio-stand-in");
  const standIn = {
    namespace: NAMESPACE,
    meshed: MESHED,
    image: targetFromEnv().images.patroni,
    program: await readFile(PROGRAM, "utf8"),
    certificate: await authority.issueServer([standInHost(NAMESPACE)]),
    authorityPem: authority.certPem,
  };
  await kubectl.apply(standInObjects(standIn));
  await kubectl.run([
    "wait",
    "pod/istiod",
    `--namespace=${NAMESPACE}`,
    "--for=condition=Ready",
    "--timeout=90s",
  ]);
  await create(standInConfiguration(standIn));
}

/** Waits until the pods, the policy and the headless Service name these ports: a policy counts for ports of a Service only. */
async function inStep({ kubectl, members }: Deployed, ports: readonly string[]): Promise<void> {
  for (const { name, object } of await members.pods()) {
    assert.deepEqual(portsIn(annotation(object, EXCLUDED)), ports.toSorted(), name);
  }
  const get = (kind: string, name: string) =>
    kubectl.json(["get", kind, name, `--namespace=${members.namespace}`]);
  await until(`the policy disables mTLS for ${ports.join()}`, 60_000, async () => {
    const policy = await get("peerauthentication", `patroni-injector-${members.scope}`);
    const entries = Object.entries(asObject(at(policy, "spec", "portLevelMtls")) ?? {});
    assert.ok(entries.every(([, entry]) => at(entry, "mode") === "DISABLE"));
    assert.deepEqual(entries.map(([port]) => port).sort(), ports.toSorted());
    const service = await get("service", `${members.scope}-headless`);
    const served = objectsIn(at(service, "spec", "ports")).map(({ port }) => String(port));
    assert.deepEqual(served.sort(), ports.toSorted());
    return true;
  });
}

const annotation = (pod: JsonObject, key: string): string =>
  asString(at(pod, "metadata", "annotations", key)) ?? "";

const portsIn = (list: string): string[] => list.split(",").sort();

const allContainers = (pod: JsonObject): JsonObject[] => [
  ...objectsIn(at(pod, "spec", "initContainers")),
  ...objectsIn(at(pod, "spec", "containers")),
];
