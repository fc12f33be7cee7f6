import { addToBundle, bundleHolds } from "../certificates/bundle.ts";
import { asString, at, isObject, type Json, type JsonObject, objectsIn } from "../json/value.ts";

/**
 * What is written of a MutatingWebhookConfiguration: all of it, or only the `caBundle` of every entry of one that a chart
 * made.
 */
export type RegistrationMode = "full" | "caBundle";

/** A configuration as it is: undefined where there is none. */
export type Live = JsonObject | undefined;

/** What has to be sent for a configuration to become as desired. */
export type Change =
  | { readonly kind: "none" }
  /** There is no entry that `caBundle` could be written into. */
  | { readonly kind: "absent" }
  /** By server-side apply. */
  | { readonly kind: "apply"; readonly object: JsonObject }
  /** JSON patch (RFC 6902). */
  | { readonly kind: "patch"; readonly operations: JsonObject[] };

/**
 * What is to change. The authorities of other processes stay in every `caBundle`; what the server adds by itself, and
 * others to parts that we do not name, is no difference.
 *
 * @param desired all its entries carry the same `caBundle`
 * @param applied whether just this was applied before: only an apply removes what is no longer desired
 */
export function changeFor(
  mode: RegistrationMode,
  desired: JsonObject,
  live: Live,
  applied: boolean,
  now: Date,
): Change {
  if (mode === "caBundle") return patchBundles(desired, live, now);
  const object = withBundlesOf(live, desired, now);
  const { metadata, webhooks } = object;
  return applied && contains(live, { metadata, webhooks }) ? { kind: "none" } : { kind: "apply", object };
}

/** True where API servers trust us: each entry that should be there is, and its `caBundle` holds our authorities. */
export function isTrusted(mode: RegistrationMode, desired: JsonObject, live: Live): boolean {
  const wanted = objectsIn(mode === "full" ? desired.webhooks : live?.webhooks);
  const authority = authorityOf(desired);
  return (
    wanted.length > 0 && wanted.every(({ name }) => bundleHolds(bundleOf(entryOf(live, name)), authority))
  );
}

function withBundlesOf(live: Live, desired: JsonObject, now: Date): JsonObject {
  const webhooks = objectsIn(desired.webhooks).map((wanted) => {
    const caBundle = grown(entryOf(live, wanted.name), desired, now);
    return { ...wanted, clientConfig: { ...clientConfigOf(wanted), caBundle } };
  });
  return { ...desired, webhooks };
}

/**
 * Not by server-side apply: that would make us an owner of the whole entry beside the chart, and when a later release of
 * the chart drops an entry by an apply of its own, our half of it would stay behind and be refused as invalid. The version
 * as read is tested: entries are addressed by their place, and another process may have added its authority.
 */
function patchBundles(desired: JsonObject, live: Live, now: Date): Change {
  const entries = objectsIn(live?.webhooks);
  if (entries.length === 0) return { kind: "absent" };
  const bundles = entries.flatMap((entry, index) => {
    const value = grown(entry, desired, now);
    const path = `/webhooks/${index}/clientConfig/caBundle`;
    return at(entry, "clientConfig", "caBundle") === value ? [] : [{ op: "add", path, value }];
  });
  if (bundles.length === 0) return { kind: "none" };
  const value = at(live, "metadata", "resourceVersion") ?? "";
  return {
    kind: "patch",
    operations: [{ op: "test", path: "/metadata/resourceVersion", value }, ...bundles],
  };
}

/** True where every part of `wanted` is in `live`; entries of a list of named objects are found by name. */
function contains(live: Json | undefined, wanted: Json | undefined): boolean {
  if (isObject(wanted)) {
    return Object.entries(wanted).every(([key, value]) => contains(at(live, key), value));
  }
  if (!Array.isArray(wanted)) return live === wanted;
  if (!Array.isArray(live)) return false;
  if (wanted.every((entry) => isObject(entry) && typeof entry.name === "string")) {
    const named = new Map(objectsIn(live).map((entry) => [entry.name, entry]));
    return objectsIn(wanted).every((entry) => contains(named.get(entry.name), entry));
  }
  return live.length === wanted.length && wanted.every((entry, index) => contains(live[index], entry));
}

const grown = (entry: JsonObject | undefined, desired: JsonObject, now: Date): string =>
  Buffer.from(addToBundle(bundleOf(entry), authorityOf(desired), now)).toString("base64");

/** PEM. */
const authorityOf = (desired: JsonObject): string => bundleOf(objectsIn(desired.webhooks)[0]);

/** PEM; empty where there is none. */
const bundleOf = (entry: JsonObject | undefined): string =>
  Buffer.from(asString(at(entry, "clientConfig", "caBundle")) ?? "", "base64").toString();

const entryOf = (live: Live, name: Json | undefined): JsonObject | undefined =>
  objectsIn(live?.webhooks).find((entry) => entry.name === name);

const clientConfigOf = (entry: JsonObject): JsonObject =>
  isObject(entry.clientConfig) ? entry.clientConfig : {};
