import type { AnnotationValues } from "../contract/annotations.ts";
import { primaryServiceName } from "../contract/cluster-names.ts";
import { isDnsLabel } from "../contract/syntax.ts";
import { asObject, asString, type JsonObject } from "../json/value.ts";
import type { Flavour } from "../patroni/container.ts";
import { patroniPortOf, postgresPortOf } from "../patroni/identity.ts";
import { leaderObjectOf } from "../patroni/leader-object.ts";
import type { Subject } from "./decision.ts";

/** What the mutations know of a pod with Patroni, gathered once from the pod as it came. */
export interface Member {
  readonly role: "member";
  readonly namespace: string;
  readonly origin: Subject["origin"];
  readonly flavour: Flavour;
  readonly scope: string;
  readonly options: AnnotationValues;
  readonly postgresPort: number;
  readonly patroniPort: number;
  readonly primaryService: string;
  /** `<resource>/<name>` of Patroni's leader object, with Kubernetes as DCS. */
  readonly leaderObject: string | undefined;
  readonly hostNetwork: boolean;
  readonly name: string | undefined;
  readonly hostname: string | undefined;
  /** As the pods will have it: of a StatefulSet's pods its `serviceName`, whatever the template says. */
  readonly subdomain: string | undefined;
}

export function memberOf(
  subject: Subject,
  container: JsonObject,
  flavour: Flavour,
  scope: string,
  options: AnnotationValues,
): Member {
  const { pod } = subject;
  const metadata = asObject(pod.metadata) ?? {};
  const spec = asObject(pod.spec) ?? {};
  const stateful = subject.origin === "stateful-template";
  return {
    role: "member",
    namespace: subject.namespace,
    origin: subject.origin,
    flavour,
    scope,
    options,
    postgresPort: options["postgres-port"] ?? postgresPortOf(pod, container),
    patroniPort: options["patroni-port"] ?? patroniPortOf(pod, container),
    primaryService: options["primary-service"] ?? primaryServiceName(scope),
    leaderObject: leaderObjectOf(pod, container, flavour, scope),
    hostNetwork: spec.hostNetwork === true,
    name: subject.origin === "request" ? filled(metadata.name) : undefined,
    hostname: stateful ? undefined : filled(spec.hostname),
    subdomain: stateful ? filled(subject.serviceName) : filled(spec.subdomain),
  };
}

/** The host part of the member's DNS name, or why there is none. */
export type Host =
  | { readonly kind: "pod-name"; readonly name: string | undefined }
  | { readonly kind: "literal"; readonly name: string }
  | { readonly kind: "none"; readonly reason: "no-stable-name" | "invalid-name"; readonly detail: string };

/**
 * A pod's DNS name starts with its hostname, which must be set for the name to exist. Where the hostname is the pod's
 * name, the address can follow the pod (`$(PATRONI_INJECTOR_POD_NAME)`) and stays right in a copy.
 */
export function hostOf(member: Member): Host {
  if (member.origin === "stateful-template") return { kind: "pod-name", name: undefined };
  if (member.origin === "template") {
    return {
      kind: "none",
      reason: "no-stable-name",
      detail: "the pods of this workload have no names of their own",
    };
  }
  const host = member.hostname ?? member.name;
  if (host === undefined)
    return { kind: "none", reason: "no-stable-name", detail: "neither name nor hostname is set" };
  if (!isDnsLabel(host))
    return { kind: "none", reason: "invalid-name", detail: `"${host.slice(0, 80)}" is not a DNS label` };
  return host === member.name ? { kind: "pod-name", name: host } : { kind: "literal", name: host };
}

function filled(value: unknown): string | undefined {
  return asString(value) || undefined;
}
