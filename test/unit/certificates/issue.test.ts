import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { before, describe, it, type TestContext } from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import { type Authority, type Issued, issueAuthority, issueLeaf } from "../../../src/certificates/issue.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const from = new Date("2026-03-01T12:00:00Z");
const soon = { from: new Date(), days: 1 };

const DNS_NAMES = ["patroni-injector.databases.svc", "localhost"];
const LONG_NAME = `${"a".repeat(63)}.${"b".repeat(63)}.svc`;

describe("issueAuthority", () => {
  let authority: X509Certificate;
  before(async () => {
    authority = new X509Certificate((await issueAuthority("some CA", { from, days: 10 })).certPem);
  });

  it("is an authority that signed itself", () => {
    assert.equal(authority.ca, true);
    assert.equal(authority.subject, "CN=some CA");
    assert.ok(authority.verify(authority.publicKey));
    assert.ok(authority.checkIssued(authority));
  });

  it("is valid from a little before it was made", () => {
    assert.equal(authority.validFromDate.getTime(), from.getTime() - 10 * MINUTE_MS);
    assert.equal(authority.validToDate.getTime(), from.getTime() + 10 * DAY_MS);
  });

  it("has an RSA key of 2048 bits", () => {
    assert.equal(authority.publicKey.asymmetricKeyType, "rsa");
    assert.equal(authority.publicKey.asymmetricKeyDetails?.modulusLength, 2048);
  });
});

describe("issueLeaf", () => {
  let authority: Authority;
  let leaf: Issued;
  let certificate: X509Certificate;
  before(async () => {
    authority = await issueAuthority("some CA", { from, days: 10 });
    const names = { dnsNames: [...DNS_NAMES, LONG_NAME], ipAddresses: ["127.0.0.1", "fd00::1"] };
    leaf = await issueLeaf("some server", names, { from, days: 99 }, authority);
    certificate = new X509Certificate(leaf.certPem);
  });

  it("is signed by its authority, and is none itself", () => {
    const issuer = new X509Certificate(authority.certPem);
    assert.ok(certificate.checkIssued(issuer));
    assert.ok(certificate.verify(issuer.publicKey));
    assert.equal(certificate.ca, false);
  });

  it("is for TLS servers", () => {
    assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
  });

  for (const name of [...DNS_NAMES, LONG_NAME]) {
    it(`carries the name ${name.slice(0, 40)}`, () => assert.equal(certificate.checkHost(name), name));
  }

  for (const address of ["127.0.0.1", "fd00::1"]) {
    it(`carries the address ${address}`, () => assert.equal(certificate.checkIP(address), address));
  }

  it("carries no other name, nor its common name", () => {
    assert.equal(certificate.checkHost("some server"), undefined);
    assert.equal(certificate.checkHost("databases.svc"), undefined);
    assert.equal(certificate.checkIP("127.0.0.2"), undefined);
  });

  it("goes with its private key", () => {
    assert.ok(certificate.checkPrivateKey(createPrivateKey(leaf.keyPem)));
  });

  it("never outlives its authority", () => {
    assert.equal(
      certificate.validToDate.getTime(),
      new X509Certificate(authority.certPem).validToDate.getTime(),
    );
    assert.equal(leaf.notAfter.getTime(), certificate.validToDate.getTime());
  });
});

describe("serial numbers", () => {
  it("are positive, of 20 bytes without a leading zero, and differ", async () => {
    const certificates = await Promise.all(Array.from({ length: 8 }, () => issueAuthority("some CA", soon)));
    const serials = certificates.map(({ certPem }) => new X509Certificate(certPem).serialNumber);
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{39}$/);
    assert.equal(new Set(serials).size, serials.length);
  });
});

describe("a TLS client", () => {
  let authority: Authority;
  let other: Authority;
  let leaf: Issued;
  before(async () => {
    // The same name: a client has to tell them apart by their keys.
    [authority, other] = await Promise.all([
      issueAuthority("same CA", soon),
      issueAuthority("same CA", soon),
    ]);
    leaf = await issueLeaf("server", { dnsNames: DNS_NAMES, ipAddresses: ["127.0.0.1"] }, soon, authority);
  });

  it("accepts the leaf by its authority and any of its names", async (t) => {
    for (const servername of DNS_NAMES)
      assert.equal(await handshake(t, leaf, authority.certPem, servername), "ok");
  });

  it("finds the right one among authorities of the same name", async (t) => {
    const bundles = [other.certPem + authority.certPem, authority.certPem + other.certPem];
    for (const bundle of bundles) assert.equal(await handshake(t, leaf, bundle, "localhost"), "ok");
  });

  it("refuses it by another authority", async (t) => {
    assert.match(await handshake(t, leaf, other.certPem, "localhost"), /CERT|VERIFY|ISSUER/);
  });

  it("refuses it under another name", async (t) => {
    const result = await handshake(t, leaf, authority.certPem, "elsewhere.svc");
    assert.equal(result, "ERR_TLS_CERT_ALTNAME_INVALID");
  });

  it("refuses it once it has expired", async (t) => {
    const past = { from: new Date(Date.now() - 2 * DAY_MS), days: 1 };
    const old = await issueLeaf("server", { dnsNames: ["localhost"], ipAddresses: [] }, past, authority);
    assert.equal(await handshake(t, old, authority.certPem, "localhost"), "CERT_HAS_EXPIRED");
  });
});

/** `ok`, or the code of the error. */
async function handshake(t: TestContext, served: Issued, ca: string, servername: string): Promise<string> {
  const server = createServer({ cert: served.certPem, key: served.keyPem });
  server.on("tlsClientError", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const socket: TLSSocket = connect({ port, host: "127.0.0.1", ca, servername });
  try {
    await once(socket, "secureConnect");
    return "ok";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    socket.destroy();
  }
}
