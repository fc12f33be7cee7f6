import { NAMESPACE_LABEL, PRIMARY_SUFFIX } from "../../../src/contract/names.ts";
import { etcdObjects } from "../manifests/etcd.ts";
import { type Dcs, patroniObjects } from "../manifests/patroni.ts";
import { COUNTER_TABLE } from "./counter.ts";
import { Kubectl, until } from "./kubectl.ts";
import { Members, type Settled } from "./members.ts";
import type { Target } from "./target.ts";

/** One kind of Patroni cluster that the suite knows. */
export interface Form {
  /** A DNS label, which names the namespace. */
  readonly name: string;
  readonly dcs: Dcs;
  readonly synchronous: boolean;
  readonly ttlSeconds: number;
  /** Its pods are admissible under Pod Security `restricted`. */
  readonly restricted?: boolean;
}

export const FORMS = {
  configmaps: { name: "configmaps-sync", dcs: "configmaps", synchronous: true, ttlSeconds: 20 },
  asynchronous: { name: "configmaps-async", dcs: "configmaps", synchronous: false, ttlSeconds: 20 },
  endpoints: { name: "endpoints-sync", dcs: "endpoints", synchronous: true, ttlSeconds: 20 },
  etcd: { name: "etcd-sync", dcs: "etcd", synchronous: true, ttlSeconds: 20 },
} as const satisfies Record<string, Form>;

const SCOPE = "books";
const BOOTS_WITHIN_MS = 300_000;

export interface Deployed {
  readonly target: Target;
  readonly kubectl: Kubectl;
  readonly form: Form;
  readonly members: Members;
  /** The primary Service, which the injector makes. */
  readonly service: string;
  readonly settled: Settled;
  /** Removes everything, without waiting for the end of it. */
  remove(): Promise<void>;
}

/** Makes a namespace with a cluster of this form, and waits until it is settled. The namespace opts in unless `labels` say otherwise. */
export async function deploy(
  target: Target,
  form: Form,
  labels: Readonly<Record<string, string>> = { [NAMESPACE_LABEL]: "enabled" },
): Promise<Deployed> {
  const kubectl = new Kubectl(target.access);
  const namespace = `e2e-${form.name}`;
  await kubectl.apply([
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace, labels: { ...labels } } },
  ]);
  if (form.dcs === "etcd") await kubectl.apply(etcdObjects(namespace, target.images.etcd));
  await kubectl.apply(patroniObjects({ ...form, namespace, scope: SCOPE, image: target.images.patroni }));
  const members = new Members(kubectl, namespace, SCOPE);
  const settled = await until(
    `three members of ${form.name} stream`,
    BOOTS_WITHIN_MS,
    () => members.settled(form.synchronous),
    1_000,
  );
  await members.sql(settled.primary.name, COUNTER_TABLE);
  const remove = async () => {
    await kubectl.run(["delete", "namespace", namespace, "--wait=false"]);
  };
  return { target, kubectl, form, members, service: `${SCOPE}${PRIMARY_SUFFIX}`, settled, remove };
}
