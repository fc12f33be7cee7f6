import { headlessServiceName } from "../../contract/cluster-names.ts";
import type { Subject } from "../../injection/decision.ts";
import { openDraft } from "../../injection/draft.ts";
import { memberOf } from "../../injection/member.ts";
import { patroniHost } from "../../injection/mutations/announced.ts";
import { containerOnPort } from "../../injection/mutations/sidecar.ts";
import { readOptions } from "../../injection/options.ts";
import { excludedInboundPorts, reloadSecret, wantsSidecar } from "../../injection/recipient.ts";
import { reasonToSkip, roleOf } from "../../injection/select.ts";
import type { InjectionSettings, Surroundings } from "../../injection/settings.ts";
import { shapeProblem } from "../../injection/shape.ts";
import { asString, at, objectsIn } from "../../json/value.ts";
import { findPatroniContainer, flavourOf } from "../../patroni/container.ts";
import { scopeOf } from "../../patroni/identity.ts";
import { poolerPortsOf } from "../../patroni/pooler.ts";

/** What one member, or the template of some, says of its cluster. */
export interface MemberSettings {
  readonly scope: string;
  readonly primaryService: string;
  readonly headlessService: string;
  readonly serviceAccount: string;
  readonly postgresPort: number;
  readonly patroniPort: number;
  readonly patroniScheme: "http" | "https";
  /** The host that the member announces for its REST API over TLS, with `$(…)` for what its pod is called and where it is. */
  readonly patroniHost: string | undefined;
  /** Inbound ports that the mesh leaves alone, the sidecar's own among them. */
  readonly excludedPorts: readonly number[];
  readonly mesh: boolean;
  readonly discovery: boolean;
  /** It is to have a sidecar: something of it is wanted, and its port is free. */
  readonly wantsSidecar: boolean;
  /** `<resource>/<name>` of Patroni's leader object, with Kubernetes as DCS. */
  readonly leaderObject: string | undefined;
  /** Where a PgBouncer in the pod listens. */
  readonly poolerPorts: readonly number[];
  readonly caSecret: string | undefined;
  readonly clientSecret: string | undefined;
  /** The Secret with the certificate of its reload API; undefined: it is to serve none. */
  readonly reloadSecret: string | undefined;
}

/** A Job's pods (a backup, a restore) may look like members, but never are: without native sidecars they are skipped. */
export const WITHOUT_JOBS: Surroundings = {
  service: () => undefined,
  nativeSidecars: false,
  openshift: false,
  apiServerAddresses: [],
  suspended: () => false,
};

/**
 * The settings of a pod (or template) that injection would change, or undefined. A malformed annotation counts as absent:
 * the webhook refuses such pods or passes over the annotation, and a running database is served either way.
 */
export function memberSettings(subject: Subject, settings: InjectionSettings): MemberSettings | undefined {
  const { pod } = subject;
  if (shapeProblem(pod) !== undefined || reasonToSkip(subject, settings, WITHOUT_JOBS) !== undefined)
    return undefined;
  if (roleOf(pod, settings) !== "member") return undefined;
  const { values: options } = readOptions(pod);
  const containers = objectsIn(at(pod, "spec", "containers"));
  const found = findPatroniContainer(containers);
  const index =
    options.container === undefined
      ? found.kind === "found"
        ? found.index
        : -1
      : containers.findIndex(({ name }) => name === options.container);
  const container = containers[index];
  if (container === undefined) return undefined;
  const scope = options.cluster ?? scopeOf(pod, container);
  if (scope === undefined) return undefined;
  const member = memberOf(subject, container, flavourOf(container), scope, options);
  return {
    scope,
    primaryService: member.primaryService,
    headlessService: options["headless-service"] ?? headlessServiceName(scope),
    serviceAccount: asString(at(pod, "spec", "serviceAccountName")) || "default",
    postgresPort: member.postgresPort,
    patroniPort: member.patroniPort,
    patroniScheme: options["patroni-scheme"] ?? "http",
    patroniHost:
      options["patroni-scheme"] === "https" ? patroniHost(openDraft(pod, index), member) : undefined,
    excludedPorts: excludedInboundPorts(member, settings.sidecar.port),
    mesh: options.mesh !== "off",
    discovery: options.discovery !== "off",
    wantsSidecar:
      wantsSidecar(member) &&
      containerOnPort(openDraft(pod, index), member, settings.sidecar.port) === undefined,
    leaderObject: member.leaderObject,
    poolerPorts: poolerPortsOf(pod),
    caSecret: options["patroni-ca-secret"],
    clientSecret: options["patroni-client-secret"],
    reloadSecret: reloadSecret(member),
  };
}
