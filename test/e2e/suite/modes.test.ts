import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  CLUSTER_LABEL,
  DOMAIN,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  NAMESPACE_LABEL,
} from "../../../src/contract/names.ts";
import { asObject, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { gatedPod } from "../manifests/gated-pod.ts";
import { Kubectl, until } from "../rig/kubectl.ts";
import { patroniInjector } from "../rig/program.ts";
import { ensureInstalled } from "../rig/release.ts";
import { hasSidecar } from "../rig/sidecars.ts";
import { targetFromEnv } from "../rig/target.ts";

const NAMESPACES = {
  "e2e-audit": { [NAMESPACE_LABEL]: "audit" },
  "e2e-disabled": { [NAMESPACE_LABEL]: "disabled" },
  "e2e-fenced-in": { [NAMESPACE_LABEL]: "enabled", "pod-security.kubernetes.io/enforce": "restricted" },
} as const;
const OURS = `--selector=${MANAGED_BY_LABEL}=${MANAGED_BY}`;
const KINDS = "services,endpointslices.discovery.k8s.io,roles,rolebindings";

describe("a namespace", () => {
  const target = targetFromEnv();
  const kubectl = new Kubectl(target.access);

  before(
    async () => {
      await ensureInstalled(target);
      await kubectl.apply(
        Object.entries(NAMESPACES).map(([name, labels]) => ({
          apiVersion: "v1",
          kind: "Namespace",
          metadata: { name, labels: { ...labels } },
        })),
      );
      for (const namespace of Object.keys(NAMESPACES)) {
        await until("its ServiceAccount is there", 60_000, () =>
          kubectl.run(["get", "serviceaccount", "default", `--namespace=${namespace}`]),
        );
      }
      // An API server takes up a new webhook configuration within about a second of its being trusted.
      await until("pods are injected", 60_000, async () =>
        hasSidecar(await create("e2e-fenced-in", "probe", ["--dry-run=server"])) ? true : undefined,
      );
    },
    { timeout: 400_000 },
  );
  after(async () => {
    await kubectl.run(["delete", "namespace", ...Object.keys(NAMESPACES), "--wait=false"]);
  });

  async function said(namespace: string, name: string, flags: readonly string[] = []) {
    const input = JSON.stringify(gatedPod({ namespace, name, image: target.images.patroni }));
    const { stdout, stderr } = await kubectl.said(["create", "--filename=-", "--output=json", ...flags], {
      input,
    });
    return { pod: JSON.parse(stdout) as JsonObject, stderr };
  }
  const create = async (namespace: string, name: string, flags?: readonly string[]): Promise<JsonObject> =>
    (await said(namespace, name, flags)).pod;

  /** Whether anything of a pod's metadata is of our making. */
  const isMarked = (pod: JsonObject): boolean => JSON.stringify(pod.metadata).includes(DOMAIN);

  it("in audit mode is told what would be done, and nothing is", async () => {
    const { pod, stderr } = await said("e2e-audit", "books-0");
    assert.match(stderr, /Warning: patroni-injector: audit: would be injected/);
    assert.deepEqual([hasSidecar(pod), isMarked(pod)], [false, false]);
    assert.match((await said("e2e-audit", "books-1", ["--dry-run=server"])).stderr, /would be injected/);
  });

  it("in audit mode shows in an audit what its pods would have got, as every replica remembers it", async () => {
    const args = ["audit", "--namespace=e2e-audit", "--fail-on=never", "--output=json"];
    // Replicas of the release before may be leaving still: they are named as long as they run.
    const told = await until("every replica that runs has told", 60_000, async () => {
      const { stdout } = await patroniInjector(target, args);
      const auditMode = at(JSON.parse(stdout), "auditMode");
      const unread = objectsIn(at(auditMode, "unread"));
      if (unread.length > 0) throw new Error(JSON.stringify(unread));
      return auditMode;
    });
    const replicas = Object.keys(asObject(at(told, "since")) ?? {});
    assert.ok(replicas.length >= 2, `${replicas.join(", ")} were asked`);
    assert.deepEqual(at(told, "groups"), [{ namespace: "e2e-audit", reason: "injected", pods: ["books-0"] }]);
  });

  it("that is disabled is not told anything either", async () => {
    const { pod, stderr } = await said("e2e-disabled", "books-0");
    assert.equal(stderr, "");
    assert.deepEqual([hasSidecar(pod), isMarked(pod)], [false, false]);
  });

  it("that has opted in shows by a server-side dry-run what would come, and keeps nothing", async () => {
    const pod = await create("e2e-fenced-in", "books-0", ["--dry-run=server"]);
    assert.equal(hasSidecar(pod), true);
    assert.equal(at(pod, "metadata", "labels", CLUSTER_LABEL), "books");
    const everything = await kubectl.json(["get", `pods,${KINDS}`, "--namespace=e2e-fenced-in"]);
    assert.deepEqual(objectsIn(everything.items), []);
  });

  it("that enforces Pod Security restricted admits what was injected", async () => {
    const { pod, stderr } = await said("e2e-fenced-in", "books-0");
    assert.equal(hasSidecar(pod), true);
    assert.doesNotMatch(stderr, /PodSecurity/);
  });

  it("has objects of ours only where it has opted in", async () => {
    const ours = (namespace: string) =>
      kubectl.run(["get", KINDS, `--namespace=${namespace}`, OURS, "--output=name"]);
    await until("the Services of the opted-in namespace are there", 60_000, async () =>
      (await ours("e2e-fenced-in")).includes("service/books-primary") ? true : undefined,
    );
    assert.equal(await ours("e2e-audit"), "");
    assert.equal(await ours("e2e-disabled"), "");
  });
});
