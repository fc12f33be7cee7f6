import { POSTGRES_PORT } from "../../contract/ports.ts";
import type { ClusterView } from "../view.ts";
import { type Desired, desired, isOurs } from "./object.ts";

/** The name of its one port: for a mesh, `tcp-` says the protocol (a port called `postgres` is warned of). */
export const POSTGRES_PORT_NAME = "tcp-postgres";

/**
 * The Service that leads to the primary: without a selector, for its EndpointSlice is kept by us. Its target port is the
 * slice's own number, where a mesh reads it. A Service of that name which somebody else made is used as it is.
 *
 * @param clusterIP the address that a deleted Service had
 */
export function primaryService(view: ClusterView, clusterIP: string | undefined): Desired | undefined {
  const { primaryService: live, settings } = view;
  if (live !== undefined && !isOurs(live)) return undefined;
  const port = {
    name: POSTGRES_PORT_NAME,
    port: POSTGRES_PORT,
    targetPort: settings.postgresPort,
    protocol: "TCP",
  };
  const wanted = desired("services", view, settings.primaryService, { spec: { ports: [port] } });
  if (live !== undefined || clusterIP === undefined) return wanted;
  return { ...wanted, object: { ...wanted.object, spec: { ports: [port], clusterIP } } };
}
