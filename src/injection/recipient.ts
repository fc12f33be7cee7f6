import { RELOAD_TLS_SECRET } from "../contract/names.ts";
import { RELOAD_PORT } from "../contract/ports.ts";
import type { Member } from "./member.ts";
import type { Pooler } from "./pooler.ts";

/** A pod that gets the sidecar. */
export type Recipient = Member | Pooler;

/** The annotations ask for the reload API; of a pooler only those about PgBouncer count. */
export const asksForReload = ({ role, options }: Recipient): boolean =>
  options.reload !== "off" &&
  (options["reload-pgbouncer-volume"] !== undefined ||
    (role === "member" &&
      (options["reload-postgres-volume"] !== undefined ||
        (options["reload-postgres-version"] ?? "file") !== "file")));

/** PgBouncer is to reconnect when another primary is published. For that a pooler's sidecar is there, unless it is told otherwise. */
export function asksForReconnect({ role, options }: Recipient): boolean {
  const asked = options["reload-pgbouncer-reconnect"];
  return role === "pooler" ? asked !== "off" : asked === "on" && options.reload !== "off";
}

/** There is anything for a sidecar to do. */
export const wantsSidecar = (recipient: Recipient): boolean =>
  recipient.role === "member"
    ? recipient.options.discovery !== "off" || recipient.options.reload !== "off"
    : asksForReconnect(recipient) || asksForReload(recipient);

/**
 * The Secret with the certificate of the reload API; undefined: it is not served over TLS. The controller issues one to members,
 * which have DNS names of their own; poolers have none.
 */
export function reloadSecret(recipient: Recipient): string | undefined {
  if (!asksForReload(recipient)) return undefined;
  const { "reload-tls-secret": named } = recipient.options;
  return named ?? (recipient.role === "member" ? RELOAD_TLS_SECRET : undefined);
}

/** The ports that the sidecar listens on. */
export const sidecarPorts = (recipient: Recipient, sidecarPort: number): number[] =>
  reloadSecret(recipient) === undefined ? [sidecarPort] : [sidecarPort, RELOAD_PORT];

/** The inbound ports that the mesh leaves alone; a member's are also those of the PeerAuthentication and of the headless Service. */
export function excludedInboundPorts(recipient: Recipient, sidecarPort: number): number[] {
  const ports = [
    ...databasePorts(recipient),
    ...sidecarPorts(recipient, sidecarPort),
    ...(recipient.options["exclude-ports"] ?? []),
  ];
  return [...new Set(ports)].sort((one, other) => one - other);
}

/** Where PostgreSQL and Patroni listen in the pod. */
export const databasePorts = (recipient: Recipient): number[] =>
  recipient.role === "member" ? [recipient.postgresPort, recipient.patroniPort] : [];
