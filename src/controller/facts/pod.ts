import { SIDECAR_ENV } from "../../contract/sidecar-env.ts";
import type { InjectionSettings } from "../../injection/settings.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../../json/value.ts";
import { type ReloadApi, reloadApiOf } from "../../reload-api/pod.ts";
import { type MemberSettings, memberSettings } from "./member.ts";
import { type SidecarFacts, sidecarFacts } from "./sidecar.ts";

/** Another object, as Events and owner references name it. */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** What is kept of a pod that is a member of a Patroni cluster. */
export interface PodFacts {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly settings: MemberSettings;
  /** The pod's address; undefined while it has none. */
  readonly ip: string | undefined;
  /** Its addresses of all families, {@link PodFacts.ip} first. */
  readonly addresses: readonly string[];
  readonly nodeName: string | undefined;
  /** Succeeded or Failed: its containers never run again, and its address may be another's. */
  readonly ended: boolean;
  /** It is being deleted. */
  readonly terminating: boolean;
  /** Its condition `Ready`. */
  readonly ready: boolean;
  /** Milliseconds since 1970, on the API server's clock. */
  readonly createdAt: number;
  /** Our sidecar: `down` where the pod has one that does not run. */
  readonly sidecar: "running" | "down" | "absent";
  /** Undefined where the pod has no sidecar. */
  readonly container: SidecarFacts | undefined;
  readonly owner: ObjectReference | undefined;
  /** The name that the certificate of its REST API must carry, the same as its sidecar asks for; undefined: its address. */
  readonly patroniName: string | undefined;
  /** The reload API as its sidecar serves it; undefined where it does not. */
  readonly reloadApi: ReloadApi | undefined;
}

/** Undefined for a pod that is no member. */
export function podFacts(pod: JsonObject, settings: InjectionSettings): PodFacts | undefined {
  const metadata = asObject(pod.metadata) ?? {};
  const namespace = asString(metadata.namespace) ?? "";
  const owner = ownerOf(pod);
  const member = memberSettings({ pod, namespace, origin: "request", job: owner?.kind === "Job" }, settings);
  if (member === undefined) return undefined;
  const phase = asString(at(pod, "status", "phase"));
  const container = sidecarFacts(pod);
  return {
    namespace,
    name: asString(metadata.name) ?? "",
    uid: asString(metadata.uid) ?? "",
    labels: (asObject(metadata.labels) ?? {}) as Readonly<Record<string, string>>,
    settings: member,
    ip: asString(at(pod, "status", "podIP")) || undefined,
    addresses: addressesOf(pod),
    nodeName: asString(at(pod, "spec", "nodeName")) || undefined,
    ended: phase === "Succeeded" || phase === "Failed",
    terminating: metadata.deletionTimestamp !== undefined,
    ready: objectsIn(at(pod, "status", "conditions")).some(
      ({ type, status }) => type === "Ready" && status === "True",
    ),
    createdAt: Date.parse(asString(metadata.creationTimestamp) ?? "") || 0,
    sidecar: container === undefined ? "absent" : container.health === "running" ? "running" : "down",
    container,
    owner,
    patroniName: expanded(member.patroniHost, pod),
    reloadApi: reloadApiOf(pod),
  };
}

/** `status.podIPs`, and `status.podIP` where that is all there is. */
export function addressesOf(pod: JsonObject): string[] {
  const all = objectsIn(at(pod, "status", "podIPs")).flatMap(({ ip }) => asString(ip) || []);
  const first = asString(at(pod, "status", "podIP"));
  return first && !all.includes(first) ? [first, ...all] : all;
}

/** With what the kubelet puts in the place of `$(…)`. */
function expanded(text: string | undefined, pod: JsonObject): string | undefined {
  return text?.replace(/\$\(([A-Z_]+)\)/g, (reference, name: string) => {
    const path = Object.entries(SIDECAR_ENV).find(([known]) => known === name)?.[1];
    return path === undefined ? reference : (asString(at(pod, ...path.split("."))) ?? "");
  });
}

/** What its pods, or it, are kept by. */
export function ownerOf(object: JsonObject): ObjectReference | undefined {
  const owner = objectsIn(at(object, "metadata", "ownerReferences")).find(
    ({ controller }) => controller === true,
  );
  return owner && referenceIn(owner.apiVersion, owner.kind, owner);
}

/** @param named something with `name` and `uid` */
export function referenceIn(apiVersion: unknown, kind: unknown, named: JsonObject): ObjectReference {
  const [version = "", type = "", name = "", uid = ""] = [apiVersion, kind, named.name, named.uid].map(
    asString,
  );
  return { apiVersion: version, kind: type, name, uid };
}
