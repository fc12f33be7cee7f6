import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { type Authority, type Issued, issueAuthority, issueLeaf } from "../../../src/certificates/issue.ts";
import {
  type AuthoritySecret,
  readAuthorities,
  readLeaf,
  withAuthority,
  withoutAuthorities,
  writeAuthorities,
  writeLeaf,
} from "../../../src/certificates/secrets.ts";

const DAY = 24 * 3_600_000;
const from = new Date("2026-03-01T12:00:00Z");
const after = (days: number) => new Date(from.getTime() + days * DAY);
const NONE: AuthoritySecret = { authorities: [], retiredPem: "" };

let [one, other]: Authority[] = [];
let leaf: Issued;
before(async () => {
  [one, other] = await Promise.all([1, 2].map((number) => issueAuthority(`CA ${number}`, { from, days: 9 })));
  const names = { dnsNames: ["a"], ipAddresses: [] };
  leaf = await issueLeaf("server", names, { from, days: 5 }, one as Authority);
});

const both = () =>
  withAuthority(withAuthority(NONE, one as Authority, [], from), other as Authority, [], from);
const pems = ({ authorities }: AuthoritySecret) => authorities.map(({ certPem }) => certPem);

describe("the Secret of the authorities", () => {
  it("is read as it was written, in the order of the making", () => {
    const written = writeAuthorities(both());
    assert.deepEqual(Object.keys(written), ["ca-1.crt", "ca-1.key", "ca-2.crt", "ca-2.key"]);
    assert.deepEqual(readAuthorities(written), both());
    const many = Object.fromEntries(
      Object.entries(written).map(([key, text]) => [key.replace("1", "10"), text]),
    );
    assert.deepEqual(pems(readAuthorities(many)), [other?.certPem, one?.certPem]);
  });

  it("passes over what is none, and whose key is another's", () => {
    const written = writeAuthorities(both());
    const spoilt = {
      ...written,
      "ca-1.key": written["ca-2.key"] ?? "",
      "ca-3.crt": "nonsense",
      other: "text",
    };
    assert.deepEqual(pems(readAuthorities(spoilt)), [other?.certPem]);
    assert.deepEqual(readAuthorities({}), NONE);
  });

  it("notes who was retired, without the key, for as long as it would be valid", () => {
    const [first] = both().authorities;
    const retired = withoutAuthorities(both(), [first?.id ?? ""], after(1));
    assert.deepEqual(
      [pems(retired), retired.retiredPem],
      [[other?.certPem], one?.certPem.replaceAll("\r", "")],
    );
    assert.deepEqual(readAuthorities(writeAuthorities(retired)), retired);
    assert.ok(!JSON.stringify(writeAuthorities(retired)).includes(JSON.stringify(one?.keyPem).slice(1, -1)));
    assert.equal(withoutAuthorities(retired, [], after(10)).retiredPem, "");
  });

  it("never gives a number again", () => {
    const [first] = both().authorities;
    const rest = withoutAuthorities(both(), [first?.id ?? ""], from);
    const made = withAuthority(rest, one as Authority, [], from);
    assert.deepEqual(
      made.authorities.map(({ generation }) => generation),
      [2, 3],
    );
  });
});

describe("the Secret of the leaf", () => {
  const stored = () => ({ certPem: leaf.certPem, keyPem: leaf.keyPem, caPem: one?.certPem ?? "" });
  const written = () => writeLeaf({ leaf: stored(), issued: { id: after(5).getTime() } });

  it("is read as it was written, with what was issued", () => {
    assert.deepEqual(readLeaf(written()), { leaf: stored(), issued: { id: after(5).getTime() } });
  });

  for (const [what, changes] of Object.entries({
    "no key": { "tls.key": "" },
    "nonsense for a key": { "tls.key": "nonsense" },
    "nonsense for a certificate": { "tls.crt": "nonsense" },
    "no authority": { "ca.crt": "" },
  })) {
    it(`holds no leaf where there is ${what}`, () => {
      assert.equal(readLeaf({ ...written(), ...changes }).leaf, undefined);
    });
  }

  it("holds no leaf where another authority stands beside it", () => {
    assert.equal(readLeaf({ ...written(), "ca.crt": other?.certPem ?? "" }).leaf, undefined);
  });

  it("takes what was issued for not noted where that cannot be read", () => {
    for (const issued of ["", "nonsense", "null", '{"id":"never"}', '{"id":7}']) {
      const { issued: times } = readLeaf({ ...written(), issued });
      assert.ok(
        Object.values(times).every((time) => Number.isFinite(time)),
        issued,
      );
    }
  });
});
