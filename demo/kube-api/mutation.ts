import { admit, type Report } from "./admission.ts";
import { type Admission, type Hook, hooksOf, type Labels } from "./hooks.ts";
import type { KubeObject } from "./objects.ts";
import { CONFIGURATIONS, NAMESPACES } from "./resource.ts";
import type { Store } from "./store.ts";
import type { WebhookClient } from "./webhook-client.ts";

/**
 * Admission as the configurations that a store keeps want it. They themselves are admitted as they are: a webhook
 * cannot make it impossible to change it.
 */
export function mutatingAdmission(store: Store, webhooks: WebhookClient) {
  const hooks = hooksIn(store);
  return async (request: Admission, report: Report): Promise<KubeObject | undefined> => {
    if (request.resource.id === CONFIGURATIONS) return request.object;
    const call = (hook: Hook, current: Admission) => webhooks.call(hook, current);
    return admit(request, hooks(), namespaceLabels(store, request), call, report);
  };
}

/** The hooks of the configurations that are kept now, worked out anew only where one of them changed. */
function hooksIn(store: Store): () => readonly Hook[] {
  let hooks: readonly Hook[] | undefined = [];
  store.observe(({ resource }) => {
    if (resource === CONFIGURATIONS) hooks = undefined;
  });
  return () => {
    hooks ??= hooksOf(store.list(CONFIGURATIONS).map(({ object }) => object));
    return hooks;
  };
}

/** Of a Namespace that is being written, its own labels count, not those it has so far. */
function namespaceLabels(store: Store, request: Admission): (object: KubeObject | undefined) => Labels {
  const kept = store.get(NAMESPACES, "", request.namespace)?.object.metadata.labels ?? {};
  return (object) => (request.resource.id === NAMESPACES ? (object?.metadata.labels ?? kept) : kept);
}
