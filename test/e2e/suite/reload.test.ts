import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { newAuthority } from "../../cluster/authority.ts";
import { MEMBERS, PASSWORD, POSTGRES_CONTAINER } from "../manifests/patroni.ts";
import type { Deployed, Form } from "../rig/deploy.ts";
import { keepFigure } from "../rig/figures.ts";
import { until } from "../rig/kubectl.ts";
import { setStage } from "./stage.ts";

const FORM: Form = { name: "reload", dcs: "configmaps", synchronous: false, ttlSeconds: 20 };
const NAMESPACE = `e2e-${FORM.name}`;
const MAIN = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));
const TIMEOUT = { timeout: 400_000 };
const ROLLS_OUT_WITHIN = "300s";
const TURNS = 20;
/** From a touched annotation to the proof. Milliseconds. */
const PROVEN_WITHIN_MS = 10_000;

const members = Array.from({ length: MEMBERS }, (_, index) => `books-${index}`);
const settings = (version: number) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "settings", namespace: NAMESPACE },
  data: { version: String(version) },
});

describe("the reload API, with the version in a ConfigMap's volume", () => {
  const { deployed } = setStage(FORM);
  let version = 1;

  before(() => ask(deployed()), TIMEOUT);

  it("without its certificate the pods run, and the listener is closed", TIMEOUT, async () => {
    const { code, stderr } = await reload(deployed(), "pod/books-0", version);
    assert.equal(code, 1);
    assert.match(stderr, /secrets "books-tls" not found/);
  });

  it("a whole cluster, the primary last, once the certificate is there", TIMEOUT, async () => {
    const { kubectl } = deployed();
    const authority = await newAuthority("e2e");
    const names = members.map((name) => `${name}.books-headless.${NAMESPACE}.svc`) as [string, ...string[]];
    const { certPem, keyPem } = await authority.issueServer(names);
    await kubectl.apply([
      {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "books-tls", namespace: NAMESPACE },
        stringData: { "tls.crt": certPem, "tls.key": keyPem, "ca.crt": authority.certPem },
      },
    ]);
    await touch(deployed());
    const { code, stdout, stderr } = await until("the listeners", 120_000, async () => {
      const result = await reload(deployed(), "cluster/books", version);
      return result.code === 0 ? result : undefined;
    });
    assert.equal(code, 0, stderr);
    const rows = stdout.trim().split("\n").slice(1);
    assert.equal(rows.length, MEMBERS);
    assert.match(rows.at(-1) ?? "", /primary +1 +proven \(load-time\)/);
    for (const row of rows.slice(0, -1)) assert.match(row, /replica +1 +proven \(load-time\)/);
  });

  it(
    `a version is proven within ${PROVEN_WITHIN_MS / 1000} s of the change, where an annotation is touched`,
    TIMEOUT,
    async () => {
      const times: number[] = [];
      for (let turn = 0; turn < TURNS; turn++) {
        await deployed().kubectl.apply([settings(++version)]);
        const began = performance.now();
        const asked = reload(deployed(), "pod/books-1", version);
        await touch(deployed(), "books-1");
        const { code, stderr } = await asked;
        assert.equal(code, 0, stderr);
        times.push(performance.now() - began);
      }
      const sorted = times.toSorted((one, other) => one - other);
      const p95 = sorted[Math.ceil(0.95 * TURNS) - 1] ?? Number.POSITIVE_INFINITY;
      keepFigure(deployed().target, {
        kind: "number",
        what: "reload API: from a touched annotation to the proof, p95, the command's own start included",
        value: p95 / 1000,
        unit: "s",
      });
      assert.ok(p95 <= PROVEN_WITHIN_MS, `${p95} ms of ${sorted.map(Math.round).join(", ")}`);
    },
  );

  it("a version that never arrives is told with what is there", TIMEOUT, async () => {
    const { code, stdout } = await reload(deployed(), "pod/books-1", version + 5, 2);
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`version-not-materialised \\(504\\): .* version ${version} is`));
  });

  it("a ServiceAccount that the annotation does not name is refused", TIMEOUT, async () => {
    const { code, stdout } = await reload(deployed(), "pod/books-1", version, 5, "default");
    assert.equal(code, 1);
    assert.match(stdout, /forbidden \(403\)/);
  });
});

/** Asks for the reload API by annotations, which starts the pods anew. */
async function ask({ kubectl }: Deployed): Promise<void> {
  const annotations = {
    "patroni-injector.io/reload-postgres-volume": "settings",
    "patroni-injector.io/reload-postgres-secret": "books-prober",
    "patroni-injector.io/reload-tls-secret": "books-tls",
    "patroni-injector.io/reload-allow": `${NAMESPACE}/pipeline`,
  };
  await kubectl.apply([
    settings(1),
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "pipeline", namespace: NAMESPACE } },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "books-prober", namespace: NAMESPACE },
      stringData: { username: "postgres", password: PASSWORD },
    },
  ]);
  const spec = {
    containers: [{ name: POSTGRES_CONTAINER }],
    volumes: [{ name: "settings", configMap: { name: "settings" } }],
  };
  const patch = { spec: { template: { metadata: { annotations }, spec } } };
  const inNamespace = `--namespace=${NAMESPACE}`;
  await kubectl.run(["patch", "statefulset/books", inNamespace, `--patch=${JSON.stringify(patch)}`]);
  await kubectl.run(
    ["rollout", "status", "statefulset/books", inNamespace, `--timeout=${ROLLS_OUT_WITHIN}`],
    {
      timeoutMs: 320_000,
    },
  );
}

/** A change of an annotation lets the kubelet look at the pod's volumes at once. */
async function touch({ kubectl }: Deployed, ...names: string[]): Promise<void> {
  const pods = (names.length === 0 ? members : names).map((name) => `pod/${name}`);
  await kubectl.run([
    "annotate",
    "--overwrite",
    `--namespace=${NAMESPACE}`,
    ...pods,
    `touched=${Date.now()}`,
  ]);
}

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `patroni-injector reload` from the sources. */
function reload(
  { target }: Deployed,
  what: string,
  version: number,
  timeoutSeconds = 60,
  account = "pipeline",
): Promise<Said> {
  const { prefix, kubeconfig } = target.access;
  const argv = [
    ...prefix,
    process.execPath,
    MAIN,
    "reload",
    what,
    "--component=postgres",
    `--version=${version}`,
    `--timeout=${timeoutSeconds}`,
    `--namespace=${NAMESPACE}`,
    `--service-account=${account}`,
    `--kubeconfig=${kubeconfig}`,
  ];
  const [program = "", ...args] = argv;
  return new Promise((resolve) => {
    execFile(program, args, { timeout: 300_000 }, (error, stdout, stderr) =>
      resolve({
        code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1,
        stdout,
        stderr,
      }),
    );
  });
}
