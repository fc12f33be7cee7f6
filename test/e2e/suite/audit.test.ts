import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { NAMESPACE_LABEL } from "../../../src/contract/names.ts";
import { settle } from "../faults/observation.ts";
import { restartMember } from "../faults/restart-members.ts";
import {
  carefulObjects,
  closedPolicies,
  exposedService,
  hastyStatefulSet,
  openPolicies,
  operatorObjects,
  staleService,
  trimmedRole,
} from "../manifests/audited.ts";
import { type Deployed, deploy, type Form } from "../rig/deploy.ts";
import { Kubectl, until } from "../rig/kubectl.ts";
import { ensureInstalled } from "../rig/release.ts";
import { targetFromEnv } from "../rig/target.ts";
import { auditOf } from "./auditing.ts";
import { extent } from "./selection.ts";

const FORM: Form = { name: "audit-healthy", dcs: "configmaps", synchronous: true, ttlSeconds: 20 };
const OPERATOR = "e2e-audit-operator";
const TIMEOUT = { timeout: 900_000 };
const MENDS_WITHIN_MS = 60_000;

/** What is planted, by the code that an audit must find it under; the first half a manifest can mend. */
const MENDED = [
  "blocked-api-server",
  "blocked-operator",
  "stale-endpoints",
  "patroni-default-permissions",
  "patroni-permissions",
  "no-disruption-budget",
];
const LEFT = [
  "pg-hba-replication",
  "pending-restart",
  "no-grace",
  "exposed-port",
  "not-injected",
  "announces-ip",
];

describe("an audit", { skip: extent === "quick" }, () => {
  const target = targetFromEnv();
  const kubectl = new Kubectl(target.access);
  let healthy: Deployed;
  let faulty: Deployed;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "patroni-injector-e2e-audit-"));
    await ensureInstalled(target);
    await kubectl.apply(operatorObjects(OPERATOR, target.images.patroni));
    healthy = await deploy(target, FORM);
    const name = "audit-faulty";
    await kubectl.apply(staleService(`e2e-${name}`, healthy.service));
    faulty = await deploy(target, { ...FORM, name });
    const { namespace, scope } = healthy.members;
    await kubectl.apply([
      ...carefulObjects({ namespace, scope }),
      ...openPolicies({ namespace, scope }, OPERATOR),
    ]);
    await plant(faulty);
  }, TIMEOUT);
  after(async () => {
    await healthy?.remove();
    await faulty?.remove();
    await kubectl.run(["delete", "namespace", OPERATOR, "--wait=false", "--ignore-not-found"]);
    // What stands in `default` outlives the namespaces: of the careful user, and of the fix.
    const grants = [healthy, faulty].flatMap(({ members: { namespace, scope } }) =>
      [`${namespace}-${scope}`, `patroni-${namespace}.${scope}`].flatMap((name) => [
        `role/${name}`,
        `rolebinding/${name}`,
      ]),
    );
    await kubectl.run(["delete", ...grants, "--namespace=default", "--ignore-not-found"]);
    await rm(folder, { recursive: true, force: true });
  });

  async function plant(deployed: Deployed): Promise<void> {
    const { members } = deployed;
    const place = { namespace: members.namespace, scope: members.scope };
    const inNamespace = `--namespace=${place.namespace}`;
    const patch = JSON.stringify(hastyStatefulSet);
    await kubectl.run(["patch", "statefulset", place.scope, inNamespace, "--type=merge", `--patch=${patch}`]);

    // A member that came while its namespace had not opted in.
    const optIn = (mode: string) =>
      kubectl.run(["label", "namespace", place.namespace, `${NAMESPACE_LABEL}=${mode}`, "--overwrite"]);
    const { standbys } = await settle(deployed, "the cluster is settled before faults are planted");
    const [, last] = standbys;
    assert.ok(last);
    await optIn("disabled");
    await restartMember(deployed, last);
    await optIn("enabled");

    const rules = "[local all all trust, host all all 0.0.0.0/0 scram-sha-256]";
    const settings = ["postgresql.parameters.max_connections=60", `postgresql.pg_hba=${rules}`];
    const sets = settings.flatMap((each) => ["--set", each]);
    await members.patronictl(last.name, ["edit-config", "--force", ...sets]);
    await kubectl.apply([...closedPolicies(place), trimmedRole(place), exposedService(place)]);
  }

  it(
    "finds all twelve planted faults, and nothing that it does not find of the healthy twin",
    TIMEOUT,
    async () => {
      const expected = [...MENDED, ...LEFT];
      const twin = await auditOf(healthy);
      assert.equal(twin.exit, 0, `nothing is broken in the twin:\n${twin.told.join("\n")}`);
      assert.deepEqual(
        expected.filter((code) => twin.codes.has(code)),
        [],
        twin.told.join("\n"),
      );
      const { exit, codes, told } = await until(
        "Patroni has told of its pending restart",
        60_000,
        async () => {
          const found = await auditOf(faulty);
          return found.codes.has("pending-restart") ? found : undefined;
        },
      );
      assert.equal(exit, 1);
      const missed = expected.filter((code) => !codes.has(code));
      const beyond = [...codes].filter((code) => !expected.includes(code) && !twin.codes.has(code));
      assert.deepEqual({ missed, beyond }, { missed: [], beyond: [] }, told.join("\n"));
    },
  );

  it("finds none of those that a manifest can mend, once its fixes are applied", TIMEOUT, async () => {
    const fixes = join(folder, "fixes");
    await auditOf(faulty, "--fix-dir", fixes);
    await kubectl.run(["apply", `--filename=${fixes}`]);
    await until("what the controller mends is mended", MENDS_WITHIN_MS, async () => {
      const { codes, told } = await auditOf(faulty);
      const still = MENDED.filter((code) => codes.has(code));
      if (still.length > 0) throw new Error(told.join("\n"));
      return true;
    });
    const { codes, told } = await auditOf(faulty);
    assert.deepEqual(
      LEFT.filter((code) => !codes.has(code)),
      [],
      told.join("\n"),
    );
  });
});
