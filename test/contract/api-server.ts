import { type KubeApiOptions, startKubeApi } from "../../demo/kube-api/server.ts";
import { at } from "../../src/json/value.ts";
import { type ApiClient, createApiClient } from "../cluster/api-client.ts";
import { startControlPlane } from "../cluster/control-plane.ts";

/** An API server that a contract case runs against: the same case must hold for both. */
export interface ApiServerUnderTest extends Pick<ApiClient, "request" | "stream"> {
  readonly name: "embedded" | "real";
  /** Text of a kubeconfig for a user who may do everything; `request` asks as that user. */
  readonly kubeconfig: string;
  readonly user: { readonly name: string; readonly groups: readonly string[] };
  /** From now on no watch can begin from resourceVersion 1. */
  forget(): void;
  /** Audit annotations of the newest request that creates an object of that name. */
  auditOf(namespace: string, name: string): Promise<Readonly<Record<string, string>>>;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

/** kube-apiserver on etcd. The first call on a machine builds both, which takes minutes. */
export async function startReal(): Promise<ApiServerUnderTest> {
  const { api, kubeconfig, auditEvents, stop } = await startControlPlane({ audit: "Metadata" });
  return {
    name: "real",
    kubeconfig: kubeconfig.text,
    user: { name: "admin", groups: ["system:masters", "system:authenticated"] },
    request: api.request,
    stream: api.stream,
    forget() {}, // its watch caches begin later than that
    async auditOf(namespace, name) {
      const event = (await auditEvents()).findLast(
        ({ verb, objectRef }) =>
          verb === "create" && at(objectRef, "namespace") === namespace && at(objectRef, "name") === name,
      );
      return (event?.annotations ?? {}) as Record<string, string>;
    },
    stop,
  };
}

/** The API server of the demo, in this process. */
export async function startEmbedded(options: KubeApiOptions = {}): Promise<ApiServerUnderTest> {
  const server = await startKubeApi(options);
  const name = "kubernetes-admin";
  const api = createApiClient(server.url, server.caPem, { token: server.tokens.issue(name) });
  return {
    name: "embedded",
    kubeconfig: server.kubeconfig(),
    user: { name, groups: ["system:authenticated"] },
    request: api.request,
    stream: api.stream,
    forget: () => server.compact(),
    async auditOf(namespace, object) {
      const entry = server.audit.entries.findLast(
        (one) => one.verb === "create" && one.namespace === namespace && one.name === object,
      );
      return entry?.annotations ?? {};
    },
    async stop() {
      api.close();
      await server.close();
    },
  };
}
