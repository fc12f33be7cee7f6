import { at, type JsonObject } from "../json/value.ts";
import type { Seen } from "./need.ts";
import type { ReplicaMemory } from "./remembered.ts";
import type { Target } from "./webhook/target.ts";

/** The kinds of objects that an audit looks at. */
export const KINDS = [
  "Namespace",
  "Node",
  "Pod",
  "StatefulSet",
  "Service",
  "Endpoints",
  "EndpointSlice",
  "ConfigMap",
  "NetworkPolicy",
  "PodDisruptionBudget",
  "PeerAuthentication",
  "MutatingWebhookConfiguration",
] as const;
export type AuditKind = (typeof KINDS)[number];

/** What a member's Patroni answered to `GET` of its REST API; undefined where that path was not answered. */
export interface MemberAnswers {
  readonly patroni?: JsonObject;
  /** The member's own clock at that answer. */
  readonly patroniDate?: Date | undefined;
  readonly cluster?: JsonObject;
  readonly config?: JsonObject;
}

/** May a ServiceAccount do that, by SubjectAccessReview. */
export interface AccessQuestion {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  /** In which namespace, and on which object; all of the namespace where no name is given. */
  readonly inNamespace: string;
  readonly name?: string;
}

/** The certificates that a process of the webhook shows. */
export interface Shown {
  /** Who it is, in words. */
  readonly by: string;
  /** PEM, the leaf first, and when that was, on the API server's clock. */
  readonly chain: Seen<{ readonly pem: string; readonly at: Date }>;
}

/** What came back of a pod that was sent through the API server's admission by dry-run. */
export type DryRun =
  | { readonly kind: "admitted"; readonly pod: JsonObject }
  | { readonly kind: "refused"; readonly message: string };

/**
 * Everything that an audit looked at, at one moment. A value: checks are functions of it. What could not be looked at says why, and
 * is never the same as what is not there.
 */
export interface Snapshot {
  /** A running cluster, not manifests: what the controller makes may be asked for. */
  readonly live: boolean;
  /**
   * All objects of a kind, in the namespaces that are audited and in those that checks of them need.
   *
   * @param namespace only those of this one; unseen where nothing was read there
   */
  objects(kind: AuditKind, namespace?: string): Seen<readonly JsonObject[]>;
  /** Pods that talk to members without being any: operators' and the injector's, wherever they are. */
  neighbours(): Seen<readonly JsonObject[]>;
  /** By pod. */
  answers(namespace: string, pod: string): Seen<MemberAnswers>;
  access(question: AccessQuestion): Seen<boolean>;
  /** By workload. */
  dryRun(namespace: string, statefulSet: string): Seen<DryRun>;
  /** By everyone who is ready there. */
  shown(target: Target): Seen<readonly Shown[]>;
  /** What each replica of `serve` remembers; none are asked where no namespace is in audit mode. */
  replicas(): readonly ReplicaMemory[];
}

/** Objects of one kind, and those of each namespace at hand. */
export class ObjectIndex {
  readonly all: readonly JsonObject[];
  readonly #byNamespace: ReadonlyMap<unknown, readonly JsonObject[]>;

  constructor(objects: readonly JsonObject[]) {
    this.all = objects;
    this.#byNamespace = Map.groupBy(objects, ({ metadata }) => at(metadata, "namespace"));
  }

  /** @param namespace all where it is undefined */
  in(namespace: string | undefined): readonly JsonObject[] {
    return namespace === undefined ? this.all : (this.#byNamespace.get(namespace) ?? []);
  }
}
