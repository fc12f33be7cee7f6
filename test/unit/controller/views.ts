import { clusterLabels } from "../../../src/controller/desired/object.ts";
import { sliceSkeleton } from "../../../src/controller/desired/primary-slice.ts";
import type { MemberSettings } from "../../../src/controller/facts/member.ts";
import type { PodFacts } from "../../../src/controller/facts/pod.ts";
import type { ClusterView } from "../../../src/controller/view.ts";
import type { JsonObject } from "../../../src/json/value.ts";

export const settingsOf = (difference: Partial<MemberSettings> = {}): MemberSettings => ({
  scope: "pg",
  primaryService: "pg-primary",
  headlessService: "pg-headless",
  serviceAccount: "pg",
  postgresPort: 5432,
  patroniPort: 8008,
  patroniScheme: "http",
  patroniHost: undefined,
  excludedPorts: [5432, 8008, 8011],
  mesh: true,
  discovery: true,
  wantsSidecar: true,
  leaderObject: undefined,
  poolerPorts: [],
  caSecret: undefined,
  clientSecret: undefined,
  reloadSecret: undefined,
  ...difference,
});

export const member = (difference: Partial<PodFacts> = {}): PodFacts => ({
  namespace: "db",
  name: "pg-0",
  uid: "uid-0",
  labels: { application: "patroni", "patroni-injector.io/cluster": "pg" },
  settings: settingsOf(),
  ip: "10.0.0.1",
  addresses: ["10.0.0.1"],
  nodeName: "node",
  ended: false,
  terminating: false,
  ready: true,
  createdAt: 0,
  sidecar: "running",
  container: { image: "patroni-injector:1", health: "running", why: "", restarts: 0 },
  owner: undefined,
  patroniName: undefined,
  reloadApi: undefined,
  ...difference,
});

export const viewOf = (difference: Partial<ClusterView> = {}): ClusterView => ({
  namespace: "db",
  scope: "pg",
  enabled: true,
  members: [member()],
  templates: [],
  poolers: [],
  settings: settingsOf(),
  headlessService: undefined,
  primaryService: undefined,
  slices: [],
  endpoints: undefined,
  roles: [],
  sharedServiceAccounts: [],
  peerAuthentications: undefined,
  openshift: false,
  sidecarPort: 8011,
  sidecarImage: "patroni-injector:1",
  suspension: undefined,
  ...difference,
});

/** A Service as the API server gives it. */
export const service = (spec: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "db", name: "pg-primary", uid: "service-uid", ...metadata },
  spec: {
    clusterIP: "10.96.0.9",
    ipFamilies: ["IPv4"],
    ports: [{ name: "tcp-postgres", port: 5432, targetPort: 5432, protocol: "TCP" }],
    ...spec,
  },
});

export const ownService = (spec: JsonObject = {}, metadata: JsonObject = {}): JsonObject =>
  service(spec, { labels: clusterLabels("pg"), ...metadata });

export const endpointOf = ({ name, uid, ip }: PodFacts): JsonObject => ({
  addresses: [ip ?? ""],
  targetRef: { kind: "Pod", namespace: "db", name, uid },
});

/** The primary's slice as it should be, with these endpoints and annotations. */
export function ownSlice(
  endpoints: JsonObject[] = [],
  annotations: JsonObject = {},
  of = service(),
): JsonObject {
  const skeleton = sliceSkeleton(viewOf(), of) as JsonObject & { metadata: JsonObject };
  const { metadata } = skeleton;
  const all = { ...(metadata.annotations as JsonObject), ...annotations };
  return { ...skeleton, metadata: { ...metadata, uid: "slice-uid", annotations: all }, endpoints };
}
