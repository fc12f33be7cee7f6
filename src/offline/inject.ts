import { decide } from "../injection/decide.ts";
import type { Decision } from "../injection/decision.ts";
import {
  type InjectionSettings,
  type ServiceFacts,
  type Surroundings,
  serviceFacts,
} from "../injection/settings.ts";
import { asObject, type Json } from "../json/value.ts";
import { problemAt, type SourceDocument } from "./documents.ts";
import { sync } from "./edit/sync.ts";
import { offsetOf } from "./locate.ts";
import { parseDocument } from "./parse.ts";
import { type Item, isService, podPath, subjectOf, withPod } from "./workloads.ts";

/** What came of one object. */
export interface Outcome {
  readonly item: Item;
  readonly namespace: string;
  /** Undefined where the object has no pods. */
  readonly decision: Decision | undefined;
  /** The Service that the pods' DNS names need and that is not in the input. */
  readonly missingService: string | undefined;
}

export interface InjectedDocument {
  readonly source: SourceDocument;
  readonly value: Json;
  /** The very text of the source where nothing changes. */
  readonly text: string;
  readonly outcomes: readonly Outcome[];
  /** Refused annotations, with file, line and column. */
  readonly problems: readonly string[];
}

/** Decides on every pod and pod template of the document, and changes the text as far as the pods change. */
export function injectDocument(
  source: SourceDocument,
  defaultNamespace: string,
  settings: InjectionSettings,
  surroundings: Surroundings,
): InjectedDocument {
  const outcomes = source.items.map((item) => outcomeOf(item, defaultNamespace, settings, surroundings));
  const value = outcomes.reduce((whole, { item, decision }) => {
    if (decision?.kind !== "inject" || decision.reason === "already-injected") return whole;
    return withPod(whole, [...item.path, ...(podPath(item.object) ?? [])], decision.pod);
  }, source.value);
  return {
    source,
    value,
    text: value === source.value ? source.text : sync(source.text, value),
    outcomes,
    problems: outcomes.flatMap((outcome) => refusal(source, outcome)),
  };
}

function outcomeOf(
  item: Item,
  defaultNamespace: string,
  settings: InjectionSettings,
  surroundings: Surroundings,
): Outcome {
  const namespace = item.namespace ?? defaultNamespace;
  const subject = subjectOf(item, namespace);
  if (subject === undefined) return { item, namespace, decision: undefined, missingService: undefined };
  const decision = decide(subject, settings, surroundings);
  const needed = neededService(decision, subject.serviceName);
  const isMissing = needed !== undefined && surroundings.service(namespace, needed) === undefined;
  return { item, namespace, decision, missingService: isMissing ? needed : undefined };
}

/**
 * The StatefulSet controller gives each pod it creates the set's `serviceName` as subdomain, whatever the template says
 * (kubernetes pkg/controller/statefulset, initIdentity); `serviceName` itself cannot change once the set exists.
 */
function neededService(decision: Decision, serviceName: string | undefined): string | undefined {
  if (decision.kind !== "inject" || !decision.applied.includes("pod-dns")) return undefined;
  const subdomain = serviceName ?? asObject(decision.pod.spec)?.subdomain;
  return typeof subdomain === "string" ? subdomain : undefined;
}

function refusal(source: SourceDocument, { item, decision }: Outcome): string[] {
  if (decision?.kind !== "deny") return [];
  const parsed = parseDocument(source.text);
  const path = [...item.path, ...(podPath(item.object) ?? []), "metadata", "annotations"];
  const key = /annotation "?([^\s":]+)/.exec(decision.message)?.[1] ?? "";
  const offset = parsed.kind === "read" ? offsetOf(parsed.document, [...path, key]) : 0;
  return [problemAt(source, offset, `${item.kind}/${item.name}: ${decision.reason}: ${decision.message}`)];
}

/** The cluster as far as the input shows it: its Services. */
export function surroundingsOf(documents: readonly SourceDocument[], defaultNamespace: string): Surroundings {
  const services = new Map<string, ServiceFacts>();
  for (const { object, name, namespace } of documents.flatMap(({ items }) => items)) {
    if (isService(object)) services.set(`${namespace ?? defaultNamespace}/${name}`, serviceFacts(object));
  }
  return {
    service: (namespace, name) => services.get(`${namespace}/${name}`),
    nativeSidecars: false,
    openshift: false,
    apiServerAddresses: [],
    suspended: () => false,
  };
}
