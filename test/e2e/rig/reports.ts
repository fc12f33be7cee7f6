import { SUSPENSIONS_CONFIGMAP } from "../../../src/contract/names.ts";
import { readSuspensions, type Suspension } from "../../../src/controller/breaker/suspension.ts";
import { asString, at, objectsIn } from "../../../src/json/value.ts";
import { sumOf } from "../analysis/metrics.ts";
import type { Kubectl } from "./kubectl.ts";
import { RELEASE } from "./release.ts";

/** The port of the chart's metrics. */
const METRICS_PORT = 8080;

/** What the injector tells people. */
export class Reports {
  readonly #kubectl: Kubectl;

  constructor(kubectl: Kubectl) {
    this.#kubectl = kubectl;
  }

  /** A metric as all replicas together have it, read through the API server: the one that reconciles has what clusters are like. */
  async metric(name: string, labels: Readonly<Record<string, string>>): Promise<number> {
    const { namespace } = RELEASE;
    const list = await this.#kubectl.json(["get", "pods", `--namespace=${namespace}`]);
    const pods = objectsIn(list.items).flatMap((pod) => {
      const leaving = at(pod, "metadata", "deletionTimestamp") !== undefined;
      return leaving ? [] : [String(at(pod, "metadata", "name"))];
    });
    const values = pods.map(async (pod) => {
      const path = `/api/v1/namespaces/${namespace}/pods/${pod}:${METRICS_PORT}/proxy/metrics`;
      return sumOf(await this.#kubectl.run(["get", "--raw", path]), name, labels);
    });
    return (await Promise.all(values)).reduce((sum, value) => sum + value, 0);
  }

  /** Notes of the Events with this reason in a namespace. */
  async events(namespace: string, reason: string): Promise<string[]> {
    const list = await this.#kubectl.json(["get", "events.events.k8s.io", `--namespace=${namespace}`]);
    return objectsIn(list.items).flatMap((event) =>
      event.reason === reason ? [asString(event.note) ?? ""] : [],
    );
  }

  /** Whether, and why, the sidecar is suspended in a namespace. */
  async suspension(namespace: string): Promise<Suspension | undefined> {
    const place = [`--namespace=${RELEASE.namespace}`, "--ignore-not-found", "--output=json"];
    const text = await this.#kubectl.run(["get", "configmap", SUSPENSIONS_CONFIGMAP, ...place]);
    return text.trim() === "" ? undefined : readSuspensions(JSON.parse(text)).get(namespace);
  }
}
