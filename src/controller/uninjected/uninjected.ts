import type { PodFacts } from "../facts/pod.ts";
import type { ClusterView, Finding } from "../view.ts";

/** Why a pod is not as the webhook would make it now, in its reason codes. */
export const UNINJECTED = ["not-injected", "sidecar-suspended", "sidecar-outdated"] as const;
export type UninjectedReason = (typeof UNINJECTED)[number];

/** What is the same for all pods of a cluster. */
export type Wish = Pick<ClusterView, "enabled" | "sidecarImage" | "suspension">;

/**
 * Why a pod that matches has no sidecar, or an old one; undefined where it is as it should be, or is to have none: its namespace
 * has not opted in, nothing of the sidecar is wanted, its port is taken. One without a sidecar where sidecars are suspended is told
 * apart: it would come back without one.
 */
export function uninjectedReason(pod: PodFacts, wish: Wish): UninjectedReason | undefined {
  const isWanted = wish.enabled && pod.settings.wantsSidecar && !pod.ended && !pod.terminating;
  if (!isWanted) return undefined;
  if (pod.container === undefined)
    return wish.suspension === undefined ? "not-injected" : "sidecar-suspended";
  return pod.container.image === wish.sidecarImage ? undefined : "sidecar-outdated";
}

/** The members that are not as the webhook would make them now. */
export const uninjectedMembers = (view: ClusterView): PodFacts[] =>
  view.members.filter((pod) => uninjectedReason(pod, view) !== undefined);

/** What somebody should know of these pods. Says the same for as long as it is the same, for each text is an Event of its own. */
export function uninjectedFindings(view: ClusterView): Finding[] {
  const { members, suspension, sidecarImage, enabled } = view;
  const of = (reason: UninjectedReason) => members.filter((pod) => uninjectedReason(pod, view) === reason);
  const missing = of("not-injected").map(({ name }) => name);
  const images = [...new Set(of("sidecar-outdated").map(({ container }) => container?.image))].sort();
  return [
    ...finding("not-injected", missing.join(", ")),
    ...finding(
      "sidecar-outdated",
      images.length === 0 ? "" : `${images.join(", ")} instead of ${sidecarImage}`,
    ),
    ...finding("sidecar-suspended", suspension !== undefined && enabled ? suspensionText(suspension) : ""),
  ];
}

const finding = (reason: UninjectedReason, detail: string): Finding[] =>
  detail === "" ? [] : [{ reason, detail }];

function suspensionText({ image, reason, pod, probe }: NonNullable<Wish["suspension"]>): string {
  const failed = reason === "" ? `${image} has not run here yet` : `${reason} of ${image} in ${pod}`;
  return probe === undefined
    ? failed
    : `${failed}; ${probe.pod} gets it when it is started anew, to see whether it works`;
}
