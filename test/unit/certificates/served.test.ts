import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type Authority, issueAuthority, issueLeaf } from "../../../src/certificates/issue.ts";
import { Served, type Trustee } from "../../../src/certificates/served.ts";
import type { ServingCertificate } from "../../../src/certificates/source.ts";

const NAME = "patroni-injector.injector.svc";
const DAY = 24 * 3_600_000;
const from = new Date("2026-03-01T12:00:00Z");

let [one, other]: Authority[] = [];
let [byOne, byOther]: ServingCertificate[] = [];

before(async () => {
  const validity = { from, days: 10 };
  [one, other] = await Promise.all([1, 2].map((number) => issueAuthority(`CA ${number}`, validity)));
  const names = { dnsNames: [NAME], ipAddresses: [] };
  [byOne, byOther] = await Promise.all(
    [one, other].map(async (authority) => {
      const leaf = await issueLeaf("server", names, { from, days: 5 }, authority as Authority);
      return { ...leaf, caPem: authority?.certPem ?? "" };
    }),
  );
});

function scene() {
  const used: ServingCertificate[] = [];
  const clock = { days: 1 };
  const served = new Served({
    now: () => new Date(from.getTime() + clock.days * DAY),
    use: (certificate) => used.push(certificate),
  });
  return { used, clock, served };
}

const entries = (...bundles: (string | undefined)[]): Trustee[] =>
  bundles.map((bundlePem = "", index) => ({ entry: `${index}`, serverName: NAME, bundlePem }));

describe("what is served", () => {
  it("is the first certificate that there is, trusted or not", () => {
    const { used, served } = scene();
    assert.equal(served.trusted, false);
    served.offer(byOne as ServingCertificate);
    assert.deepEqual([used, served.trusted], [[byOne], false]);
  });

  it("is trusted once every entry accepts it, and no longer when one does not", () => {
    const { served } = scene();
    served.offer(byOne as ServingCertificate);
    served.see(entries(one?.certPem, other?.certPem));
    assert.equal(served.trusted, false);
    assert.match(served.refusals.join(), /^1: no authority/);
    served.see(entries(one?.certPem, one?.certPem));
    assert.equal(served.trusted, true);
    served.see([]);
    assert.equal(served.trusted, false);
  });

  it("is not replaced by one that would be refused, until that is accepted", () => {
    const { used, served } = scene();
    served.offer(byOne as ServingCertificate);
    served.see(entries(one?.certPem));
    served.offer(byOther as ServingCertificate);
    assert.deepEqual(used, [byOne]);
    served.see(entries(`${one?.certPem}${other?.certPem}`));
    assert.deepEqual(used, [byOne, byOther]);
  });

  it("is replaced by whatever there is where it is refused itself", () => {
    const { used, served } = scene();
    served.see(entries(undefined));
    served.offer(byOne as ServingCertificate);
    served.offer(byOther as ServingCertificate);
    assert.deepEqual(used, [byOne, byOther]);
  });

  it("goes on to be trusted while nothing new is seen, and is judged anew when something is", () => {
    const { clock, served } = scene();
    served.offer(byOne as ServingCertificate);
    served.see(entries(one?.certPem));
    clock.days = 6;
    assert.equal(served.trusted, true, "an API server that is away took it out of service");
    served.see(entries(one?.certPem));
    assert.match(served.refusals.join(), /expired/);
  });
});
