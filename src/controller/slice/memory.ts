import {
  ATTEMPT_ANNOTATION,
  CLUSTER_IP_ANNOTATION,
  KEPT_ANNOTATION,
  primarySliceName,
  TERM_ANNOTATION,
} from "../../contract/slice-annotations.ts";
import { asObject, asString, isObject, type JsonObject } from "../../json/value.ts";
import { follows, parseTerm, seenTerm, UNKNOWN_TERM } from "../../primary/term.ts";
import { isOurs } from "../desired/object.ts";
import { annotationOf, nameOf } from "../facts/slim.ts";
import type { ClusterView } from "../view.ts";
import { ownAnnotations } from "./ours.ts";

/** What outlives a slice: the annotations by which it remembers its term, its last pod, and its Service's address. */
export interface SliceMemory {
  /** The slice's name. */
  readonly slice: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** How often a write was tried counts for nothing in another slice. */
export function memoryOf(slice: JsonObject): SliceMemory {
  const { [ATTEMPT_ANNOTATION]: _attempt, ...annotations } = ownAnnotations(slice);
  return { slice: nameOf(slice), annotations };
}

/** As it is noted on a Role. */
export const noteOf = ({ slice, annotations }: SliceMemory): string =>
  JSON.stringify({ slice, annotations: Object.fromEntries(Object.entries(annotations).sort()) });

/** Undefined where the object has no note that can be read. */
export function noteOn(object: JsonObject): SliceMemory | undefined {
  const note = parsed(annotationOf(object, KEPT_ANNOTATION));
  const slice = asString(note?.slice);
  const annotations = asObject(note?.annotations);
  if (slice === undefined || annotations === undefined) return undefined;
  const texts = Object.entries(annotations).filter((entry): entry is [string, string] => {
    return typeof entry[1] === "string";
  });
  return { slice, annotations: Object.fromEntries(texts) };
}

/** The Role, or whatever it is, with what the slice says noted on it. */
export function withNote(object: JsonObject, memory: SliceMemory): JsonObject {
  const metadata = asObject(object.metadata) ?? {};
  const annotations = { ...asObject(metadata.annotations), [KEPT_ANNOTATION]: noteOf(memory) };
  return { ...object, metadata: { ...metadata, annotations } };
}

/**
 * What the next slice of a cluster, which has none now, starts with.
 *
 * Whatever remembers the newest term counts. Where nothing does although the cluster was ours before, its term is unknown, and the
 * next primary must prove itself by its tenure; a cluster that we see for the first time has none.
 *
 * @param seen what this process saw of the slice last
 */
export function recall(view: ClusterView, seen: SliceMemory | undefined): SliceMemory {
  const slice = primarySliceName(view.settings.primaryService);
  const memories = [
    ...(seen === undefined ? [] : [seen]),
    ...view.roles.flatMap((role) => noteOn(role) ?? []),
  ];
  if (memories.length > 0) return memories.map((memory) => underName(memory, slice)).reduce(newer);
  const isKnown = view.roles.length > 0 || (view.primaryService !== undefined && isOurs(view.primaryService));
  return { slice, annotations: isKnown ? { [TERM_ANNOTATION]: UNKNOWN_TERM } : {} };
}

/** A cluster's term goes on under another name of its Service; an address does not. */
function underName(memory: SliceMemory, slice: string): SliceMemory {
  const { [CLUSTER_IP_ANNOTATION]: _address, ...annotations } = memory.annotations;
  return memory.slice === slice ? memory : { slice, annotations };
}

/** Terms of which neither follows the other are of different systems: which is the newer, nobody can tell. */
function newer(one: SliceMemory, other: SliceMemory): SliceMemory {
  const [term, otherTerm] = [one, other].map(({ annotations }) => annotations[TERM_ANNOTATION]);
  const [known, otherKnown] = [parseTerm(term), parseTerm(otherTerm)];
  if (otherTerm === undefined || (known && follows(known, seenTerm(otherTerm)))) return one;
  if (otherKnown && follows(otherKnown, seenTerm(term))) return other;
  return { ...one, annotations: { ...one.annotations, [TERM_ANNOTATION]: UNKNOWN_TERM } };
}

function parsed(text: string | undefined): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
