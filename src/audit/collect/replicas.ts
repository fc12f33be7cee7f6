import { DECISIONS_PATH } from "../../contract/decisions.ts";
import { asObject, asString, at, type JsonObject, objectsIn } from "../../json/value.ts";
import type { KubeConnection } from "../../kube/connection.ts";
import { askPatroni } from "../../patroni/rest.ts";
import { rememberedIn } from "../audit-mode.ts";
import type { Seen } from "../need.ts";
import { isInjector } from "../neighbours.ts";
import type { ReplicaMemory } from "../remembered.ts";
import type { Way } from "./members.ts";
import { forEach } from "./pool.ts";

/** The operations port, by its name in the chart. */
const PORT_NAME = "metrics";

/** A replica tells from memory, and by its own bounds less than that (webhook/recent.ts). */
const LARGEST_BYTES = 256 * 1024;
const TIMEOUT_MS = 5000;

/** Asks every replica of `serve` among these pods what it remembers. */
export async function askReplicas(
  connection: KubeConnection,
  pods: Seen<readonly JsonObject[]>,
  way: Way,
): Promise<ReplicaMemory[]> {
  if ("unseen" in pods) return [{ replica: "every replica", told: pods }];
  const replicas = pods.value.filter(
    (pod) => isInjector(pod) && portOf(pod) !== undefined && at(pod, "status", "phase") === "Running",
  );
  if (replicas.length === 0)
    return [{ replica: "every replica", told: { unseen: "no pod of `serve` runs" } }];
  return forEach(replicas, async (pod) => {
    const [namespace, name] = ["namespace", "name"].map((key) => asString(at(pod, "metadata", key)));
    return { replica: `${namespace}/${name}`, told: await ask(connection, pod, way) };
  });
}

async function ask(connection: KubeConnection, pod: JsonObject, way: Way): Promise<ReplicaMemory["told"]> {
  try {
    return { value: rememberedIn(await (way === "proxy" ? byProxy(connection, pod) : directly(pod))) };
  } catch (error) {
    return { unseen: (error as Error).message };
  }
}

function byProxy(connection: KubeConnection, pod: JsonObject): Promise<JsonObject> {
  const [namespace = "", name = ""] = ["namespace", "name"].map((key) => asString(at(pod, "metadata", key)));
  const target = encodeURIComponent(`http:${name}:${portOf(pod)}`);
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${target}/proxy${DECISIONS_PATH}`;
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  return connection.send({ method: "GET", path, signal, largestBytes: LARGEST_BYTES });
}

async function directly(pod: JsonObject): Promise<JsonObject> {
  const host = asString(at(pod, "status", "podIP"));
  const port = portOf(pod);
  if (host === undefined || port === undefined) throw new Error("it has no address");
  const { code, body } = await askPatroni({ scheme: "http", host, port, tls: {} }, DECISIONS_PATH);
  const answer = code === 200 ? asObject(body) : undefined;
  if (answer === undefined) throw new Error(`GET ${DECISIONS_PATH} is answered with status ${code}`);
  return answer;
}

function portOf(pod: JsonObject): number | undefined {
  const ports = objectsIn(at(pod, "spec", "containers")).flatMap(({ ports }) => objectsIn(ports));
  const port = ports.find(({ name }) => name === PORT_NAME)?.containerPort;
  return typeof port === "number" ? port : undefined;
}
