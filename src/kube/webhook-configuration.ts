import { addToBundle, bundleHolds } from "../certificates/bundle.ts";
import type { Trustee } from "../certificates/served.ts";
import { asString, at, isObject, type Json, type JsonObject, objectsIn } from "../json/value.ts";

/** Where webhook configurations are. */
export const WEBHOOK_CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

/**
 * What is written of a MutatingWebhookConfiguration: all of it, only the `caBundle` of every entry of one that a chart made,
 * or nothing, where somebody else looks after the `caBundle` too.
 */
export type RegistrationMode = "full" | "caBundle" | "observe";

/** The rest of what is desired. */
export interface Bundles {
  /** PEM: authorities that were ours, and are to leave every `caBundle`. */
  readonly retiredPem?: string | undefined;
}

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
  bundles: Bundles = {},
): Change {
  if (mode === "observe") return { kind: objectsIn(live?.webhooks).length === 0 ? "absent" : "none" };
  if (mode === "caBundle") return patchBundles(desired, live, now, bundles);
  const object = withBundlesOf(live, desired, now, bundles);
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

/**
 * What API servers that call the entries ask for, and whom they trust: the entries that there are; with `full` those that
 * are desired, whether they are there or not.
 */
export function trusteesIn(mode: RegistrationMode, desired: JsonObject, live: Live): Trustee[] {
  return objectsIn(mode === "full" ? desired.webhooks : live?.webhooks).map((wanted) => ({
    entry: asString(wanted.name) ?? "",
    serverName: serverNameOf(clientConfigOf(wanted)),
    bundlePem: bundleOf(entryOf(live, wanted.name)),
  }));
}

/** The `caBundle` of each entry, PEM. */
export const bundlesIn = (live: Live): string[] => objectsIn(live?.webhooks).map(bundleOf);

/** Of a URL its host, of a Service `<name>.<namespace>.svc`. */
function serverNameOf({ url, service }: JsonObject): string {
  const called = URL.parse(asString(url) ?? "");
  if (called !== null) return called.hostname.replace(/^\[(.*)\]$/, "$1");
  return `${asString(at(service, "name")) ?? ""}.${asString(at(service, "namespace")) ?? ""}.svc`;
}

function withBundlesOf(live: Live, desired: JsonObject, now: Date, bundles: Bundles): JsonObject {
  const webhooks = objectsIn(desired.webhooks).map((wanted) => {
    const caBundle = grown(entryOf(live, wanted.name), desired, now, bundles);
    return { ...wanted, clientConfig: { ...clientConfigOf(wanted), caBundle } };
  });
  return { ...desired, webhooks };
}

/**
 * Not by server-side apply: that would make us an owner of the whole entry beside the chart, and when a later release of
 * the chart drops an entry by an apply of its own, our half of it would stay behind and be refused as invalid. The version
 * as read is tested: entries are addressed by their place, and another process may have added its authority.
 */
function patchBundles(desired: JsonObject, live: Live, now: Date, { retiredPem }: Bundles): Change {
  const entries = objectsIn(live?.webhooks);
  if (entries.length === 0) return { kind: "absent" };
  const bundles = entries.flatMap((entry, index) => {
    const value = grown(entry, desired, now, { retiredPem });
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

const grown = (
  entry: JsonObject | undefined,
  desired: JsonObject,
  now: Date,
  { retiredPem }: Bundles,
): string =>
  Buffer.from(addToBundle(bundleOf(entry), authorityOf(desired), now, retiredPem)).toString("base64");

/** PEM. */
const authorityOf = (desired: JsonObject): string => bundleOf(objectsIn(desired.webhooks)[0]);

/** PEM; empty where there is none. */
const bundleOf = (entry: JsonObject | undefined): string =>
  Buffer.from(asString(at(entry, "clientConfig", "caBundle")) ?? "", "base64").toString();

const entryOf = (live: Live, name: Json | undefined): JsonObject | undefined =>
  objectsIn(live?.webhooks).find((entry) => entry.name === name);

const clientConfigOf = (entry: JsonObject): JsonObject =>
  isObject(entry.clientConfig) ? entry.clientConfig : {};
