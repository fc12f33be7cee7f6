import { KubeConfig } from "@kubernetes/client-node";
import { Controller } from "../../../src/controller/controller.ts";
import type { ReloadOptions } from "../../../src/controller/reload/options.ts";
import { at, isObject, type JsonObject } from "../../../src/json/value.ts";
import { KubeConnection } from "../../../src/kube/connection.ts";
import type { WatchTimes } from "../../../src/kube/watch.ts";
import { publishedAddresses } from "../../../src/primary/slice.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { ofKind, RELEASE, rendered } from "../../chart/helm.ts";
import { create } from "../../chart/posting.ts";
import { type ApiResponse, createApiClient } from "../../cluster/api-client.ts";
import {
  type ControlPlane,
  type ControlPlaneOptions,
  startControlPlane,
} from "../../cluster/control-plane.ts";
import { kubeconfigFor } from "../../cluster/kubeconfig.ts";
import { prepareNamespace } from "../../cluster/namespace.ts";
import { settings } from "../../component/controller/world.ts";
import type { ScriptedMember } from "../../component/sidecar/scripted-member.ts";
import { eventually } from "../suite/eventually.ts";

const ACCOUNT = `system:serviceaccount:${RELEASE.namespace}:patroni-injector`;
const TOKEN = "the-controller";
const MERGE = { "content-type": "application/merge-patch+json" };

/** What somebody asked of the API server: verb, resource, and the answer. */
export interface Asked {
  readonly verb: string;
  readonly resource: string;
  readonly code: number;
}

/** A member that is published with an address at which nobody listens: no slice may hold a loopback address. */
export const addressOf = (member: ScriptedMember): string =>
  `fd00::${member.host.split(".").slice(1).join(":")}`;

/** A control plane with a controller that has the chart's permissions and no others. Its Services are of IPv6 first. */
export class Controlled {
  readonly plane: ControlPlane;
  readonly metrics = createMetrics();
  readonly logged: JsonObject[] = [];
  #controllers: Controller[] = [];

  constructor(plane: ControlPlane) {
    this.plane = plane;
  }

  /** @param values of the chart */
  static async start(values: JsonObject = {}, options: ControlPlaneOptions = {}): Promise<Controlled> {
    const { apiServerFlags = [], users = [], ...others } = options;
    const plane = await startControlPlane({
      audit: "Metadata",
      users: [{ name: ACCOUNT, token: TOKEN, groups: ["system:serviceaccounts"] }, ...users],
      apiServerFlags: [
        "--service-cluster-ip-range=fd10::/108,10.96.0.0/16",
        "--advertise-address=fd00::ffff",
        ...apiServerFlags,
      ],
      ...others,
    });
    const controlled = new Controlled(plane);
    try {
      await prepareNamespace(plane.api, RELEASE.namespace);
      await controlled.grant(values);
    } catch (error) {
      await plane.stop();
      throw error;
    }
    return controlled;
  }

  /** What the chart grants with these values, where that is not granted yet. */
  async grant(values: JsonObject): Promise<void> {
    const objects = await rendered({ values });
    for (const kind of ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"]) {
      for (const object of ofKind(objects, kind)) await create(this.plane.api, object);
    }
  }

  /** Asks what the controller could ask. */
  async asAccount(method: string, path: string): Promise<ApiResponse> {
    const client = createApiClient(this.plane.url, this.plane.caPem, { token: TOKEN });
    try {
      return await client.request(method, path);
    } finally {
      client.close();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#controllers.map((controller) => controller.stop()));
    await this.plane.stop();
  }

  /** Begins at once. */
  controller(times: Partial<WatchTimes> = {}, reload?: ReloadOptions): Controller {
    const config = new KubeConfig();
    config.loadFromString(kubeconfigFor(this.plane.url, this.plane.caPem, { token: TOKEN }));
    const controller = new Controller(new KubeConnection(() => config), {
      settings: settings(),
      openshift: () => false,
      logger: createLogger({
        level: "info",
        destination: { write: (line) => void this.logged.push(JSON.parse(line)) },
      }),
      metrics: this.metrics,
      identity: `controller-${this.#controllers.length}`,
      times,
      ...(reload === undefined ? {} : { reload }),
    });
    this.#controllers.push(controller);
    return controller;
  }

  /** A namespace that has opted in. */
  async addNamespace(name: string): Promise<Place> {
    await prepareNamespace(this.plane.api, name, { "patroni-injector.io/injection": "enabled" });
    return new Place(this, name);
  }

  /** Everything that the controllers asked. */
  async asked(namespace?: string): Promise<Asked[]> {
    const events = (await this.plane.auditEvents()).filter(
      ({ user, objectRef }) =>
        at(user, "username") === ACCOUNT &&
        (namespace === undefined || at(objectRef, "namespace") === namespace),
    );
    return events.flatMap(({ verb, objectRef, responseStatus }) =>
      isObject(objectRef)
        ? [
            {
              verb: String(verb),
              resource: String(objectRef.resource),
              code: Number(at(responseStatus, "code")),
            },
          ]
        : [],
    );
  }
}

/** One namespace, with one Patroni cluster called `pg`. What is done here is done as an administrator. */
export class Place {
  readonly of: Controlled;
  readonly namespace: string;
  readonly slices: string;
  readonly slice: string;
  readonly services: string;
  readonly primary: string;
  readonly headless: string;
  readonly roles: string;
  readonly role: string;

  constructor(of: Controlled, namespace: string) {
    this.of = of;
    this.namespace = namespace;
    this.slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
    this.slice = `${this.slices}/pg-primary`;
    this.services = this.core("services");
    this.primary = `${this.services}/pg-primary`;
    this.headless = `${this.services}/pg-headless`;
    this.roles = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`;
    this.role = `${this.roles}/patroni-injector.pg.default`;
  }

  core(resource: string): string {
    return `/api/v1/namespaces/${this.namespace}/${resource}`;
  }

  /** A pod for this member, asked where the member is, and published with {@link addressOf}. */
  async addPod(
    member: ScriptedMember,
    annotations: Readonly<Record<string, string>> = {},
    env: readonly JsonObject[] = [],
    more: { readonly spec?: JsonObject; readonly containers?: readonly JsonObject[] } = {},
  ): Promise<void> {
    await this.create(this.core("pods"), {
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        name: member.name,
        labels: { application: "patroni", "patroni-injector.io/cluster": "pg" },
        annotations: {
          "patroni-injector.io/patroni-port": String(member.ports.rest),
          "patroni-injector.io/postgres-port": String(member.ports.postgres),
          ...annotations,
        },
      },
      spec: {
        containers: [
          { name: "patroni", image: "patroni", env: [{ name: "PATRONI_SCOPE", value: "pg" }, ...env] },
          ...(more.containers ?? []),
        ],
        ...more.spec,
      },
    });
    const podIPs = [{ ip: member.host }, { ip: addressOf(member) }];
    await this.change(`${this.core("pods")}/${member.name}/status`, {
      status: { phase: "Running", podIP: member.host, podIPs },
    });
  }

  async create(path: string, object: JsonObject): Promise<JsonObject> {
    return this.#sent("POST", path, object);
  }

  /** Merge patch. */
  async change(path: string, change: JsonObject): Promise<JsonObject> {
    return this.#sent("PATCH", path, change, MERGE);
  }

  async remove(path: string): Promise<void> {
    await this.#sent("DELETE", path);
  }

  /** Undefined where there is none. */
  async read(path: string): Promise<JsonObject | undefined> {
    const { status, body } = await this.of.plane.api.request("GET", path);
    return status === 404 ? undefined : (body as JsonObject);
  }

  async eventually(what: string, path: string, holds: (object: JsonObject) => boolean): Promise<void> {
    await eventually(what, async () => {
      const object = await this.read(path);
      return object !== undefined && holds(object);
    });
  }

  untilPublished(...members: ScriptedMember[]): Promise<void> {
    const wanted = members.map(addressOf).join();
    return this.eventually(
      `[${wanted}] is published`,
      this.slice,
      (slice) => publishedAddresses(slice).join() === wanted,
    );
  }

  async #sent(method: string, path: string, body?: JsonObject, headers = {}): Promise<JsonObject> {
    const answer = await this.of.plane.api.request(method, path, body, headers);
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as JsonObject;
  }
}
