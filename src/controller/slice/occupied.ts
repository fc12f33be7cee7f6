import { TAKE_OVER_ANNOTATION } from "../../contract/service-annotations.ts";
import { SLICE_MANAGER_LABEL } from "../../contract/slice-annotations.ts";
import { asObject, at, type JsonObject, objectsIn } from "../../json/value.ts";
import { isOurs } from "../desired/object.ts";
import type { EndpointsFacts } from "../facts/endpoints.ts";
import { annotationOf, labelOf, metadataOf, nameOf } from "../facts/slim.ts";
import type { ClusterView } from "../view.ts";
import { ourSlice } from "./ours.ts";

/** Whether the primary may be published at a Service. */
export type Occupation =
  | { readonly kind: "free" }
  /** Nothing of ours may stand there. */
  | { readonly kind: "occupied"; readonly why: string }
  /** Its Endpoints object is ours to put aside, and not put aside now. */
  | { readonly kind: "put-aside"; readonly endpoints: EndpointsFacts }
  /** The Endpoints object is put aside; what was mirrored from it is still there. */
  | { readonly kind: "clearing" };

const MIRRORING = "endpointslicemirroring-controller.k8s.io";

/** Two sources of addresses are two backends: a replica would get writes. */
export function occupation(view: ClusterView, service: JsonObject): Occupation {
  const ours = ourSlice(view);
  const foreign = view.slices.filter((slice) => slice !== ours);
  const mirrored = foreign.filter((slice) => labelOf(slice, SLICE_MANAGER_LABEL) === MIRRORING);
  const other = foreign.find((slice) => !mirrored.includes(slice));
  const why = serviceProblem(service) ?? (other && `EndpointSlice ${nameOf(other)} is there already`);
  if (why !== undefined) return { kind: "occupied", why };

  const { endpoints } = view;
  const mayPutAside = isOurs(service) || annotationOf(service, TAKE_OVER_ANNOTATION) === "true";
  if (endpoints !== undefined && !endpoints.skipMirror) {
    return mayPutAside
      ? { kind: "put-aside", endpoints }
      : { kind: "occupied", why: `Endpoints ${endpoints.name} is there already` };
  }
  return mirrored.length > 0 ? { kind: "clearing" } : { kind: "free" };
}

function serviceProblem(service: JsonObject): string | undefined {
  const selector = asObject(at(service, "spec", "selector")) ?? {};
  if (Object.keys(selector).length > 0) return "the Service has a selector";
  if (at(service, "spec", "type") === "ExternalName") return "the Service is an ExternalName";
  const owner = objectsIn(metadataOf(service).ownerReferences).find(({ controller }) => controller === true);
  return owner && `the Service is controlled by ${String(owner.kind)} ${String(owner.name)}`;
}
