import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ApiClient } from "../../demo/client.ts";
import type { KubeApi } from "../../demo/kube-api/server.ts";
import type { SimulatedMember } from "../../demo/patroni/member.ts";
import { Program } from "../../demo/program.ts";
import { asString, at, type JsonObject } from "../../src/json/value.ts";

/** Who the API server takes the controller for. */
export const CONTROLLER_USER = "controller";

const CONFIG = `
webhook: { host: 127.0.0.1, port: 0, registration: { mode: none } }
operations: { host: 127.0.0.1, port: 0 }
drainSeconds: 0
`;

/** `serve` as a process of its own, which leads from the start. */
export async function startController(api: KubeApi, folder: string): Promise<Program> {
  await mkdir(folder, { recursive: true });
  const [config, kubeconfig] = [join(folder, "config.yaml"), join(folder, "kubeconfig")];
  await writeFile(config, CONFIG);
  await writeFile(kubeconfig, api.kubeconfig(CONTROLLER_USER));
  const program = new Program(["serve", "--config", config, "--kubeconfig", kubeconfig]);
  await program.said("controller started", 30_000);
  return program;
}

/** The pods of one namespace, as the controller sees them. */
export class Pods {
  readonly #client: ApiClient;
  readonly #path: string;

  constructor(client: ApiClient, namespace: string) {
    this.#client = client;
    this.#path = `/api/v1/namespaces/${namespace}/pods`;
  }

  /** The member's pod is made, anew where there is one. @returns its uid */
  async make(member: SimulatedMember): Promise<string> {
    await this.remove(member);
    const { body } = await this.#client.create(this.#path, podOf(member));
    const uid = asString(at(body, "metadata", "uid"));
    if (uid === undefined) throw new Error(`the pod of ${member.name} was not made: ${JSON.stringify(body)}`);
    await this.sidecarRuns(member, true);
    return uid;
  }

  async remove({ name }: SimulatedMember): Promise<void> {
    await this.#client.remove(`${this.#path}/${name}`);
  }

  /** The kubelet says whether the sidecar of a pod runs. */
  async sidecarRuns(member: SimulatedMember, runs: boolean): Promise<void> {
    const state: JsonObject = runs ? { running: {} } : { terminated: { exitCode: 137 } };
    const status = {
      phase: "Running",
      podIP: member.host,
      podIPs: [{ ip: member.host }],
      initContainerStatuses: [{ name: "patroni-injector", state }],
    };
    await this.#client.replace(`${this.#path}/${member.name}/status`, { ...podOf(member), status });
  }
}

const podOf = ({ name, ports }: SimulatedMember): JsonObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name,
    labels: { application: "patroni", "cluster-name": "pg", "patroni-injector.io/cluster": "pg" },
    annotations: {
      "patroni-injector.io/patroni-port": String(ports.rest),
      "patroni-injector.io/postgres-port": String(ports.postgres),
    },
  },
  spec: {
    nodeName: `node-${name}`,
    initContainers: [{ name: "patroni-injector", image: "patroni-injector", restartPolicy: "Always" }],
    containers: [
      {
        name: "postgres",
        image: "registry.example/patroni",
        env: [
          { name: "PATRONI_SCOPE", value: "pg" },
          { name: "PATRONI_KUBERNETES_LABELS", value: "{application: patroni, cluster-name: pg}" },
        ],
      },
    ],
  },
});
