import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { issueAuthority, issueLeaf } from "../../../src/certificates/issue.ts";
import { coversAll, namesOf, spanOf } from "../../../src/certificates/rotation-facts.ts";

const from = new Date("2026-03-01T12:00:00Z");
const NAMES = { dnsNames: ["a.db.svc", "localhost"], ipAddresses: ["127.0.0.1", "fd00::1"] };
const NOBODY = { dnsNames: [], ipAddresses: [] };

let pem: string;
before(async () => {
  const validity = { from, days: 0.5, backdateMs: 1000 };
  ({ certPem: pem } = await issueLeaf("server", NAMES, validity, await issueAuthority("CA", validity)));
});

describe("what a rotation asks of a certificate", () => {
  it("when it is valid, parts of days and its own back-dating included", () => {
    assert.deepEqual(spanOf(pem), {
      notBefore: from.getTime() - 1000,
      notAfter: from.getTime() + 12 * 3_600_000,
    });
  });

  it("whether it has all of our names", () => {
    assert.ok(coversAll(pem, NAMES) && coversAll(pem, NOBODY));
    assert.ok(!coversAll(pem, { ...NAMES, dnsNames: ["a.db.svc", "b.db.svc"] }));
    assert.ok(!coversAll(pem, { ...NAMES, ipAddresses: ["127.0.0.2"] }));
    assert.ok(!coversAll(pem, { ...NOBODY, dnsNames: ["server"] }), "the common name is no name");
  });

  it("which names it has, so that replicas of two names can share one", async () => {
    const both = namesOf(pem, { dnsNames: ["b.db.svc", "localhost"], ipAddresses: [] });
    assert.deepEqual(both.dnsNames, ["a.db.svc", "localhost", "b.db.svc"]);
    const validity = { from, days: 1 };
    const shared = await issueLeaf("server", both, validity, await issueAuthority("CA", validity));
    assert.ok(
      coversAll(shared.certPem, NAMES) && coversAll(shared.certPem, { ...NOBODY, dnsNames: ["b.db.svc"] }),
    );
  });
});
