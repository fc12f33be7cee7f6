import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isValidAt } from "../../../src/certificates/rotation.ts";
import {
  type DatedAuthority,
  type DatedCertificate,
  planAuthorities,
  planCertificate,
  RELOAD_LIFETIMES,
} from "../../../src/controller/reload/plan.ts";
import { runs } from "../runs.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const { authorityMs, backdateMs, leafMs, cachesMs } = RELOAD_LIFETIMES;
const NAMES = ["*.pg.db.svc"];

/** Namespaces with a certificate each, and what callers keep: a copy of `ca.crt` that may be a day old. */
class World {
  now = 0;
  made = 0;
  authorities: DatedAuthority[] = [];
  readonly certificates = new Map<number, DatedCertificate>();
  readonly copies = new Map<number, { at: number; trusted: readonly string[] }>();

  lookAtAuthorities(): void {
    for (let steps = 0; ; steps++) {
      assert.ok(steps < 4, "the authorities do not come to rest");
      const plan = planAuthorities(this.authorities, this.now, RELOAD_LIFETIMES);
      if (plan.kind === "rest") return;
      const gone = plan.kind === "retire" ? plan.authorities : plan.drop;
      for (const id of gone) this.#assertUnused(id);
      this.authorities = this.authorities.filter(({ id }) => !gone.includes(id));
      if (plan.kind === "make")
        this.authorities.push({ id: `ca-${++this.made}`, ...spanFrom(this.now, authorityMs) });
    }
  }

  lookAt(namespace: number): void {
    this.lookAtAuthorities();
    const before = this.certificates.get(namespace);
    const plan = planCertificate(this.authorities, before, NAMES, this.now, RELOAD_LIFETIMES);
    if (plan.kind === "issue") {
      const authority = this.authorities.find(({ id }) => id === plan.signer);
      assert.ok(authority, "signed by none of them");
      const span = spanFrom(this.now, leafMs);
      this.certificates.set(namespace, {
        notBefore: span.notBefore,
        notAfter: Math.min(span.notAfter, authority.notAfter),
        issuer: plan.signer,
        names: NAMES,
        trusted: plan.trusted,
      });
    } else if (plan.kind === "publish" && before !== undefined)
      this.certificates.set(namespace, { ...before, trusted: plan.trusted });
    this.#assertServes(namespace);
    const again = planCertificate(
      this.authorities,
      this.certificates.get(namespace),
      NAMES,
      this.now,
      RELOAD_LIFETIMES,
    );
    assert.equal(again.kind, "rest", "it goes on to write");
  }

  /** Whoever took a copy less than a day ago accepts what is served now; whoever reads the Secret does in any case. */
  #assertServes(namespace: number): void {
    const certificate = this.certificates.get(namespace);
    assert.ok(certificate !== undefined && isValidAt(certificate, this.now), "not valid");
    assert.equal(certificate.trusted[0], certificate.issuer);
    const authority = this.authorities.find(({ id }) => id === certificate.issuer);
    assert.ok(authority !== undefined && isValidAt(authority, this.now), "its authority does not count");
    const copy = this.copies.get(namespace);
    if (copy !== undefined && this.now - copy.at < cachesMs)
      assert.ok(copy.trusted.includes(certificate.issuer), "a copy of today refuses it");
    else this.copies.set(namespace, { at: this.now, trusted: certificate.trusted });
  }

  #assertUnused(id: string): void {
    for (const certificate of this.certificates.values())
      assert.ok(
        certificate.issuer !== id || !isValidAt(certificate, this.now),
        `${id} still vouches for one`,
      );
  }
}

const spanFrom = (now: number, ms: number) => ({ notBefore: now - backdateMs, notAfter: now + ms });

test("around a rotation every namespace serves what all callers accept, whenever somebody looks", () => {
  const rarely = fc.oneof(
    { weight: 20, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constant(1) },
  );
  const looks = fc.record({ hours: fc.integer({ min: 1, max: 10 }), namespace: rarely });
  const all = fc.array(looks, { minLength: 100, maxLength: 100 });
  fc.assert(
    fc.property(fc.integer({ min: 235, max: 245 }), all, (days, steps) => {
      const world = new World();
      for (const namespace of [0, 1]) world.lookAt(namespace);
      world.now += days * DAY_MS;
      for (const namespace of [0, 1]) world.lookAt(namespace);
      for (const { hours, namespace } of steps) {
        world.now += hours * HOUR_MS;
        world.lookAt(namespace);
      }
      assert.ok(world.authorities.length <= 2, `${world.authorities.length} authorities`);
      assert.equal(world.made, 2);
    }),
    runs(100),
  );
});

test("a rotation of the authorities leaves one, and two in between", () => {
  const world = new World();
  const counts = new Set<number>();
  for (let day = 0; day < 700; day++) {
    world.now += DAY_MS / 2;
    world.lookAt(0);
    counts.add(world.authorities.length);
  }
  assert.deepEqual([...counts], [1, 2]);
  assert.equal(world.made, 2);
});

test("names that change, an authority that is lost, and a certificate that cannot be read are put right at once", () => {
  const world = new World();
  world.lookAt(0);
  const served = world.certificates.get(0);
  assert.ok(served);
  const plan = (
    authorities = world.authorities,
    certificate: DatedCertificate | undefined = served,
    names = NAMES,
  ) => planCertificate(authorities, certificate, names, world.now + HOUR_MS, RELOAD_LIFETIMES);
  assert.equal(plan().kind, "rest");
  for (const names of [[...NAMES, "*.b.db.svc"], ["*.b.db.svc"], []])
    assert.equal(plan(undefined, undefined, names).kind, "issue");
  assert.equal(
    planCertificate(world.authorities, undefined, NAMES, world.now, RELOAD_LIFETIMES).kind,
    "issue",
  );
  const others = [{ id: "another", ...spanFrom(world.now, authorityMs) }];
  assert.deepEqual(plan(others), {
    kind: "issue",
    why: "authority-replaced",
    signer: "another",
    trusted: ["another"],
  });
  assert.deepEqual(plan([...world.authorities, ...others]), {
    kind: "publish",
    trusted: ["ca-1", "another"],
  });
});
