import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { Server } from "node:https";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import { type KubeApi, startKubeApi } from "../../../demo/kube-api/server.ts";
import type { Lifetimes } from "../../../src/certificates/lifetimes.ts";
import { type Made, SelfSource } from "../../../src/certificates/self.ts";
import { Served } from "../../../src/certificates/served.ts";
import { Sightings } from "../../../src/certificates/sightings.ts";
import type { ServingCertificate } from "../../../src/certificates/source.ts";
import { asString, at, type JsonObject, objectsIn } from "../../../src/json/value.ts";
import { type Registration, registerWebhooks } from "../../../src/kube/registration.ts";
import { KubeSecrets } from "../../../src/kube/secrets.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { createWebhookApp } from "../../../src/webhook/app.ts";
import { createWebhookServer, useCertificate } from "../../../src/webhook/server.ts";
import { bystander, FAST, type Scope, until } from "../kube/support.ts";
import { contextOf } from "../webhook/reviews.ts";

export const NAME = "00-patroni-injector";
export const SERVER_NAME = "patroni-injector.injector.svc";
const RESOURCE = "mutatingwebhookconfigurations.admissionregistration.k8s.io";
const DAY = 24 * 3_600_000;

/** Such that a look a day is in time for every renewal, also for a replica that misses one. */
const LIFETIMES: Lifetimes = {
  authorityMs: 10 * DAY,
  leafMs: 6.5 * DAY,
  backdateMs: 600_000,
  cachesMs: 60_000,
};

const logger = pino({ level: "silent" });

/** Time that passes only where it is told to, for everything that is tested here. */
export class VirtualTime {
  /** Unix time, milliseconds: the API server's clock. */
  now = Date.UTC(2026, 0, 1);
  monotonic = 0;

  pass(ms: number): void {
    this.now += ms;
    this.monotonic += ms;
  }
}

/** The parts of `serve` that have to do with certificates, put together as it does, in front of the real app. */
export class Replica {
  readonly server: Server;
  readonly served: Served;
  readonly made: Made[] = [];
  readonly #sightings: Sightings;
  readonly #source: SelfSource;
  readonly #register: (caPem: string) => Registration;
  registration: Registration | undefined;

  private constructor(connection: Awaited<ReturnType<typeof bystander>>, time: VirtualTime, server: Server) {
    this.server = server;
    const now = () => new Date(time.now);
    this.#sightings = new Sightings(() => time.monotonic);
    this.served = new Served({ now, use: (certificate) => useCertificate(server, certificate) });
    this.#source = new SelfSource({
      names: { dnsNames: [SERVER_NAME], ipAddresses: [] },
      secrets: { authorities: "patroni-injector-ca", leaf: "patroni-injector-leaf" },
      store: new KubeSecrets(connection, "injector"),
      sightings: this.#sightings,
      now,
      logger,
      lifetimes: LIFETIMES,
      onMade: (made) => this.made.push(made),
      onCertificate: (certificate) => this.#take(certificate),
    });
    this.#register = (caPem) =>
      registerWebhooks(connection, desired(caPem), {
        mode: "caBundle",
        logger,
        now,
        onSeen: ({ trustees, bundles }) => {
          this.#sightings.see(bundles);
          this.served.see(trustees);
        },
        times: { ...FAST, firstPauseMs: 5, longestPauseMs: 20, watchMs: 30_000, calmMs: 0 },
      });
  }

  static async start(scope: Scope, api: KubeApi, time: VirtualTime): Promise<Replica> {
    const metrics = createMetrics();
    const app = createWebhookApp({ context: () => contextOf(), draining: () => false, logger, metrics });
    const server = createWebhookServer(app, undefined, { logger, metrics });
    const replica = new Replica(await bystander(scope, api), time, server);
    scope.after(() => void server.close().closeAllConnections());
    scope.after(() => replica.registration?.stop());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return replica;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** What `serve` does twice a minute. */
  async look(): Promise<void> {
    await this.registration?.refresh();
    await this.#source.look();
  }

  #take(certificate: ServingCertificate): void {
    this.registration ??= this.#register(certificate.caPem);
    this.registration.update(desired(certificate.caPem), { retiredPem: certificate.retiredPem });
    this.served.offer(certificate);
  }
}

export async function startScene(scope: Scope, count: number) {
  const api = await startKubeApi();
  scope.after(() => api.close());
  const admin = await bystander(scope, api);
  const path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
  await admin.send({ method: "POST", path, body: desired("") });
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "injector" } };
  await admin.send({ method: "POST", path: "/api/v1/namespaces", body: namespace });
  const time = new VirtualTime();
  const replicas: Replica[] = [];
  for (let i = 0; i < count; i++) replicas.push(await Replica.start(scope, api, time));
  return { api, admin, time, replicas };
}

/** Waits for the writes and watches that follow from what was done. */
export const quiet = (replicas: readonly Replica[]): Promise<void> =>
  until("every authority is in every caBundle", () =>
    replicas.every(({ registration, served }) => registration?.registered() === true && served.trusted),
  );

/** The `caBundle` of each entry, as the API server has it. */
export const liveBundles = (api: KubeApi): X509Certificate[][] =>
  objectsIn(api.get(RESOURCE, "", NAME)?.webhooks).map((entry) => {
    const pem = Buffer.from(asString(at(entry, "clientConfig", "caBundle")) ?? "", "base64").toString();
    return pem
      .split(/(?<=-----END CERTIFICATE-----\n)/)
      .filter((block) => block.includes("BEGIN"))
      .map((block) => new X509Certificate(block));
  });

export function onBundles(api: KubeApi, listener: () => void): () => void {
  return api.onChange(({ resource }) => {
    if (resource === RESOURCE) listener();
  });
}

function desired(caPem: string): JsonObject {
  const [name = "", namespace = ""] = SERVER_NAME.split(".");
  const caBundle = Buffer.from(caPem).toString("base64");
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: NAME },
    webhooks: ["0.mutate", "0.audit"].map((entry) => ({
      name: `${entry}.patroni-injector.io`,
      admissionReviewVersions: ["v1"],
      sideEffects: "None",
      failurePolicy: "Ignore",
      clientConfig: {
        service: { name, namespace, path: "/mutate", port: 443 },
        ...(caPem === "" ? {} : { caBundle }),
      },
    })),
  };
}
