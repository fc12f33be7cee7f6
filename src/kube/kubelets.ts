import { asString, at, type JsonObject } from "../json/value.ts";

/** The first minor version whose kubelet runs native sidecars well; Istio draws the same line. */
const FIRST_MINOR = 33;

/** What is needed of a node: whether its kubelet counts, and whether it is new enough. */
export interface KubeletFacts {
  /** A Windows node never runs Patroni. */
  readonly linux: boolean;
  /** False also where the version cannot be read, as of a virtual node. */
  readonly native: boolean;
}

export function kubeletFacts(node: JsonObject): KubeletFacts {
  const system = asString(at(node, "status", "nodeInfo", "operatingSystem"));
  return {
    linux: (system ?? asString(at(node, "metadata", "labels", "kubernetes.io/os"))) !== "windows",
    native: runsNativeSidecars(asString(at(node, "status", "nodeInfo", "kubeletVersion"))),
  };
}

/**
 * True where there is a node that may run a database, and every such node's kubelet is new enough. A cordoned node counts:
 * it may be used again.
 */
export function allRunNativeSidecars(nodes: Iterable<KubeletFacts>): boolean {
  let some = false;
  for (const { linux, native } of nodes) {
    if (!linux) continue;
    if (!native) return false;
    some = true;
  }
  return some;
}

function runsNativeSidecars(version: string | undefined): boolean {
  const [, major = "0", minor = "0"] = /^v([0-9]+)\.([0-9]+)\./.exec(version ?? "") ?? [];
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= FIRST_MINOR);
}
