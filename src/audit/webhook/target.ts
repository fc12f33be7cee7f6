import { asString, at, type JsonObject } from "../../json/value.ts";

/** Where API servers call an entry. */
export type Target =
  | {
      readonly kind: "service";
      readonly namespace: string;
      readonly name: string;
      /** Of the Service. */
      readonly port: number;
    }
  | { readonly kind: "url"; readonly host: string; readonly port: number };

/** What the API server takes where `clientConfig` names no port. */
const HTTPS = 443;

/** Undefined where the `clientConfig` says neither a URL nor a Service. */
export function targetOf(entry: JsonObject): Target | undefined {
  const url = URL.parse(asString(at(entry, "clientConfig", "url")) ?? "");
  if (url !== null)
    return {
      kind: "url",
      host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
      port: url.port === "" ? HTTPS : Number(url.port),
    };
  const [namespace, name] = ["namespace", "name"].map((key) =>
    asString(at(entry, "clientConfig", "service", key)),
  );
  const port = at(entry, "clientConfig", "service", "port");
  return namespace === undefined || name === undefined
    ? undefined
    : { kind: "service", namespace, name, port: typeof port === "number" ? port : HTTPS };
}

/** The same for entries that are called at the same place. */
export const keyOf = (target: Target): string => JSON.stringify(target);
