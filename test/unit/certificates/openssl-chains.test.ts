import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { refusal } from "../../../src/certificates/verify.ts";

const NAME = "patroni-injector.injector.svc";
const DAY = 24 * 3_600_000;
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

/** No key identifiers: then only the signature tells two authorities of one name apart. */
const EXTENSIONS = `
[ca]
basicConstraints=critical,CA:TRUE
subjectKeyIdentifier=none
authorityKeyIdentifier=none
[leaf]
basicConstraints=critical,CA:FALSE
extendedKeyUsage=serverAuth
subjectAltName=DNS:${NAME}
subjectKeyIdentifier=none
authorityKeyIdentifier=none
[client]
extendedKeyUsage=clientAuth
subjectAltName=DNS:${NAME}
`;
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

let folder: string;
const openssl = (...args: string[]) =>
  execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] }).toString();

/** A root that signs itself. @param keyOf has its key; by default one of its own */
function root(name: string, days: number, keyOf?: string): string {
  const key = keyOf === undefined ? [...KEY, "-keyout", `${name}.key`] : ["-key", `${keyOf}.key`];
  openssl("req", "-x509", ...key, "-out", `${name}.crt`, "-subj", "/CN=root", "-days", String(days));
  return openssl("x509", "-in", `${name}.crt`);
}

function signed(name: string, extensions: "ca" | "leaf" | "client", issuer: string): string {
  const [csr, crt] = [`${name}.csr`, `${name}.crt`];
  openssl("req", ...KEY, "-keyout", `${name}.key`, "-out", csr, "-subj", `/CN=${name}`);
  const by = ["-CA", `${issuer}.crt`, "-CAkey", `${issuer}.key`, "-CAcreateserial", "-days", "9"];
  openssl(
    "x509",
    "-req",
    "-in",
    csr,
    ...by,
    "-extfile",
    "extensions",
    "-extensions",
    extensions,
    "-out",
    crt,
  );
  return openssl("x509", "-in", crt);
}

describe("refusal, of chains that OpenSSL made", { skip: !hasOpenssl && "there is no openssl" }, () => {
  let [authority, intermediate, leaf, direct]: string[] = [];
  const judged = (chain: string, bundle: string, days = 1) =>
    refusal(chain, bundle, NAME, new Date(Date.now() + days * DAY));

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "chains-"));
    await writeFile(join(folder, "extensions"), EXTENSIONS);
    authority = root("root", 9);
    intermediate = signed("ca", "ca", "root");
    leaf = signed("leaf", "leaf", "ca");
    direct = signed("direct", "leaf", "root");
  });
  after(() => rm(folder, { recursive: true }));

  it("reaches an anchor over an intermediate, which must be there", () => {
    assert.equal(judged(`${leaf}${intermediate}`, `${authority}`), undefined);
    assert.match(judged(`${leaf}`, `${authority}`) ?? "", /no authority/);
  });

  it("takes an anchor that did not sign itself", () => {
    assert.equal(judged(`${leaf}`, `${intermediate}`), undefined);
  });

  it("refuses by an authority of the same name with another key", () => {
    assert.equal(judged(`${direct}`, `${authority}`), undefined);
    assert.match(judged(`${direct}`, root("impostor", 9)) ?? "", /no authority/);
  });

  it("refuses by an anchor that has expired, though the certificate has not", () => {
    const old = root("old", 1, "root");
    assert.equal(judged(`${direct}`, old, 0.5), undefined);
    assert.match(judged(`${direct}`, old, 2) ?? "", /no authority/);
    assert.equal(judged(`${direct}`, `${old}${authority}`, 2), undefined);
  });

  it("refuses who signed without being an authority", () => {
    const below = signed("below", "leaf", "direct");
    assert.match(judged(`${below}${direct}`, `${authority}`) ?? "", /no authority/);
  });

  it("refuses a certificate for clients", () => {
    assert.match(judged(signed("client", "client", "root"), `${authority}`) ?? "", /not for TLS servers/);
  });
});
