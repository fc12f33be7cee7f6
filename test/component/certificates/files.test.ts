import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import { ephemeralCertificate } from "../../../src/certificates/ephemeral.ts";
import { FileSource } from "../../../src/certificates/files.ts";
import type { ServingCertificate } from "../../../src/certificates/source.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;
const logger = { info: () => undefined };
let [one, other]: ServingCertificate[] = [];
before(async () => {
  const names = { dnsNames: ["a"], ipAddresses: [] };
  [one, other] = await Promise.all([1, 2].map(() => ephemeralCertificate({ ...names, logger })));
});

/** A Secret's volume as the kubelet keeps it: the files are links through `..data`, which is swapped. */
async function volume(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), "certificate-"));
  t.after(() => rm(directory, { recursive: true }));
  let version = 0;
  const put = async (files: Record<string, string>): Promise<void> => {
    const folder = `..v${++version}`;
    await mkdir(join(directory, folder));
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, folder, name), text);
    await symlink(folder, join(directory, "..data_tmp"));
    await rename(join(directory, "..data_tmp"), join(directory, "..data"));
    for (const name of Object.keys(files)) {
      await symlink(join("..data", name), join(directory, name)).catch(() => undefined);
    }
  };
  const taken: ServingCertificate[] = [];
  const loads: string[] = [];
  const errors: object[] = [];
  const source = new FileSource({
    directory,
    settleMs: 1,
    onCertificate: (certificate) => taken.push(certificate),
    onLoad: (result) => loads.push(result),
    logger: { ...logger, error: (fields) => errors.push(fields) },
  });
  return { directory, put, taken, loads, errors, source };
}

const files = (certificate: ServingCertificate | undefined) => ({
  "tls.crt": certificate?.certPem ?? "",
  "tls.key": certificate?.keyPem ?? "",
  "ca.crt": certificate?.caPem ?? "",
});

describe("a certificate in a mounted Secret", () => {
  it("is handed over once, and again when the volume is swapped", async (t) => {
    const { put, taken, source, loads } = await volume(t);
    await put(files(one));
    await source.look();
    await source.look();
    await put(files(other));
    await source.look();
    assert.deepEqual(
      taken.map(({ certPem, caPem }) => [certPem, caPem]),
      [one, other].map((made) => [made?.certPem, made?.caPem]),
    );
    assert.deepEqual(loads, ["success", "success"]);
  });

  it("need not say who signed it", async (t) => {
    const { put, taken, source } = await volume(t);
    const { "ca.crt": _, ...pair } = files(one);
    await put(pair);
    await source.look();
    assert.equal(taken[0]?.caPem, "");
  });

  it("stays as it was where the new one cannot be used, which is said once", async (t) => {
    const { put, taken, source, loads, errors } = await volume(t);
    await put(files(one));
    await source.look();
    await put({ ...files(one), "tls.key": other?.keyPem ?? "" });
    await source.look();
    await source.look();
    await put({ "tls.crt": "nonsense", "tls.key": "nonsense" });
    await source.look();
    assert.equal(taken.length, 1);
    assert.deepEqual(loads, ["success", "failure", "failure"]);
    assert.equal(errors.length, 2);
    await put(files(other));
    await source.look();
    assert.equal(taken.length, 2);
  });

  it("stays as it was where TLS holds the new key too weak", {
    skip: !hasOpenssl && "there is no openssl",
  }, async (t) => {
    const { directory, put, taken, source, errors } = await volume(t);
    await put(files(one));
    await source.look();
    const made = [
      "-newkey",
      "rsa:1024",
      "-nodes",
      "-keyout",
      "weak.key",
      "-out",
      "weak.crt",
      "-subj",
      "/CN=a",
    ];
    execFileSync("openssl", ["req", "-x509", ...made], { cwd: directory, stdio: "ignore" });
    const [certPem, keyPem] = await Promise.all(
      ["weak.crt", "weak.key"].map((name) => readFile(join(directory, name), "utf8")),
    );
    await put({ "tls.crt": certPem ?? "", "tls.key": keyPem ?? "" });
    await source.look();
    assert.equal(taken.length, 1);
    assert.match(JSON.stringify(errors), /too small/);
  });

  it("is waited for where it is not there yet", async (t) => {
    const { put, taken, source, loads } = await volume(t);
    await source.look();
    assert.deepEqual([taken.length, loads], [0, ["failure"]]);
    await put(files(one));
    await source.look();
    assert.equal(taken.length, 1);
  });

  it("may lie in plain files, which are written one by one", async (t) => {
    const { directory, taken, source } = await volume(t);
    for (const [name, text] of Object.entries(files(one))) await writeFile(join(directory, name), text);
    await source.look();
    assert.equal(taken.length, 1);
  });

  it("is not handed over any more after the end", async (t) => {
    const { put, taken, source } = await volume(t);
    await put(files(one));
    source.stop();
    await source.look();
    assert.equal(taken.length, 0);
  });
});
