import type { InjectionSettings } from "../../injection/settings.ts";
import { asObject, asString, at, type JsonObject } from "../../json/value.ts";
import { type MemberSettings, memberSettings } from "./member.ts";
import { type ObjectReference, referenceIn } from "./pod.ts";
import { type Rollout, rolloutOf } from "./rollout.ts";

/** What is kept of a StatefulSet whose pods are, or will be, members of a Patroni cluster. */
export interface TemplateFacts {
  readonly namespace: string;
  readonly settings: MemberSettings;
  readonly workload: ObjectReference;
  readonly rollout: Rollout;
  /** By which it finds its pods, whether or not they were injected. */
  readonly selector: JsonObject | undefined;
}

/** Undefined for a StatefulSet of anything else. */
export function templateFacts(set: JsonObject, settings: InjectionSettings): TemplateFacts | undefined {
  const namespace = asString(at(set, "metadata", "namespace")) ?? "";
  const pod = asObject(at(set, "spec", "template"));
  const serviceName = asString(at(set, "spec", "serviceName"));
  if (pod === undefined) return undefined;
  const subject = {
    pod,
    namespace,
    origin: "stateful-template" as const,
    job: false,
    ...(serviceName === undefined ? {} : { serviceName }),
  };
  const member = memberSettings(subject, settings);
  if (member === undefined) return undefined;
  return {
    namespace,
    settings: member,
    workload: referenceIn("apps/v1", "StatefulSet", asObject(set.metadata) ?? {}),
    rollout: rolloutOf(set),
    selector: asObject(at(set, "spec", "selector")),
  };
}
