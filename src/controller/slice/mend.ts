import { TERM_ANNOTATION, TERM_RESET_ANNOTATION } from "../../contract/slice-annotations.ts";
import { sameJson } from "../../json/same.ts";
import { asObject, type JsonObject, objectsIn } from "../../json/value.ts";
import { metadataOf } from "../facts/slim.ts";

/** The slice with what follows from the Service put right. All else stays as it was read, endpoints and term above all. */
export function mended(slice: JsonObject, skeleton: JsonObject): JsonObject {
  const metadata = metadataOf(slice);
  const wanted = metadataOf(skeleton);
  return {
    ...slice,
    metadata: {
      ...metadata,
      labels: { ...asObject(metadata.labels), ...asObject(wanted.labels) },
      annotations: { ...asObject(metadata.annotations), ...asObject(wanted.annotations) },
      ownerReferences: owners(objectsIn(metadata.ownerReferences), objectsIn(wanted.ownerReferences)),
    },
    ports: samePorts(objectsIn(slice.ports), objectsIn(skeleton.ports)) ? slice.ports : skeleton.ports,
  };
}

/** The slice without these endpoints. */
export const withoutEndpoints = (slice: JsonObject, gone: readonly JsonObject[]): JsonObject => ({
  ...slice,
  endpoints: objectsIn(slice.endpoints).filter((endpoint) => !gone.includes(endpoint)),
});

/** The slice without its term: whoever proves to be the primary next is published. @param wish the user's, where it was one */
export function withoutTerm(slice: JsonObject, wish: string | undefined): JsonObject {
  const metadata = metadataOf(slice);
  const { [TERM_ANNOTATION]: _term, ...annotations } = asObject(metadata.annotations) ?? {};
  const obeyed = wish === undefined ? {} : { [TERM_RESET_ANNOTATION]: wish };
  return { ...slice, metadata: { ...metadata, annotations: { ...annotations, ...obeyed } } };
}

/** One Service owns the slice, the one that is there; whatever else owns it goes on to. */
function owners(live: readonly JsonObject[], wanted: readonly JsonObject[]): JsonObject[] {
  const others = live.filter(({ kind }) => kind !== "Service");
  const kept = wanted.map(
    (owner) => live.find(({ uid, kind }) => uid === owner.uid && kind === owner.kind) ?? owner,
  );
  return [...kept, ...others];
}

function samePorts(live: readonly JsonObject[], wanted: readonly JsonObject[]): boolean {
  const essence = (ports: readonly JsonObject[]) =>
    ports.map(({ name, port, protocol }) => ({
      name: name ?? "",
      port: port ?? null,
      protocol: protocol ?? "TCP",
    }));
  return sameJson(essence(live), essence(wanted));
}
