import type { ApiRequest } from "./api-client.ts";
import { createObject } from "./create-object.ts";

/**
 * Creates a namespace with the ServiceAccount `default`, which a controller would create. Pods can be created
 * in it at once: admission asks etcd where its caches do not know the namespace or the account yet.
 */
export async function prepareNamespace(
  api: { readonly request: ApiRequest },
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  await createObject(api.request, "/api/v1/namespaces", {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { ...labels } },
  });
  await createObject(api.request, `/api/v1/namespaces/${name}/serviceaccounts`, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default" },
  });
}
