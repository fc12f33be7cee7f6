import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import { ephemeralCertificate } from "../../../src/certificates/ephemeral.ts";

const NAMES = { dnsNames: ["patroni-injector.databases.svc"], ipAddresses: ["127.0.0.1"] };
const logger = { info: () => undefined };

describe("ephemeralCertificate", () => {
  it("gives a leaf for the names, its key, and the authority that signed it", async () => {
    const made = await ephemeralCertificate({ ...NAMES, logger });
    const leaf = new X509Certificate(made.certPem);
    assert.ok(leaf.verify(new X509Certificate(made.caPem).publicKey));
    assert.ok(leaf.checkPrivateKey(createPrivateKey(made.keyPem)));
    assert.equal(leaf.checkHost("patroni-injector.databases.svc"), "patroni-injector.databases.svc");
    assert.equal(made.notAfter.getTime(), leaf.validToDate.getTime());
  });

  it("shares nothing with the source of another process", async () => {
    const [one, other] = await Promise.all([1, 2].map(() => ephemeralCertificate({ ...NAMES, logger })));
    assert.notEqual(one?.caPem, other?.caPem);
    assert.notEqual(one?.keyPem, other?.keyPem);
  });

  it("is valid for the days that are asked for", async () => {
    const { notAfter } = await ephemeralCertificate({ ...NAMES, logger, validDays: 2 });
    const days = (notAfter.getTime() - Date.now()) / (24 * 3600 * 1000);
    assert.ok(days > 1.9 && days <= 2, `${days} days`);
  });

  it("leaves the event loop to others while keys are made and used", async () => {
    const costs: number[] = [];
    for (let round = 0; round < 5; round++) {
      const before = process.threadCpuUsage();
      await ephemeralCertificate({ ...NAMES, logger });
      const { user, system } = process.threadCpuUsage(before);
      costs.push((user + system) / 1000);
    }
    // CPU time of this thread only, so that a busy machine does not count. In JavaScript one signature takes 20 ms or more.
    assert.ok(Math.min(...costs) < 15, `the event loop's thread worked for ${costs.join(", ")} ms`);
  });
});
