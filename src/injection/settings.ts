import type { JsonObject } from "../json/value.ts";

/** Requests or limits of a container: Kubernetes quantities by resource name. */
export type Quantities = Readonly<Partial<Record<"cpu" | "memory", string>>>;

/** Pods are selected by one label key and its values; each becomes one webhook entry. */
export interface PodSelector {
  readonly key: string;
  /** None: any value will do. */
  readonly values: readonly string[];
}

export type MeshKind = "istio" | "linkerd";

/** What an operator decided (the configuration file), as far as injection needs it. */
export interface InjectionSettings {
  /** A pod is Patroni's when any of these matches its labels. */
  readonly selectors: readonly PodSelector[];
  /** Any other pod is a pooler when any of these does. */
  readonly poolerSelectors: readonly PodSelector[];
  /** Namespaces that are never touched, the injector's own and kube-system among them. */
  readonly excludedNamespaces: readonly string[];
  /** What a malformed annotation does: refuse the pod, or pass over the annotation with a warning. */
  readonly onInvalid: "deny" | "ignore";
  /** For example `cluster.local`, without dots at either end. */
  readonly clusterDomain: string;
  /** The meshes whose exclusions are written on the pod. */
  readonly meshes: readonly MeshKind[];
  /** CIDRs that database pods reach past the mesh, beside the API server's own address. */
  readonly excludeOutboundIPRanges: readonly string[];
  /** The controller's ServiceAccount, `<namespace>/<name>`; undefined where there is none, or it is not known. */
  readonly controllerAccount?: string;
  readonly sidecar: SidecarSettings;
}

export interface SidecarSettings {
  /** The whole reference: registry, repository and tag or digest. */
  readonly image: string;
  readonly imagePullPolicy: "IfNotPresent" | "Always" | "Never";
  /** Added to the pod's `imagePullSecrets`. */
  readonly imagePullSecrets: readonly string[];
  readonly port: number;
  readonly logLevel: string;
  readonly resources: {
    readonly requests: Quantities;
    readonly limits: Quantities;
    /** The CPU limit where the pod demands one: a Guaranteed pod, or one whose other containers all have one. */
    readonly requiredCpuLimit: string;
  };
}

/** What is known of a Service, for the decision on pod DNS. */
export interface ServiceFacts {
  readonly headless: boolean;
  readonly publishNotReadyAddresses: boolean;
  readonly selector: Readonly<Record<string, string>>;
}

/** The facts of a Service object as the API gives it. */
export function serviceFacts(service: JsonObject): ServiceFacts {
  const spec = (service.spec ?? {}) as JsonObject;
  return {
    headless: spec.clusterIP === "None",
    publishNotReadyAddresses: spec.publishNotReadyAddresses === true,
    selector: (spec.selector ?? {}) as Record<string, string>,
  };
}

/** What the cluster looks like at this moment. A value, so that a decision can be repeated. */
export interface Surroundings {
  /** The Service, or undefined where none of that name is seen (it may still exist, or come later). */
  service(namespace: string, name: string): ServiceFacts | undefined;
  /** Every node's kubelet runs native sidecars well (1.33 or newer); unknown counts as false. */
  readonly nativeSidecars: boolean;
  /** OpenShift assigns user ids by itself: `runAsUser` is never set there. */
  readonly openshift: boolean;
  /** Addresses of the API server, without a prefix length. */
  readonly apiServerAddresses: readonly string[];
  /**
   * This pod is to have no sidecar for now (see the reason `sidecar-suspended`).
   *
   * @param pod its name; undefined where it has none yet
   * @param image the sidecar's, as configured
   */
  suspended(namespace: string, pod: string | undefined, image: string): boolean;
}
