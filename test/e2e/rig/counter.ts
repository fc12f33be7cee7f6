import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { asString, at, type JsonObject } from "../../../src/json/value.ts";
import { parseWrites, type Write } from "../analysis/writes.ts";
import { PASSWORD, RESTRICTED_CONTAINER, RESTRICTED_POD } from "../manifests/patroni.ts";
import { type Kubectl, type PodRef, until } from "./kubectl.ts";

const PROGRAM = join(import.meta.dirname, "../client/counter.py");

/** What the client writes into; make it on the primary before the first client. */
export const COUNTER_TABLE = "CREATE TABLE IF NOT EXISTS counter (run text, n bigint, PRIMARY KEY (run, n))";

/** The counter client (`client/counter.py`) in a pod of its own. */
export class Counter {
  readonly #kubectl: Kubectl;
  readonly #pod: PodRef;
  readonly run: string;

  private constructor(kubectl: Kubectl, pod: PodRef, run: string) {
    this.#kubectl = kubectl;
    this.#pod = pod;
    this.run = run;
  }

  /** Starts a client that writes to `host`, and waits until ten writes were acknowledged. `run` names the pod, too. */
  static async start(
    kubectl: Kubectl,
    namespace: string,
    image: string,
    host: string,
    run: string,
    port = 5432,
  ): Promise<Counter> {
    const program = await readFile(PROGRAM, "utf8");
    await kubectl.apply(podObjects({ namespace, image, host, port, run, program }));
    const counter = new Counter(kubectl, { namespace, name: run }, run);
    await until("the counter client writes", 60_000, async () => {
      const acknowledged = (await counter.writes()).filter(({ outcome }) => outcome === "acknowledged");
      return acknowledged.length >= 10 ? true : undefined;
    });
    return counter;
  }

  async writes(): Promise<Write[]> {
    const { namespace, name } = this.#pod;
    const log = await this.#kubectl.run(["logs", `--namespace=${namespace}`, name]);
    return parseWrites(log.slice(0, log.lastIndexOf("\n") + 1));
  }

  /** Ends the client and gives all that it did. The pod is removed. */
  async stop(): Promise<Write[]> {
    const { namespace, name } = this.#pod;
    await this.#kubectl.exec(this.#pod, ["sh", "-c", "kill -TERM 1"]);
    await until("the counter client has ended", 30_000, async () => {
      const pod = await this.#kubectl.json(["get", "pod", name, `--namespace=${namespace}`]);
      const phase = asString(at(pod, "status", "phase"));
      return phase === "Succeeded" || phase === "Failed" ? phase : undefined;
    });
    const writes = await this.writes();
    await this.#kubectl.run(["delete", "pod", name, `--namespace=${namespace}`, "--wait=false"]);
    return writes;
  }
}

interface ClientPod {
  readonly namespace: string;
  readonly image: string;
  readonly host: string;
  readonly port: number;
  readonly run: string;
  readonly program: string;
}

function podObjects({ namespace, image, host, port, run, program }: ClientPod): JsonObject[] {
  return [
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "counter", namespace },
      data: { "counter.py": program },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: run, namespace },
      spec: {
        restartPolicy: "Never",
        terminationGracePeriodSeconds: 1,
        securityContext: { ...RESTRICTED_POD, runAsUser: 999 },
        containers: [
          {
            name: "counter",
            image,
            imagePullPolicy: "IfNotPresent",
            securityContext: RESTRICTED_CONTAINER,
            command: ["/opt/patroni/bin/python", "-u", "/client/counter.py", run, "1"],
            env: [
              { name: "COUNTER_HOST", value: host },
              { name: "COUNTER_PORT", value: String(port) },
              { name: "COUNTER_PASSWORD", value: PASSWORD },
            ],
            volumeMounts: [{ name: "client", mountPath: "/client" }],
          },
        ],
        volumes: [{ name: "client", configMap: { name: "counter" } }],
      },
    },
  ];
}
