import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { asString, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { carefulObjects, exposedService, narrowPolicy, trimmedRole } from "../manifests/audited.ts";
import type { Deployed } from "../rig/deploy.ts";
import { until } from "../rig/kubectl.ts";
import { patroniInjector } from "../rig/program.ts";

const TIMEOUT = { timeout: 120_000 };
const MENDS_WITHIN_MS = 30_000;

/** What an audit printed of the one cluster in a namespace. */
export interface Audited {
  readonly exit: number | null;
  readonly codes: ReadonlySet<string>;
  /** A line for each finding. */
  readonly told: readonly string[];
  readonly cluster: JsonObject;
}

/** Audits the cluster's namespace from a machine of an operator's, as JSON. */
export async function auditOf({ target, members }: Deployed, ...options: string[]): Promise<Audited> {
  const args = ["audit", "--namespace", members.namespace, "--output", "json", ...options];
  const { code, stdout, stderr } = await patroniInjector(target, args);
  const [cluster, ...others] = objectsIn(JSON.parse(stdout || "{}").clusters);
  assert.ok(cluster && others.length === 0, stderr);
  const findings = objectsIn(cluster.findings);
  const told = findings.map(
    (each) => `${each.code} ${asString(at(each, "object", "name"))}: ${each.evidence}`,
  );
  return { exit: code, codes: new Set(findings.map((each) => String(each.code))), told, cluster };
}

/** Faults that take no restart and harm nothing while they stand for seconds; all but the last one manifests can mend. */
const PLANTED = ["blocked-controller", "no-disruption-budget", "patroni-permissions", "exposed-port"];
const MENDED = PLANTED.slice(0, -1);

/** What an audit says of a cluster that is there anyway: nothing broken, then what is planted, then what its own fixes leave of it. */
export function describeAudit(get: () => Deployed): void {
  it(
    "is audited: nothing is broken; planted faults are found, and its fixes mend them",
    TIMEOUT,
    async (t) => {
      const { kubectl, members } = get();
      const place = { namespace: members.namespace, scope: members.scope };
      const inNamespace = `--namespace=${place.namespace}`;
      const folder = await mkdtemp(join(tmpdir(), "patroni-injector-e2e-audit-"));
      const { rules } = await kubectl.json(["get", "role", place.scope, inNamespace]);
      t.after(async () => {
        const { apiVersion, kind, metadata } = trimmedRole(place);
        await kubectl.apply([{ apiVersion, kind, metadata, rules }]);
        await kubectl.run(["delete", "networkpolicies,poddisruptionbudgets", "--all", inNamespace]);
        await kubectl.run(["delete", "services", "patroni-from-outside", inNamespace, "--ignore-not-found"]);
        const granted = `${place.namespace}-${place.scope}`;
        await kubectl.run([
          "delete",
          "roles,rolebindings",
          granted,
          "--namespace=default",
          "--ignore-not-found",
        ]);
        await rm(folder, { recursive: true });
      });

      await kubectl.apply(carefulObjects(place));
      const healthy = await auditOf(get());
      assert.equal(healthy.exit, 0, healthy.told.join("\n"));
      assert.deepEqual(
        PLANTED.filter((code) => healthy.codes.has(code)),
        [],
        healthy.told.join("\n"),
      );

      await kubectl.run(["delete", "poddisruptionbudgets", "members", inNamespace]);
      await kubectl.apply([narrowPolicy(place), trimmedRole(place), exposedService(place)]);
      const faulty = await auditOf(get(), "--fix-dir", folder);
      assert.equal(faulty.exit, 1);
      const missed = PLANTED.filter((code) => !faulty.codes.has(code));
      const beyond = [...faulty.codes].filter((code) => !PLANTED.includes(code) && !healthy.codes.has(code));
      assert.deepEqual({ missed, beyond }, { missed: [], beyond: [] }, faulty.told.join("\n"));

      await kubectl.run(["apply", `--filename=${folder}`]);
      await until("what manifests can mend is mended", MENDS_WITHIN_MS, async () => {
        const { codes, told } = await auditOf(get(), "--no-dry-run");
        if (MENDED.some((code) => codes.has(code))) throw new Error(told.join("\n"));
        assert.ok(codes.has("exposed-port"), told.join("\n"));
        return true;
      });
    },
  );
}
