import type { JsonObject } from "../../../src/json/value.ts";
import { NAMESPACE, type World } from "../../component/controller/world.ts";
import type { Random } from "../random.ts";

const CORE = `/api/v1/namespaces/${NAMESPACE}`;
const RBAC = `/apis/rbac.authorization.k8s.io/v1/namespaces/${NAMESPACE}`;
const SLICES = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`;
const POLICIES = `/apis/security.istio.io/v1/namespaces/${NAMESPACE}/peerauthentications`;

/** Something that the leader must put right, object by object. Of what is not there, nothing is done. */
type Trouble = (world: World, random: Random) => Promise<unknown>;

export const TROUBLES: Readonly<Record<string, Trouble>> = {
  switchover: (world, random) =>
    world.cluster.switchover(
      random.pick(world.cluster.members.filter((member) => member !== world.cluster.primary)),
    ),
  "a Service is deleted": (world, random) =>
    attempt(world, "DELETE", `${CORE}/services/${random.pick(["orders-primary", "orders-headless"])}`),
  "a Service's ports are changed": (world, random) =>
    attempt(world, "PATCH", `${CORE}/services/${random.pick(["orders-primary", "orders-headless"])}`, {
      spec: { ports: [{ name: "wrong", port: 1 + random.below(60_000) }] },
    }),
  "roles are emptied": (world) => each(world, `${RBAC}/roles`, "PATCH", { rules: [] }),
  "roles are deleted": (world) => each(world, `${RBAC}/roles`, "DELETE"),
  "bindings are deleted": (world) => each(world, `${RBAC}/rolebindings`, "DELETE"),
  "bindings are emptied": (world) => each(world, `${RBAC}/rolebindings`, "PATCH", { subjects: [] }),
  "policies are changed": (world) => each(world, POLICIES, "PATCH", { spec: { portLevelMtls: null } }),
  "policies are deleted": (world) => each(world, POLICIES, "DELETE"),
  "the slice's labels are taken": (world) =>
    attempt(world, "PATCH", `${SLICES}/orders-primary`, {
      metadata: { labels: { "kubernetes.io/service-name": "x" } },
    }),
  "the slice's ports are changed": (world, random) =>
    attempt(world, "PATCH", `${SLICES}/orders-primary`, {
      ports: [{ name: "x", port: 1 + random.below(60_000) }],
    }),
  "an Endpoints object comes": async (world) => {
    await attempt(world, "DELETE", `${CORE}/endpoints/orders-primary`);
    await attempt(world, "POST", `${CORE}/endpoints`, {
      metadata: { name: "orders-primary", annotations: { by: "somebody" } },
    });
  },
};

/** Somebody else may be faster: a 404 or 409 is no failure here. */
async function attempt(world: World, method: string, path: string, body?: JsonObject): Promise<void> {
  const type = method === "PATCH" ? "application/merge-patch+json" : undefined;
  await world.send(method, path, body, type).catch(() => undefined);
}

async function each(world: World, path: string, method: string, body?: JsonObject): Promise<void> {
  const { items } = (await world.send("GET", path)) as unknown as { items: { metadata: { name: string } }[] };
  for (const { metadata } of items) await attempt(world, method, `${path}/${metadata.name}`, body);
}
