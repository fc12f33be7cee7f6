import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

/** Names this process, for people and unlike any other: its pod (or machine), and something of its own. */
export const processIdentity = (environment: NodeJS.ProcessEnv): string =>
  `${environment.POD_NAME || hostname()}_${randomUUID()}`;
