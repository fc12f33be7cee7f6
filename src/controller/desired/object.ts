import { createHash } from "node:crypto";
import { clusterLabelValue } from "../../contract/cluster-names.ts";
import { CLUSTER_LABEL, DESIRED_ANNOTATION, MANAGED_BY, MANAGED_BY_LABEL } from "../../contract/names.ts";
import type { JsonObject } from "../../json/value.ts";
import { annotationOf, labelOf } from "../facts/slim.ts";
import { type ResourceName, typeOf } from "../resources.ts";
import type { ClusterView } from "../view.ts";

/** An object as it is to be: exactly the fields that are ours. */
export interface Desired {
  readonly resource: ResourceName;
  readonly name: string;
  readonly object: JsonObject;
}

const DIGEST_LENGTH = 16;

/**
 * An object of a cluster with our labels, and with a digest of its own content: where that is the live object's too, and all
 * that we want is in the live object, nothing that we once wanted is left in it either.
 *
 * @param labels beside ours
 */
export function desired(
  resource: ResourceName,
  view: Pick<ClusterView, "namespace" | "scope">,
  name: string,
  content: JsonObject,
  labels: Readonly<Record<string, string>> = {},
): Desired {
  const digest = createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, DIGEST_LENGTH);
  const metadata = {
    namespace: view.namespace,
    name,
    labels: { ...clusterLabels(view.scope), ...labels },
    annotations: { [DESIRED_ANNOTATION]: digest },
  };
  return { resource, name, object: { ...typeOf(resource), metadata, ...content } };
}

export const clusterLabels = (scope: string): Record<string, string> => ({
  [MANAGED_BY_LABEL]: MANAGED_BY,
  [CLUSTER_LABEL]: clusterLabelValue(scope),
});

/** The object was made by us, even if somebody has taken its label away. */
export const isOurs = (object: JsonObject): boolean =>
  labelOf(object, MANAGED_BY_LABEL) === MANAGED_BY || annotationOf(object, DESIRED_ANNOTATION) !== undefined;
