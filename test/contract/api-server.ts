import { type KubeApiOptions, startKubeApi } from "../../demo/kube-api/server.ts";
import { type ApiRequest, createApiClient } from "../cluster/api-client.ts";
import { type ControlPlaneOptions, startControlPlane } from "../cluster/control-plane.ts";

/** An API server that a contract case runs against: the same case must hold for both. */
export interface ApiServerUnderTest {
  readonly name: "embedded" | "real";
  /** Text of a kubeconfig for a user who may do everything. */
  readonly kubeconfig: string;
  /** Asks as that user. */
  readonly request: ApiRequest;
  /** Ends the server and removes its files. */
  stop(): Promise<void>;
}

/** kube-apiserver on etcd. The first call on a machine builds both, which takes minutes. */
export async function startReal(options: ControlPlaneOptions = {}): Promise<ApiServerUnderTest> {
  const { api, kubeconfig, stop } = await startControlPlane(options);
  return { name: "real", kubeconfig: kubeconfig.text, request: api.request, stop };
}

/** The API server of the demo, in this process. */
export async function startEmbedded(options: KubeApiOptions = {}): Promise<ApiServerUnderTest> {
  const server = await startKubeApi(options);
  const api = createApiClient(server.url, server.caPem, { token: server.tokens.issue("kubernetes-admin") });
  return {
    name: "embedded",
    kubeconfig: server.kubeconfig(),
    request: api.request,
    async stop() {
      api.close();
      await server.close();
    },
  };
}
