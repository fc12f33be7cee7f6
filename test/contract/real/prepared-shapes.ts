import assert from "node:assert/strict";
import { toInjectionSettings } from "../../../src/config/injection-settings.ts";
import { defaultConfig } from "../../../src/config/load.ts";
import { NAMESPACE_LABEL } from "../../../src/contract/names.ts";
import { decide } from "../../../src/injection/decide.ts";
import type { Decision } from "../../../src/injection/decision.ts";
import { serviceFacts } from "../../../src/injection/settings.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import type { ApiClient, ApiResponse } from "../../cluster/api-client.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { ASSUMPTIONS, loadPod, type Shape } from "../../fixtures/index.ts";
import { asSent } from "./stored.ts";

/** A shape of the fixtures in a namespace of its own, as the API server has it without the webhook. */
export interface PreparedShape {
  readonly shape: Shape;
  readonly namespace: string;
  /** As it is sent. */
  readonly pod: JsonObject;
  /** What the API server makes of it without us. */
  readonly plain: JsonObject;
  readonly decision: Decision;
  /** What the API server makes of the pod that we plan. */
  readonly planned: JsonObject;
}

/** Before the webhook is there: what the API server does by itself, with the pod as it is and as it is planned. */
export async function prepareShape(api: ApiClient, shape: Shape): Promise<PreparedShape> {
  const namespace = `shape-${shape.name}`;
  const move = (object: JsonObject) => ({ ...object, metadata: { ...asObject(object.metadata), namespace } });
  const pod = move(loadPod(shape.name));
  await prepareNamespace(api, namespace, { [NAMESPACE_LABEL]: "enabled" });
  const account = asString(at(pod, "spec", "serviceAccountName")) ?? "default";
  if (account !== "default") {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    await accepted(api.request("POST", path, { metadata: { name: account } }));
  }
  const services = new Map<string, JsonObject>();
  for (const service of shape.services) {
    const path = `/api/v1/namespaces/${namespace}/services`;
    const created = await accepted(api.request("POST", path, move(service)));
    services.set(String(at(created, "metadata", "name")), created);
  }
  const plain = await accepted(dryRun(api, namespace, pod));
  const decision = decideOn(asSent(plain, pod), namespace, services);
  const planned = decision.kind === "inject" ? await accepted(dryRun(api, namespace, decision.pod)) : plain;
  return { shape, namespace, pod, plain, decision, planned };
}

function decideOn(pod: JsonObject, namespace: string, services: ReadonlyMap<string, JsonObject>): Decision {
  const { presets, poolers, clusterDomain, nativeSidecars, apiServerAddresses } = ASSUMPTIONS;
  const selectors = poolers.map(({ key, values }) => ({ key, values: [...values] }));
  const config = { ...defaultConfig(), presets: [...presets], poolers: { selectors }, clusterDomain };
  const job = objectsIn(at(pod, "metadata", "ownerReferences")).some(({ kind }) => kind === "Job");
  return decide(
    { pod, namespace, origin: "request", job },
    toInjectionSettings(config, { ownNamespace: undefined }),
    {
      service: (_, name) => {
        const service = services.get(name);
        return service && serviceFacts(service);
      },
      nativeSidecars,
      openshift: false,
      apiServerAddresses,
      suspended: () => false,
    },
  );
}

/** Creates a pod by server-side dry-run. */
export const dryRun = (api: ApiClient, namespace: string, pod: JsonObject): Promise<ApiResponse> =>
  api.request("POST", `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod);

/** The object of an answer that must be 201. */
export async function accepted(answer: Promise<ApiResponse>): Promise<JsonObject> {
  const { status, body } = await answer;
  assert.equal(status, 201, JSON.stringify(body));
  return body as JsonObject;
}
