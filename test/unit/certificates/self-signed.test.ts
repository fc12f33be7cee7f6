import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { describe, it } from "node:test";
import { selfSigned } from "../../../src/certificates/self-signed.ts";

const NAMES = { dnsNames: ["patroni-injector.databases.svc"], ipAddresses: ["127.0.0.1"] };
const logger = { info: () => undefined };

describe("selfSigned", () => {
  it("gives a leaf for the names, its key, and the authority that signed it", async () => {
    const made = await selfSigned({ ...NAMES, logger }).start();
    const leaf = new X509Certificate(made.certPem);
    assert.ok(leaf.verify(new X509Certificate(made.caPem).publicKey));
    assert.ok(leaf.checkPrivateKey(createPrivateKey(made.keyPem)));
    assert.equal(leaf.checkHost("patroni-injector.databases.svc"), "patroni-injector.databases.svc");
    assert.equal(made.notAfter.getTime(), leaf.validToDate.getTime());
  });

  it("shares nothing with the source of another process", async () => {
    const [one, other] = await Promise.all([1, 2].map(() => selfSigned({ ...NAMES, logger }).start()));
    assert.notEqual(one?.caPem, other?.caPem);
    assert.notEqual(one?.keyPem, other?.keyPem);
  });

  it("is valid for the days that are asked for", async () => {
    const { notAfter } = await selfSigned({ ...NAMES, logger, validDays: 2 }).start();
    const days = (notAfter.getTime() - Date.now()) / (24 * 3600 * 1000);
    assert.ok(days > 1.9 && days <= 2, `${days} days`);
  });

  it("leaves the event loop to others while keys are made", async () => {
    const stalls: number[] = [];
    for (let round = 0; round < 5; round++) {
      const delays = monitorEventLoopDelay({ resolution: 1 });
      delays.enable();
      await selfSigned({ ...NAMES, logger }).start();
      delays.disable();
      stalls.push(delays.max / 1e6);
    }
    // The best of the rounds: on a busy machine any single stall may be the machine's.
    assert.ok(Math.min(...stalls) < 40, `the event loop stood still for ${stalls.join(", ")} ms`);
  });
});
