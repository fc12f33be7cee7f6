import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { addToBundle, bundleHolds } from "../../../src/certificates/bundle.ts";
import { issueAuthority } from "../../../src/certificates/issue.ts";

const DAY_MS = 24 * 3600 * 1000;
const now = new Date("2026-03-01T12:00:00Z");

/** Authorities made this many days ago, each valid for 20 days. */
async function authorities(...daysAgo: number[]): Promise<string[]> {
  const made = daysAgo.map((days) => {
    const from = new Date(now.getTime() - days * DAY_MS);
    return issueAuthority(`made ${days} days ago`, { from, days: 20 });
  });
  return (await Promise.all(made)).map(({ certPem }) => certPem);
}

const counted = (bundle: string) => bundle.match(/BEGIN CERTIFICATE/g)?.length ?? 0;

describe("addToBundle", () => {
  let all: string[];
  before(async () => {
    all = await authorities(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
  });

  it("begins a bundle", () => {
    assert.equal(addToBundle("", all[0] as string, now), all[0]);
  });

  it("adds to what is there", () => {
    assert.equal(addToBundle(all[1] as string, all[0] as string, now), `${all[1]}${all[0]}`);
  });

  it("changes nothing where all is there already, whatever the order", () => {
    const [one, two, three] = all;
    const bundle = `# of somebody's hand\r\n${one}${two}${three}`.replaceAll("\n", "\r\n");
    for (const own of [one, two, three, `${three}${one}`]) {
      assert.equal(addToBundle(bundle, own as string, now), bundle);
    }
  });

  it("names each once", () => {
    const [one, two] = all;
    assert.equal(addToBundle(`${one}${one}`, two as string, now), `${one}${two}`);
  });

  it("drops what has expired", async () => {
    const [expired] = await authorities(21);
    assert.equal(addToBundle(expired as string, all[0] as string, now), all[0]);
  });

  it("keeps its own whatever their age: who serves with them says so elsewhere", async () => {
    const [expired] = await authorities(21);
    assert.equal(addToBundle("", expired as string, now), expired);
  });

  it("drops what was retired, though it is valid yet, but never its own", () => {
    const [one, two, three] = all as [string, string, string];
    assert.equal(addToBundle(`${one}${two}`, three, now, one), `${two}${three}`);
    assert.equal(addToBundle(`${one}${two}`, one, now, one), `${one}${two}`);
    assert.equal(addToBundle(`${two}${one}`, one, now, three), `${two}${one}`);
  });

  it("drops what is no certificate", () => {
    const broken = "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n";
    assert.equal(addToBundle(`some text\n${broken}${all[1]}`, all[0] as string, now), `${all[1]}${all[0]}`);
  });

  it("keeps the newest ten of others, so that restarts cannot grow it without end", () => {
    const [own, ...others] = all;
    const bundle = addToBundle(others.join(""), own as string, now);
    assert.equal(counted(bundle), 11);
    assert.ok(bundleHolds(bundle, own as string));
    assert.ok(bundleHolds(bundle, others[0] as string));
    assert.ok(!bundleHolds(bundle, others.at(-1) as string), "the oldest is still there");
  });
});

describe("bundleHolds", () => {
  it("asks for every one", async () => {
    const [one, two] = await authorities(0, 1);
    assert.ok(bundleHolds(`${one}${two}`, `${two}${one}`));
    assert.ok(!bundleHolds(one as string, `${two}${one}`));
    assert.ok(!bundleHolds("", one as string));
  });
});
