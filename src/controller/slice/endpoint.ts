import { asString, at, type JsonObject } from "../../json/value.ts";
import { addressesOf, type PodFacts } from "../facts/pod.ts";
import { metadataOf } from "../facts/slim.ts";

/** The endpoint stands for a pod that we see, which has this address and may still run. */
export function isAccountedFor(endpoint: JsonObject, members: readonly PodFacts[]): boolean {
  const uid = asString(at(endpoint, "targetRef", "uid"));
  const addresses = Array.isArray(endpoint.addresses) ? endpoint.addresses : [];
  return members.some(
    (member) =>
      !member.ended &&
      (uid === undefined || member.uid === uid) &&
      addresses.every((address) => member.addresses.includes(String(address))),
  );
}

/**
 * True where nobody can be behind the endpoint: its pod is gone, was replaced, ended, or has another address by now.
 *
 * @param pod the pod of the endpoint's `targetRef`, read after the slice was; undefined where there is none
 */
export function isForsaken(endpoint: JsonObject, pod: JsonObject | undefined): boolean {
  if (pod === undefined || metadataOf(pod).uid !== at(endpoint, "targetRef", "uid")) return true;
  const phase = at(pod, "status", "phase");
  if (phase === "Succeeded" || phase === "Failed") return true;
  const addresses = addressesOf(pod);
  const stands = Array.isArray(endpoint.addresses) ? endpoint.addresses : [];
  return addresses.length > 0 && !stands.every((address) => addresses.includes(String(address)));
}
