import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { type Authority, type Issued, issueAuthority, issueLeaf } from "../../../src/certificates/issue.ts";
import { pairProblem } from "../../../src/certificates/pem.ts";
import { refusal } from "../../../src/certificates/verify.ts";

const NAME = "patroni-injector.injector.svc";
const DAY = 24 * 3_600_000;
const from = new Date("2026-03-01T12:00:00Z");
const at = (days: number) => new Date(from.getTime() + days * DAY);

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

let [one, other]: Authority[] = [];
let leaf: Issued;

before(async () => {
  [one, other] = await Promise.all([1, 2].map(() => issueAuthority("CA", { from, days: 20 })));
  const names = { dnsNames: [NAME], ipAddresses: ["127.0.0.1"] };
  leaf = await issueLeaf("server", names, { from, days: 10 }, one as Authority);
});

interface Row {
  readonly what: string;
  readonly bundle: () => string;
  readonly name?: string;
  readonly days?: number;
  readonly chain?: () => string;
  readonly says: RegExp | undefined;
}

const ours = () => one?.certPem ?? "";
const ROWS: readonly Row[] = [
  { what: "its authority", bundle: ours, says: undefined },
  {
    what: "its authority beside another of the same name",
    bundle: () => `${other?.certPem}${ours()}`,
    says: undefined,
  },
  { what: "another authority of the same name", bundle: () => other?.certPem ?? "", says: /no authority/ },
  { what: "nobody", bundle: () => "", says: /caBundle is empty/ },
  { what: "itself as the anchor", bundle: () => leaf.certPem, says: undefined },
  { what: "another name", bundle: ours, name: "other.injector.svc", says: /not for other\.injector\.svc/ },
  { what: "its common name", bundle: ours, name: "server", says: /not for server/ },
  { what: "its address", bundle: ours, name: "127.0.0.1", says: undefined },
  { what: "a time before", bundle: ours, days: -1, says: /not valid before/ },
  { what: "a time after", bundle: ours, days: 11, says: /expired/ },
  { what: "an authority where a server should be", bundle: ours, chain: ours, says: /not for/ },
  { what: "no certificate", bundle: ours, chain: () => "", says: /there is no certificate/ },
];

describe("refusal", () => {
  for (const { what, bundle, name = NAME, days = 1, chain = () => leaf.certPem, says } of ROWS) {
    it(`${says === undefined ? "accepts" : "refuses"} ${what}`, () => {
      const why = refusal(chain(), bundle(), name, at(days));
      if (says === undefined) assert.equal(why, undefined);
      else assert.match(why ?? "", says);
    });
  }

  it("agrees with OpenSSL", { skip: !hasOpenssl && "there is no openssl" }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "verify-"));
    t.after(() => rm(folder, { recursive: true }));
    const file = async (name: string, text: string) => {
      await writeFile(join(folder, name), text);
      return join(folder, name);
    };
    const rows = ROWS.filter(
      ({ what, bundle, chain }) => bundle() !== "" && chain === undefined && !/itself|common/.test(what),
    );
    for (const [index, { what, bundle, name = NAME, days = 1, says }] of rows.entries()) {
      const asked = /^[0-9.]+$/.test(name) ? ["-verify_ip", name] : ["-verify_hostname", name];
      const { status } = spawnSync("openssl", [
        ...["verify", "-x509_strict", "-no-CApath", "-purpose", "sslserver", ...asked],
        ...["-attime", String(at(days).getTime() / 1000)],
        ...["-CAfile", await file(`${index}.ca`, bundle()), await file(`${index}.crt`, leaf.certPem)],
      ]);
      assert.equal(status === 0, says === undefined, what);
    }
  });
});

describe("pairProblem", () => {
  it("finds nothing wrong with a pair", () =>
    assert.equal(pairProblem(leaf.certPem, leaf.keyPem), undefined));
  it("tells another's key", () =>
    assert.match(pairProblem(leaf.certPem, one?.keyPem ?? "") ?? "", /another certificate/));
  it("tells what is no key", () => assert.match(pairProblem(leaf.certPem, "x") ?? "", /key cannot be read/));
  it("tells what is no certificate", () =>
    assert.match(pairProblem("x", leaf.keyPem) ?? "", /no certificate/));
  it("tells a broken intermediate", () => {
    const broken = `${leaf.certPem}-----BEGIN CERTIFICATE-----\nbm8=\n-----END CERTIFICATE-----\n`;
    assert.match(pairProblem(broken, leaf.keyPem) ?? "", /cannot be read/);
  });
});
