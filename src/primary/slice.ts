import { ATTEMPT_ANNOTATION, LAST_POD_ANNOTATION, TERM_ANNOTATION } from "../contract/slice-annotations.ts";
import { sameJson } from "../json/same.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../json/value.ts";
import { formatTerm, type SeenTerm, seenTerm, type Term } from "./term.ts";

/** A pod that may be published: what an endpoint says of it. */
export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Of the slice's address family. */
  readonly address: string;
  readonly nodeName: string | undefined;
}

/** What of the slice matters to a decision. */
export interface SliceState {
  readonly endpoints: readonly JsonObject[];
  readonly term: SeenTerm | undefined;
}

export function readSlice(slice: JsonObject): SliceState {
  return { endpoints: objectsIn(slice.endpoints), term: seenTerm(annotation(slice, TERM_ANNOTATION)) };
}

/** The endpoint stands for this pod: it refers to it, or carries its address without referring to any. */
export function isEndpointOf(endpoint: JsonObject, pod: PodIdentity): boolean {
  const uid = asString(at(endpoint, "targetRef", "uid"));
  return uid === undefined ? addressesOf(endpoint).includes(pod.address) : uid === pod.uid;
}

/** Exactly this pod stands in the slice, as it should. */
export function isPublished(state: SliceState, pod: PodIdentity): boolean {
  const [endpoint, ...others] = state.endpoints;
  return endpoint !== undefined && others.length === 0 && sameJson(endpoint, endpointOf(pod));
}

/** The addresses that stand in the slice. */
export const publishedAddresses = (slice: JsonObject): string[] =>
  objectsIn(slice.endpoints).flatMap(addressesOf);

/** The slice with this pod as its only endpoint, and the pod's term. Everything else stays as it was read. */
export function withPod(slice: JsonObject, pod: PodIdentity, term: Term): JsonObject {
  return annotated(
    { ...slice, endpoints: [endpointOf(pod)] },
    {
      [TERM_ANNOTATION]: formatTerm(term),
      [LAST_POD_ANNOTATION]: `${pod.name}/${pod.uid}`,
    },
  );
}

/** The slice without this pod's endpoints; those of others stay, and so do the term and the last pod. */
export function withoutPod(slice: JsonObject, pod: PodIdentity): JsonObject {
  return {
    ...slice,
    endpoints: objectsIn(slice.endpoints).filter((endpoint) => !isEndpointOf(endpoint, pod)),
  };
}

/** The slice with its attempt raised: a write that changes nothing but the resourceVersion. */
export function withAttempt(slice: JsonObject): JsonObject {
  const attempt = Number(annotation(slice, ATTEMPT_ANNOTATION) ?? "0");
  return annotated(slice, { [ATTEMPT_ANNOTATION]: String(Number.isSafeInteger(attempt) ? attempt + 1 : 1) });
}

/** Ready always: to fence, an endpoint is removed, for `ready: false` does not keep a proxy from using it. */
function endpointOf(pod: PodIdentity): JsonObject {
  return {
    addresses: [pod.address],
    conditions: { ready: true, serving: true, terminating: false },
    targetRef: { kind: "Pod", namespace: pod.namespace, name: pod.name, uid: pod.uid },
    ...(pod.nodeName === undefined ? {} : { nodeName: pod.nodeName }),
  };
}

function annotated(slice: JsonObject, annotations: Readonly<Record<string, string>>): JsonObject {
  const metadata = asObject(slice.metadata) ?? {};
  return {
    ...slice,
    metadata: { ...metadata, annotations: { ...asObject(metadata.annotations), ...annotations } },
  };
}

const annotation = (slice: JsonObject, key: string): string | undefined =>
  asString(at(slice, "metadata", "annotations", key));

const addressesOf = (endpoint: JsonObject): string[] =>
  Array.isArray(endpoint.addresses)
    ? endpoint.addresses.filter((address) => typeof address === "string")
    : [];
