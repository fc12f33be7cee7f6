/** An embedded Kubernetes API server, for tests and demos only: {@link startKubeApi} says what it imitates, and what not. */

import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { AuditLog } from "./audit.ts";
import { createAuthority, issueServerCertificate } from "./certificate.ts";
import { Faults } from "./faults.ts";
import { handle } from "./handler.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { initialized } from "./metadata.ts";
import { mutatingAdmission } from "./mutation.ts";
import type { KubeObject } from "./objects.ts";
import { NAMESPACES } from "./resource.ts";
import { ResourceTable } from "./resource-table.ts";
import { type ChangeListener, Store } from "./store.ts";
import { Tokens } from "./tokens.ts";
import { Watches } from "./watches.ts";
import { type ResolveService, WebhookClient } from "./webhook-client.ts";

export interface KubeApiOptions {
  /** Where webhooks behind a Service listen; without it such webhooks cannot be reached. */
  readonly resolveService?: ResolveService;
  /** Changes remembered of each resource; a watch that begins before them is told 410. Default 4,096. */
  readonly eventWindow?: number;
  /** Milliseconds between bookmarks. Default one minute. */
  readonly bookmarkEvery?: number;
  /** Requests remembered in the audit log. Default 10,000. */
  readonly auditLimit?: number;
}

const DEFAULTS = { eventWindow: 4096, bookmarkEvery: 60_000, auditLimit: 10_000 };

const FIRST_NAMESPACES = ["default", "kube-node-lease", "kube-public", "kube-system"];

const CLUSTER_ADMIN = "kubernetes-admin";

/** An API server that runs in this process. */
export interface KubeApi {
  /** `https://127.0.0.1:<port>` */
  readonly url: string;
  /** The authority that signed the server's certificate. */
  readonly caPem: string;
  readonly tokens: Tokens;
  readonly faults: Faults;
  readonly audit: AuditLog;
  /** A kubeconfig (YAML) with a new token. Default user: `kubernetes-admin`. */
  kubeconfig(username?: string): string;
  /** The current state of an object, as a copy. @param resource as in `Resource.id`: `pods`, `leases.coordination.k8s.io` */
  get(resource: string, namespace: string, name: string): KubeObject | undefined;
  /** Calls back for every change that is kept, at once and whatever the watches do. @returns ends it */
  onChange(listener: ChangeListener): () => void;
  /** Forgets all past changes: a watch from an older resourceVersion is told 410. */
  compact(): void;
  /** How many watches are open. */
  readonly openWatches: number;
  /** Ends every watch, cuts every connection, and frees the port. */
  close(): Promise<void>;
}

/**
 * Starts an embedded Kubernetes API server on a free port of 127.0.0.1. It is for tests and demos.
 *
 * It imitates HTTPS with bearer tokens; get, list (selectors, pages), watch (resourceVersions, bookmarks, 410),
 * create, replace, patch, delete (preconditions, finalizers, a pod's grace period), the status subresource, dry-run,
 * optimistic locking, definitions of custom resources, and mutating webhooks as the real one calls them.
 *
 * It does not imitate: validation and defaulting of objects (they are kept as sent, unknown fields and all), RBAC,
 * managedFields and field ownership (server-side apply is create-or-merge, a strategic merge patch is a merge patch;
 * both say so in a warning), generation, the allocation of cluster IPs, matchConditions and every other CEL,
 * validating webhooks, admission plugins, conversion between versions (core and events.k8s.io Events are two kinds
 * here), garbage collection and any other controller, protobuf, tables.
 */
export async function startKubeApi(options: KubeApiOptions = {}): Promise<KubeApi> {
  const { eventWindow, bookmarkEvery, auditLimit } = { ...DEFAULTS, ...options };
  const store = new Store(eventWindow);
  const table = new ResourceTable();
  const webhooks = new WebhookClient(options.resolveService ?? (() => undefined));
  const tokens = new Tokens();
  const faults = new Faults();
  const audit = new AuditLog(auditLimit);
  const watches = new Watches(store, faults, bookmarkEvery);
  store.observe(table.follow);
  addNamespaces(store, table);

  const services = {
    store,
    table,
    tokens,
    faults,
    watches,
    audit,
    admit: mutatingAdmission(store, webhooks),
  };
  const authority = createAuthority("embedded-kube-api");
  const server = createServer(
    { ...issueServerCertificate(authority, ["localhost", "127.0.0.1", "kubernetes.default.svc"]) },
    (request: IncomingMessage, response: ServerResponse) => void handle(services, request, response),
  );
  // Also those that are still in their TLS handshake, of which the server itself knows nothing yet.
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  // Client pools keep connections for minutes; one that closes under a request would look like a fault.
  server.keepAliveTimeout = 120_000;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    caPem: authority.pem,
    tokens,
    faults,
    audit,
    kubeconfig: (username = CLUSTER_ADMIN) =>
      kubeconfig(url, authority.pem, username, tokens.issue(username)),
    get: (resource, namespace, name) => structuredClone(store.get(resource, namespace, name)?.object),
    onChange: (listener) => store.observe(listener),
    compact: () => store.compact(),
    get openWatches() {
      return watches.size;
    },
    close: async () => {
      watches.close();
      webhooks.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
    },
  };
}

function addNamespaces(store: Store, table: ResourceTable): void {
  const resource = table.get(NAMESPACES);
  if (resource === undefined) return;
  for (const name of FIRST_NAMESPACES) {
    const object = resource.complete({
      kind: resource.kind,
      apiVersion: resource.version,
      metadata: { name },
    });
    store.swap(NAMESPACES, "", name, undefined, initialized(object, resource, name));
  }
}
