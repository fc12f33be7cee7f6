import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { issueAuthority } from "../../../src/certificates/issue.ts";
import { certificatesIn, idOf } from "../../../src/certificates/pem.ts";
import { Sightings } from "../../../src/certificates/sightings.ts";

let [one, other]: string[] = [];
before(async () => {
  const validity = { from: new Date(), days: 1 };
  const made = await Promise.all([1, 2].map(() => issueAuthority("CA", validity)));
  [one, other] = made.map(({ certPem }) => certPem);
});

const id = (pem: string | undefined): string =>
  certificatesIn(pem ?? "")
    .map(idOf)
    .join();

describe("Sightings", () => {
  const clock = { ms: 0 };
  const begun = () => new Sightings(() => clock.ms);

  it("counts from when an authority is in every bundle", () => {
    const sightings = begun();
    assert.equal(sightings.forMs(id(one)), undefined);
    assert.equal(sightings.see([`${one}`, `${other}`]), false);
    assert.equal(sightings.any, false);
    assert.equal(sightings.see([`${one}`, `${other}${one}`]), true);
    clock.ms += 70;
    assert.equal(sightings.see([`${one}${other}`, `${other}${one}`]), true);
    clock.ms += 5;
    assert.deepEqual([sightings.forMs(id(one)), sightings.forMs(id(other))], [75, 5]);
  });

  it("begins anew after a break, and where there is no entry", () => {
    const sightings = begun();
    sightings.see([`${one}`]);
    clock.ms += 70;
    sightings.see([""]);
    sightings.see([`${one}`]);
    assert.equal(sightings.forMs(id(one)), 0);
    assert.equal(sightings.see([]), true);
    assert.equal(sightings.forMs(id(one)), undefined);
  });

  it("says whether others are in it than before", () => {
    const sightings = begun();
    assert.deepEqual(
      [[`${one}`], [`${one}`], [`${other}`], [`${other}${one}`]].map((bundles) => sightings.see(bundles)),
      [true, false, true, true],
    );
  });
});
