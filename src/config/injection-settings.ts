import type { InjectionSettings, PodSelector, Surroundings } from "../injection/settings.ts";
import { PRESETS } from "./presets.ts";
import type { Config } from "./schema.ts";

/** Where `serve` runs, and as whom: undefined outside a cluster. */
export interface Own {
  readonly ownNamespace: string | undefined;
  /** The name of its ServiceAccount. */
  readonly ownServiceAccount?: string | undefined;
}

const NEVER_TOUCHED = "kube-system";

/** The selectors as configured, and those of the presets. */
export const selectorsOf = (config: Config): PodSelector[] => [
  ...config.selectors,
  ...config.presets.flatMap((preset) => PRESETS[preset]),
];

/** Namespaces that are never touched, each once: kube-system, the injector's own, and those that are configured. */
export const excludedNamespacesOf = (config: Config, { ownNamespace }: Own): string[] => [
  ...new Set([
    NEVER_TOUCHED,
    ...(ownNamespace === undefined ? [] : [ownNamespace]),
    ...config.excludedNamespaces,
  ]),
];

/** Where the injector works; undefined: everywhere. */
export const watchedNamespacesOf = ({ watchNamespaces }: Config): readonly string[] | undefined =>
  watchNamespaces.length === 0 ? undefined : [...new Set(watchNamespaces)];

/** What injection needs of the configuration. */
export function toInjectionSettings(config: Config, own: Own): InjectionSettings {
  const { image, imagePullPolicy, imagePullSecrets, port, logLevel, resources } = config.sidecar;
  const { requests, limits, requiredCpuLimit } = resources;
  return {
    selectors: selectorsOf(config),
    poolerSelectors: config.poolers.selectors,
    excludedNamespaces: excludedNamespacesOf(config, own),
    onInvalid: config.onInvalid,
    clusterDomain: config.clusterDomain,
    meshes: config.meshes,
    excludeOutboundIPRanges: config.excludeOutboundIPRanges,
    ...controllerAccount(config, own),
    sidecar: {
      image,
      imagePullPolicy,
      imagePullSecrets,
      port,
      logLevel,
      resources: {
        requests,
        limits:
          limits.cpu === undefined ? { memory: limits.memory } : { cpu: limits.cpu, memory: limits.memory },
        requiredCpuLimit,
      },
    },
  };
}

const controllerAccount = ({ controller }: Config, { ownNamespace, ownServiceAccount }: Own) =>
  controller.enabled && ownNamespace !== undefined && ownServiceAccount !== undefined
    ? { controllerAccount: `${ownNamespace}/${ownServiceAccount}` }
    : {};

/** The cluster as seen, but where the configuration knows better (`sidecar.native`, `openshift`). */
export function withKnowledge(config: Config, seen: Surroundings): Surroundings {
  const { native } = config.sidecar;
  const { openshift } = config;
  return {
    service: (namespace, name) => seen.service(namespace, name),
    suspended: (namespace, pod, image) => seen.suspended(namespace, pod, image),
    get apiServerAddresses() {
      return seen.apiServerAddresses;
    },
    get nativeSidecars() {
      return native === "auto" ? seen.nativeSidecars : native;
    },
    get openshift() {
      return openshift === "auto" ? seen.openshift : openshift;
    },
  };
}
