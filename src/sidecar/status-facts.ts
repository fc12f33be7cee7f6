import { at, type JsonObject } from "../json/value.ts";
import type { ReadReply } from "../primary/round.ts";
import type { Observation } from "../primary/standing.ts";
import type { ApiObject } from "./api-object.ts";
import type { KubeApi } from "./kube-api.ts";
import { PatroniClient } from "./patroni.ts";
import type { CommonConfig, SidecarConfig } from "./settings.ts";
import { primarySlice, SliceClient } from "./slice-client.ts";

/** One thing that the sidecar must be allowed to do. */
export interface Permission {
  readonly verb: string;
  readonly object: ApiObject;
  /** Undefined where the API server does not say. */
  readonly allowed: boolean | undefined;
}

/** What every sidecar sees, each asked once. */
export interface SliceFacts {
  readonly slice: ApiObject;
  readonly read: ReadReply;
  readonly permissions: readonly Permission[];
}

/** The same of a sidecar beside Patroni. */
export interface StatusFacts extends SliceFacts {
  readonly observation: Observation;
}

const REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const TIMEOUT_MS = 2000;

/** Asks Patroni and the API server. Never rejects. */
export async function gatherStatus(config: SidecarConfig, api: KubeApi): Promise<StatusFacts> {
  const { namespace } = config.pod;
  const leader: ApiObject[] =
    config.leaderObject === undefined ? [] : [{ prefix: "/api/v1", namespace, ...config.leaderObject }];
  const [observation, facts, ...permissions] = await Promise.all([
    new PatroniClient(config).observe("/primary"),
    gatherSliceFacts(config, api, ["get", "watch", "update"]),
    ...leader.flatMap((object) => ["get", "watch"].map((verb) => permission(api, verb, object))),
  ]);
  return { ...facts, observation, permissions: [...facts.permissions, ...permissions] };
}

/** Asks the API server about the primary's slice. Never rejects. */
export async function gatherSliceFacts(
  { pod, primaryService }: CommonConfig,
  api: KubeApi,
  verbs: readonly string[],
): Promise<SliceFacts> {
  const slice = primarySlice(pod.namespace, primaryService);
  const [read, ...permissions] = await Promise.all([
    new SliceClient(api, slice).read(),
    ...verbs.map((verb) => permission(api, verb, slice)),
  ]);
  return { slice, read, permissions };
}

const permission = async (api: KubeApi, verb: string, object: ApiObject): Promise<Permission> => ({
  verb,
  object,
  allowed: await isAllowed(api, verb, object),
});

async function isAllowed(api: KubeApi, verb: string, object: ApiObject): Promise<boolean | undefined> {
  const { prefix, resource, namespace, name } = object;
  const group = /^\/apis\/([^/]+)\//.exec(prefix)?.[1] ?? "";
  const body: JsonObject = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes: { namespace, verb, group, resource, name } },
  };
  const answer = await api.send({ method: "POST", path: REVIEWS, body, timeoutMs: TIMEOUT_MS });
  const allowed = at(answer.body, "status", "allowed");
  return answer.code === 201 && typeof allowed === "boolean" ? allowed : undefined;
}
