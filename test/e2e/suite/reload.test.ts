import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { MEMBERS } from "../manifests/patroni.ts";
import type { Deployed, Form } from "../rig/deploy.ts";
import { keepSpread } from "../rig/figures.ts";
import { until } from "../rig/kubectl.ts";
import type { Ran } from "../rig/program.ts";
import { askForReload, giveCertificate, reload, settingsConfig, TLS_SECRET, touch } from "../rig/reload.ts";
import { extent } from "./selection.ts";
import { setStage } from "./stage.ts";

const FORM: Form = { name: "reload", dcs: "configmaps", synchronous: false, ttlSeconds: 20 };
const TIMEOUT = { timeout: 400_000 };
const TURNS = 20;
/** From a touched annotation to the proof. Milliseconds. */
const PROVEN_WITHIN_MS = 10_000;

interface FaultyConfiguration {
  readonly what: string;
  /** Assignments as `patronictl edit-config --set` takes them. */
  readonly broken: string;
  readonly mended: string;
  readonly told: RegExp;
}

const HBA = [
  "local all all trust",
  "host all all 0.0.0.0/0 scram-sha-256",
  "host replication standby 0.0.0.0/0 scram-sha-256",
];

/** In Patroni's DCS; Patroni itself finds no fault in them. */
const FAULTS: readonly FaultyConfiguration[] = [
  {
    what: "a faulty setting of PostgreSQL's",
    broken: "postgresql.parameters.timezone=Nowhere/Land",
    mended: "postgresql.parameters.timezone=null",
    told: /postgresql\.conf:\d+:.*TimeZone/i,
  },
  {
    what: "a faulty line of pg_hba.conf",
    broken: `postgresql.pg_hba=${JSON.stringify([...HBA, "host all all nowhere"])}`,
    mended: `postgresql.pg_hba=${JSON.stringify(HBA)}`,
    told: /pg_hba\.conf:\d+:/,
  },
];

describe("the reload API, with the version in a ConfigMap's volume", () => {
  const { deployed } = setStage(FORM);
  let version = 1;

  before(() => askForReload(deployed(), TLS_SECRET), TIMEOUT);

  const ask = (what: string, asked: number, timeoutSeconds = 60, account?: string): Promise<Ran> =>
    reload(deployed(), what, {
      ...{ component: "postgres", version: asked, timeoutSeconds },
      ...(account !== undefined && { account }),
    });

  it("without its certificate the pods run, and the listener is closed", TIMEOUT, async () => {
    const { code, stderr } = await ask("pod/books-0", version);
    assert.equal(code, 1);
    assert.match(stderr, /secrets "books-tls" not found/);
  });

  it("a whole cluster, the primary last, once the certificate is there", TIMEOUT, async () => {
    await giveCertificate(deployed());
    const result = await until("the listeners", 120_000, async () => {
      const attempt = await ask("cluster/books", version);
      return attempt.code === 0 ? attempt : undefined;
    });
    assertAllProven(result, "load-time");
  });

  it("PgBouncer of a whole cluster", TIMEOUT, async () => {
    const result = await reload(deployed(), "cluster/books", { component: "pgbouncer", version: 1 });
    assertAllProven(result, "console");
  });

  it(
    `a version is proven within ${PROVEN_WITHIN_MS / 1000} s of the change, where an annotation is touched`,
    TIMEOUT,
    async () => {
      const times: number[] = [];
      for (let turn = 0; turn < TURNS; turn++) {
        await deployed().kubectl.apply([settingsConfig(deployed(), ++version)]);
        const began = performance.now();
        const asked = ask("pod/books-1", version);
        await touch(deployed(), "books-1");
        const { code, stderr } = await asked;
        assert.equal(code, 0, stderr);
        times.push(performance.now() - began);
      }
      const what = "reload API: from a touched annotation to the proof, the command's own start included";
      const p95 = keepSpread(deployed().target, what, times);
      assert.ok(p95 <= PROVEN_WITHIN_MS, times.map(Math.round).join(", "));
    },
  );

  it("a version that never arrives is told with what is there", TIMEOUT, async () => {
    const { code, stdout } = await ask("pod/books-1", version + 5, 2);
    assert.equal(code, 1);
    assert.match(stdout, new RegExp(`version-not-materialised \\(504\\): .* version ${version} is`));
  });

  it("a ServiceAccount that the annotation does not name is refused", TIMEOUT, async () => {
    const { code, stdout } = await ask("pod/books-1", version, 5, "default");
    assert.equal(code, 1);
    assert.match(stdout, /forbidden \(403\)/);
  });

  for (const { what, broken, mended, told } of FAULTS) {
    it(`${what} is told with its file and line, until it is mended`, {
      ...TIMEOUT,
      skip: extent === "quick",
    }, async () => {
      const applied = version;
      await edit(deployed(), broken);
      await deployed().kubectl.apply([settingsConfig(deployed(), ++version)]);
      await touch(deployed());
      const refused = await ask("pod/books-1", version);
      assert.equal(refused.code, 1, refused.stdout);
      assert.match(refused.stdout, told);
      assert.match(refused.stdout, new RegExp(`books-1 +- +${applied} +configuration-invalid \\(422\\)`));
      await edit(deployed(), mended);
      const { code, stdout } = await ask("pod/books-1", version);
      assert.equal(code, 0, stdout);
    });
  }
});

async function edit({ members }: Deployed, assignment: string): Promise<void> {
  await members.patronictl("books-0", ["edit-config", "--force", "--quiet", "--set", assignment]);
}

/** A row for each member in the order in which they were asked. */
function assertAllProven({ code, stdout, stderr }: Ran, proof: string): void {
  assert.equal(code, 0, stderr);
  const rows = stdout.trim().split("\n").slice(1);
  assert.equal(rows.length, MEMBERS);
  const proven = new RegExp(`^books-\\d +replica +1 +proven \\(${proof}\\)$`);
  assert.match(rows.at(-1) ?? "", new RegExp(`^books-\\d +primary +1 +proven \\(${proof}\\)$`));
  for (const row of rows.slice(0, -1)) assert.match(row, proven);
}
