import { createHash } from "node:crypto";
import { HEADLESS_SUFFIX, PRIMARY_SUFFIX } from "./names.ts";
import { isLabelValue, isServiceName } from "./syntax.ts";

/**
 * The names that follow from a cluster's scope. A scope may be anything that Patroni takes (Kubernetes as DCS asks for
 * a label's value, etcd for nothing), so a scope that does not fit as it is gets a readable remainder and a hash of the
 * whole: the same scope always gives the same name, and two scopes give two.
 */
const LONGEST_NAME = 63;
const HASH_LENGTH = 10;

function hash(scope: string): string {
  return createHash("sha256").update(scope).digest("hex").slice(0, HASH_LENGTH);
}

/** The value of the label `patroni-injector.io/cluster`: the scope, or its hash. */
export function clusterLabelValue(scope: string): string {
  return isLabelValue(scope) ? scope : fitted(scope, LONGEST_NAME);
}

/** What our own objects of a cluster have in their names, where nothing else names it: a DNS label. */
export const clusterNamePart = (scope: string): string => withSuffix(scope, "");

/** The default headless Service: `<scope>-headless`. */
export const headlessServiceName = (scope: string): string => withSuffix(scope, HEADLESS_SUFFIX);

/** The default primary Service: `<scope>-primary`. */
export const primaryServiceName = (scope: string): string => withSuffix(scope, PRIMARY_SUFFIX);

function withSuffix(scope: string, suffix: string): string {
  const plain = scope + suffix;
  return isServiceName(plain) ? plain : fitted(scope, LONGEST_NAME - suffix.length) + suffix;
}

/** A name of at most `length` characters that starts with a letter and ends in a hash of the scope. */
function fitted(scope: string, length: number): string {
  const readable = scope
    .slice(0, LONGEST_NAME)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[-0-9]+/, "")
    .slice(0, length - HASH_LENGTH - 1)
    .replace(/-+$/, "");
  return `${readable === "" ? "cluster" : readable}-${hash(scope)}`;
}
