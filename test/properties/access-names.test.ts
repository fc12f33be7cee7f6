import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  patroniAccessName,
  patroniBypassName,
  poolerAccessName,
  sidecarAccessName,
} from "../../src/controller/desired/access-names.ts";
import { runs } from "./runs.ts";

/** Few words, so that the same letters often come about in two ways. */
const words = fc.array(fc.constantFrom("a", "b", "a-b"), { minLength: 1, maxLength: 3 });
const subdomain = words.map((all) => all.join("."));
const labelValue = fc.tuple(words, fc.constantFrom(".", "-", "_")).map(([all, by]) => all.join(by));

const wanted = fc.record({
  kind: fc.constantFrom("sidecar", "pooler", "patroni", "bypass"),
  namespace: fc.constantFrom("a", "b"),
  cluster: labelValue,
  account: subdomain,
});
type Wanted = typeof wanted extends fc.Arbitrary<infer Value> ? Value : never;

const NAMES: Readonly<Record<string, (of: Wanted) => string>> = {
  sidecar: ({ cluster, account }) => sidecarAccessName(cluster, account),
  pooler: ({ cluster, account }) => poolerAccessName(cluster, account),
  patroni: ({ cluster, account }) => patroniAccessName(cluster, account),
  bypass: ({ namespace, cluster, account }) => patroniBypassName(namespace, cluster, account),
};
const nameOf = (of: Wanted): string => NAMES[of.kind]?.(of) ?? "";

/** All but those of {@link patroniBypassName} lie in the cluster's own namespace. */
const identity = ({ kind, namespace, cluster, account }: Wanted): string =>
  JSON.stringify([kind, kind === "bypass" ? namespace : "", cluster, account]);

test("permissions of two accounts, or of two clusters, never share a name", () =>
  fc.assert(
    fc.property(fc.array(wanted, { minLength: 2, maxLength: 40 }), (all) => {
      const identities = new Set(all.map(identity));
      assert.equal(new Set(all.map(nameOf)).size, identities.size);
    }),
    runs(500),
  ));

test("a Role may have such a name", () =>
  fc.assert(
    fc.property(wanted, (of) => assert.doesNotMatch(nameOf(of), /[/%]|^\.{1,2}$/)),
    runs(100),
  ));

test("an account without dots has the name that it always had", () => {
  assert.equal(sidecarAccessName("My.Cluster", "pg"), "patroni-injector.My.Cluster.pg");
  assert.equal(patroniBypassName("db", "pg", "pg"), "patroni-bypass.db.pg.pg");
});
