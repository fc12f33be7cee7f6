import { clusterLabelValue } from "../../contract/cluster-names.ts";
import { CLUSTER_LABEL, DOMAIN } from "../../contract/names.ts";
import { primarySliceName, SLICE_MANAGER, SLICE_MANAGER_LABEL } from "../../contract/slice-annotations.ts";
import { asObject, type JsonObject } from "../../json/value.ts";
import { labelOf, metadataOf, nameOf } from "../facts/slim.ts";
import { type ClusterView, isActive } from "../view.ts";

/** The primary's slice of this cluster, even if somebody has taken its labels away. */
export function ourSlice({ scope, settings, slices }: ClusterView): JsonObject | undefined {
  const slice = slices.find((candidate) => nameOf(candidate) === primarySliceName(settings.primaryService));
  if (slice === undefined) return undefined;
  const manager = labelOf(slice, SLICE_MANAGER_LABEL);
  const isOurs =
    manager === SLICE_MANAGER || (manager === undefined && Object.keys(ownAnnotations(slice)).length > 0);
  const cluster = labelOf(slice, CLUSTER_LABEL);
  return isOurs && (cluster === undefined || cluster === clusterLabelValue(scope)) ? slice : undefined;
}

/**
 * A slice that is there leads clients: it is kept right, whatever became of the wish to have it, until somebody takes it away.
 */
export const isServed = (view: ClusterView): boolean => isActive(view) || ourSlice(view) !== undefined;

/** The annotations by which a slice remembers: its term, who was published last, the Service's address. */
export function ownAnnotations(slice: JsonObject): Record<string, string> {
  const annotations = Object.entries(asObject(metadataOf(slice).annotations) ?? {});
  return Object.fromEntries(
    annotations.filter((entry): entry is [string, string] => {
      const [key, value] = entry;
      return key.startsWith(`${DOMAIN}/`) && typeof value === "string";
    }),
  );
}
