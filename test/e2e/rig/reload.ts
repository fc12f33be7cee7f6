import { annotationKey } from "../../../src/contract/annotations.ts";
import type { ReloadComponent } from "../../../src/contract/reload.ts";
import type { JsonObject } from "../../../src/json/value.ts";
import { newAuthority } from "../../cluster/authority.ts";
import { MEMBERS, PASSWORD, POSTGRES_CONTAINER } from "../manifests/patroni.ts";
import {
  POOL,
  poolConfig,
  poolContainer,
  poolLoginSecret,
  poolSecrets,
  poolVolumes,
} from "../manifests/pgbouncer.ts";
import type { Deployed } from "./deploy.ts";
import { patroniInjector, type Ran } from "./program.ts";

/** The ConfigMap and volume with the version of PostgreSQL's configuration, which itself is in Patroni's DCS. */
const SETTINGS = "settings";
const PROBER = "books-prober";
export const TLS_SECRET = "books-tls";
/** The ServiceAccount that may reload. */
export const PIPELINE = "pipeline";

const ROLLS_OUT_WITHIN_S = 300;

/** The cluster's pods, by name. */
export const podNames = ({ members }: Deployed): string[] =>
  Array.from({ length: MEMBERS }, (_, index) => `${members.scope}-${index}`);

/** PostgreSQL's version as a ConfigMap. */
export const settingsConfig = ({ members: { namespace } }: Deployed, version: number): JsonObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: SETTINGS, namespace },
  data: { version: String(version) },
});

/**
 * Gives the pods a PgBouncer and asks by annotations for the reload API of both components, which starts the pods anew. Both versions
 * are 1.
 *
 * @param tlsSecret of the user's own, which {@link giveCertificate} makes; undefined: the one that the controller keeps
 */
export async function askForReload(deployed: Deployed, tlsSecret: string | undefined): Promise<void> {
  const { kubectl, members, service, target } = deployed;
  const { namespace, scope } = members;
  await kubectl.apply([
    settingsConfig(deployed, 1),
    poolConfig(namespace, service, 1),
    ...poolSecrets(namespace),
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: PIPELINE, namespace } },
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: PROBER, namespace },
      stringData: { username: "postgres", password: PASSWORD },
    },
  ]);
  const annotations = {
    [annotationKey("reload-postgres-volume")]: SETTINGS,
    [annotationKey("reload-postgres-secret")]: PROBER,
    [annotationKey("reload-pgbouncer-volume")]: POOL,
    [annotationKey("reload-pgbouncer-secret")]: poolLoginSecret,
    [annotationKey("reload-pgbouncer-reconnect")]: "on",
    ...(tlsSecret !== undefined && { [annotationKey("reload-tls-secret")]: tlsSecret }),
    [annotationKey("reload-allow")]: `${namespace}/${PIPELINE}`,
  };
  const spec = {
    containers: [{ name: POSTGRES_CONTAINER }, poolContainer(target.images.pgbouncer)],
    volumes: [{ name: SETTINGS, configMap: { name: SETTINGS } }, ...poolVolumes],
  };
  const patch = JSON.stringify({ spec: { template: { metadata: { annotations }, spec } } });
  const inNamespace = `--namespace=${namespace}`;
  await kubectl.run(["patch", `statefulset/${scope}`, inNamespace, `--patch=${patch}`]);
  await kubectl.run(
    ["rollout", "status", `statefulset/${scope}`, inNamespace, `--timeout=${ROLLS_OUT_WITHIN_S}s`],
    { timeoutMs: (ROLLS_OUT_WITHIN_S + 20) * 1000 },
  );
}

/** Makes the Secret with a certificate for every pod's name, as a user does by hand. */
export async function giveCertificate(deployed: Deployed): Promise<void> {
  const { namespace, scope } = deployed.members;
  const authority = await newAuthority("e2e");
  const [first = "", ...others] = podNames(deployed).map(
    (pod) => `${pod}.${scope}-headless.${namespace}.svc`,
  );
  const { certPem, keyPem } = await authority.issueServer([first, ...others]);
  await deployed.kubectl.apply([
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: TLS_SECRET, namespace },
      stringData: { "tls.crt": certPem, "tls.key": keyPem, "ca.crt": authority.certPem },
    },
  ]);
  await touch(deployed);
}

/** A change of an annotation lets the kubelet look at the pod's volumes at once. All pods, where none is named. */
export async function touch(deployed: Deployed, ...names: string[]): Promise<void> {
  const pods = (names.length === 0 ? podNames(deployed) : names).map((name) => `pod/${name}`);
  const inNamespace = `--namespace=${deployed.members.namespace}`;
  await deployed.kubectl.run(["annotate", "--overwrite", inNamespace, ...pods, `touched=${Date.now()}`]);
}

export interface Asked {
  readonly component: ReloadComponent;
  readonly version: number;
  readonly timeoutSeconds?: number;
  /** Whose token is shown; default: {@link PIPELINE}. */
  readonly account?: string;
}

/** `patroni-injector reload pod/… | cluster/…` */
export function reload({ target, members }: Deployed, what: string, asked: Asked): Promise<Ran> {
  const { component, version, timeoutSeconds = 60, account = PIPELINE } = asked;
  return patroniInjector(target, [
    ...["reload", what, "--component", component, "--version", String(version)],
    ...["--timeout", String(timeoutSeconds), "--namespace", members.namespace, "--service-account", account],
  ]);
}
