import { RELOAD_TLS_VOLUME } from "../contract/names.ts";
import { asString, at, type JsonObject, objectsIn } from "../json/value.ts";

/** What a pod says of its reload API. */
export interface ReloadApi {
  /** What its certificate must be for: `<host>.<subdomain>.<namespace>.svc`; the cluster's domain may follow. */
  readonly dnsName: string;
  /** The Secret of its certificate, which may hold the authority too. */
  readonly secret: string;
}

/** Undefined for a pod that does not serve it over TLS. */
export function reloadApiOf(pod: JsonObject): ReloadApi | undefined {
  const volume = objectsIn(at(pod, "spec", "volumes")).find(({ name }) => name === RELOAD_TLS_VOLUME);
  const secret = asString(at(volume, "secret", "secretName"));
  return secret === undefined ? undefined : { dnsName: dnsNameOf(pod), secret };
}

function dnsNameOf(pod: JsonObject): string {
  const [host, subdomain] = ["hostname", "subdomain"].map(
    (key) => asString(at(pod, "spec", key)) || undefined,
  );
  const [name, namespace] = ["name", "namespace"].map((key) => asString(at(pod, "metadata", key)));
  return [host ?? name, subdomain, namespace, "svc"].filter((label) => label !== undefined).join(".");
}
