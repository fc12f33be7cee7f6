import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parseAllDocuments } from "yaml";
import { pairProblem } from "../../../src/certificates/pem.ts";
import { refusal } from "../../../src/certificates/verify.ts";
import { at, type JsonObject } from "../../../src/json/value.ts";

const CERTS = join(import.meta.dirname, "../../../certs");
const NAME = "patroni-injector.patroni-injector.svc";
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

/** What a reader types: the lines after `$ ` of every console block, with those that go on from them. */
async function typed(guide: string): Promise<string> {
  const text = await readFile(join(CERTS, guide), "utf8");
  const blocks = [...text.matchAll(/^ *```console\n([\s\S]*?)^ *```$/gm)].map(([, block = ""]) => block);
  return blocks
    .join("")
    .split("\n")
    .map((line) => line.replace(/^ *\$ /, "").replace(/^ {3}/, ""))
    .filter((line) => !/^(kubectl|helm|tls\.crt: OK)|^ +--set/.test(line))
    .join("\n");
}

describe("certs/", () => {
  it("has commands that make what the webhook needs", {
    skip: !hasOpenssl && "there is no openssl",
  }, async (t) => {
    const cwd = await mkdtemp(join(tmpdir(), "guide-"));
    t.after(() => rm(cwd, { recursive: true }));
    const script = `set -e\n${await typed("bring-your-own.md")}\n${await typed("client-certificates.md")}\n`;
    execFileSync("bash", ["-c", script], { cwd, stdio: ["ignore", "ignore", "ignore"] });
    const file = (name: string) => readFile(join(cwd, name), "utf8");
    const [chain, key, authority] = await Promise.all(["tls.crt", "tls.key", "ca.crt"].map(file));
    assert.equal(pairProblem(chain ?? "", key ?? ""), undefined);
    assert.equal(refusal(chain ?? "", authority ?? "", NAME, new Date()), undefined);
    const purpose = ["-purpose", "sslclient", "-CAfile", "ca.crt", "client.crt"];
    execFileSync("openssl", ["verify", ...purpose], { cwd, stdio: "ignore" });
  });

  it("has manifests for cert-manager that fit the chart's defaults", async () => {
    const text = await readFile(join(CERTS, "cert-manager.yaml"), "utf8");
    const objects = parseAllDocuments(text).map((document) => document.toJS() as JsonObject);
    const [issuer, authority, signer, leaf] = objects as [JsonObject, JsonObject, JsonObject, JsonObject];
    assert.deepEqual(
      objects.map(({ kind, metadata }) => [kind, at(metadata, "namespace")]),
      ["Issuer", "Certificate", "Issuer", "Certificate"].map((kind) => [kind, "patroni-injector"]),
    );
    assert.deepEqual(at(leaf, "spec", "dnsNames"), [NAME]);
    assert.equal(at(leaf, "metadata", "name"), "patroni-injector");
    assert.equal(at(leaf, "spec", "secretName"), "patroni-injector-tls");
    assert.equal(at(authority, "spec", "issuerRef", "name"), at(issuer, "metadata", "name"));
    assert.equal(at(signer, "spec", "ca", "secretName"), at(authority, "spec", "secretName"));
    assert.equal(at(leaf, "spec", "issuerRef", "name"), at(signer, "metadata", "name"));
    for (const certificate of [authority, leaf]) {
      assert.equal(at(certificate, "spec", "privateKey", "rotationPolicy"), "Never");
    }
  });
});
