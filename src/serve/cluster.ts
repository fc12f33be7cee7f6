import type { SecretStore } from "../certificates/secret-store.ts";
import type { Replica, ReplicaOptions } from "../controller/start.ts";
import type { Surroundings } from "../injection/settings.ts";
import type { JsonObject } from "../json/value.ts";
import type { Registration, RegistrationOptions } from "../kube/registration.ts";
import type { Logger } from "../telemetry/logger.ts";

export interface ClusterOptions {
  readonly kubeconfig: string | undefined;
  /** Whether the process runs in a pod of a cluster. */
  readonly inCluster: boolean;
  readonly registration: "none" | "caBundle" | "full";
  /** The namespace in which the controller says where sidecars are suspended; undefined: there is no controller. */
  readonly suspensionsIn: string | undefined;
  /** The only ones to work in; undefined: all. */
  readonly namespaces: readonly string[] | undefined;
  readonly logger: Logger;
}

/** The cluster, as far as `serve` needs it. */
export interface Cluster {
  readonly surroundings: Surroundings;
  /** True once everything that decisions need was seen, or is known not to be ours to see. */
  synced(): boolean;
  /** Keeps the webhook configuration as desired, the whole of it or only its `caBundle`s, until that is stopped. */
  register(desired: JsonObject, options: Omit<RegistrationOptions, "logger">): Registration;
  /** Takes part in reconciling, until that is stopped; undefined without a cluster. */
  control(options: Omit<ReplicaOptions, "logger" | "suspensions">): Replica | undefined;
  /** The Secrets of a namespace; undefined without a cluster. */
  secrets(namespace: string): SecretStore | undefined;
  /** The time on the API server's clock; on this machine's where that is not known. */
  now(): Date;
  stop(): Promise<void>;
}
