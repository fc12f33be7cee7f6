import { annotationKey } from "../../contract/annotations.ts";
import { RELOAD_MOUNT, RELOAD_SOCKET, RELOAD_SOCKET_MOUNT, SIDECAR_CONTAINER } from "../../contract/names.ts";
import { PGBOUNCER_PORT, RELOAD_PORT } from "../../contract/ports.ts";
import { VERSION_FILE } from "../../contract/reload.ts";
import { onlyStatus, type ReloadSetting } from "../../contract/reload-env.ts";
import type { JsonObject } from "../../json/value.ts";
import type { Member } from "../member.ts";
import { asksForReconnect, asksForReload, type Recipient, reloadSecret } from "../recipient.ts";
import { FILE_MODE, type OwnVolume, secretVolume } from "./sidecar-volume.ts";

/** What of the sidecar is there for the reload API, and for RECONNECT, alone; empty where neither is asked for. */
export interface ReloadParts {
  readonly settings: Partial<Record<ReloadSetting, string>>;
  /** Volumes of our own, with their mounts. */
  readonly volumes: readonly OwnVolume[];
  /** Mounts of volumes that the pod has. */
  readonly mounts: readonly JsonObject[];
  readonly ports: readonly JsonObject[];
  /** Volumes that annotations name and the pod does not have. */
  readonly missing: readonly string[];
}

const NOTHING: ReloadParts = { settings: {}, volumes: [], mounts: [], ports: [], missing: [] };

/**
 * @param present the names of the pod's volumes: a mount of any other would make the pod invalid
 * @param controller its ServiceAccount, `<namespace>/<name>`
 */
export function reloadParts(
  recipient: Recipient,
  present: readonly string[],
  controller: string | undefined,
): ReloadParts {
  const isAsked = asksForReload(recipient);
  if (!isAsked && !asksForReconnect(recipient)) return NOTHING;
  const wanted = volumesOf(recipient).flatMap((name) => recipient.options[name] ?? []);
  const missing = wanted.filter((volume) => !present.includes(volume));
  if (missing.length > 0) return { ...NOTHING, missing };
  const parts = [
    ...(isAsked && recipient.role === "member" ? [postgres(recipient)] : []),
    ...(isAsked ? [pgbouncer(recipient)] : []),
    pgbouncerConsole(recipient),
    ...(isAsked ? [listeners(recipient, controller)] : []),
  ];
  return {
    missing,
    settings: Object.assign({}, ...parts.map(({ settings }) => settings)),
    volumes: parts.flatMap(({ volumes }) => volumes),
    mounts: parts.flatMap(({ mounts }) => mounts),
    ports: parts.flatMap(({ ports }) => ports),
  };
}

const POSTGRES_VOLUMES = ["reload-postgres-volume"] as const;
const PGBOUNCER_VOLUMES = ["reload-pgbouncer-volume", "reload-pgbouncer-socket-volume"] as const;

/** The annotations that name volumes of the pod. */
const volumesOf = ({ role }: Recipient) =>
  role === "member" ? ([...POSTGRES_VOLUMES, ...PGBOUNCER_VOLUMES] as const) : PGBOUNCER_VOLUMES;

function postgres({ options, postgresPort }: Member): ReloadParts {
  const { "reload-postgres-volume": volume, "reload-postgres-version": source = "file" } = options;
  if (volume === undefined && source === "file") return NOTHING;
  const version = versionOf("postgres", source, options["reload-postgres-version-file"]);
  const secret = options["reload-postgres-secret"];
  return {
    settings: {
      PATRONI_INJECTOR_RELOAD_POSTGRES_VERSION: version.setting,
      ...(secret !== undefined && {
        // On the pod's address, as Patroni is asked: PostgreSQL may listen on no other.
        PATRONI_INJECTOR_RELOAD_POSTGRES_CONNECTION: `[$(POD_IP)]:${postgresPort}/postgres`,
        PATRONI_INJECTOR_RELOAD_POSTGRES_DIR: `${RELOAD_MOUNT}/postgres-login`,
      }),
    },
    volumes: [...version.volumes, ...login("postgres-login", secret)],
    mounts: mounted("postgres", volume),
    ports: [],
    missing: [],
  };
}

function pgbouncer({ options }: Recipient): ReloadParts {
  const { "reload-pgbouncer-volume": volume, "reload-pgbouncer-version": source = "file" } = options;
  if (volume === undefined) return NOTHING;
  const version = versionOf("pgbouncer", source, options["reload-pgbouncer-version-file"]);
  const method = options["reload-pgbouncer-method"];
  return {
    settings: {
      PATRONI_INJECTOR_RELOAD_PGBOUNCER_VERSION: version.setting,
      PATRONI_INJECTOR_RELOAD_PGBOUNCER_INI: `${RELOAD_MOUNT}/pgbouncer/${options["reload-pgbouncer-ini"] ?? "pgbouncer.ini"}`,
      ...(method !== undefined && { PATRONI_INJECTOR_RELOAD_PGBOUNCER_METHOD: method }),
    },
    volumes: version.volumes,
    mounts: mounted("pgbouncer", volume),
    ports: [],
    missing: [],
  };
}

/** As the sidecar reads it: an address of either family may stand in brackets. */
const CONSOLE_ADDRESS = { "127.0.0.1": "127.0.0.1", "::1": "[::1]", pod: "[$(POD_IP)]" } as const;

/** Where PgBouncer is told to reload, and to reconnect. */
function pgbouncerConsole(recipient: Recipient): ReloadParts {
  const { options } = recipient;
  const isReconnected = asksForReconnect(recipient);
  if (options["reload-pgbouncer-volume"] === undefined && !isReconnected) return NOTHING;
  const socketVolume = options["reload-pgbouncer-socket-volume"];
  const address = CONSOLE_ADDRESS[options["reload-pgbouncer-host"] ?? "127.0.0.1"];
  const host = socketVolume === undefined ? address : `${RELOAD_MOUNT}/pgbouncer-socket`;
  const port = options["reload-pgbouncer-port"] ?? PGBOUNCER_PORT;
  const secret = options["reload-pgbouncer-secret"];
  return {
    settings: {
      PATRONI_INJECTOR_RELOAD_PGBOUNCER_CONSOLE: `${options["reload-pgbouncer-user"] ?? "pgbouncer"}@${host}:${port}`,
      ...(secret !== undefined && {
        PATRONI_INJECTOR_RELOAD_PGBOUNCER_DIR: `${RELOAD_MOUNT}/pgbouncer-login`,
      }),
      ...(isReconnected && { PATRONI_INJECTOR_RELOAD_PGBOUNCER_RECONNECT: "on" }),
    },
    volumes: login("pgbouncer-login", secret),
    mounts: mounted("pgbouncer-socket", socketVolume),
    ports: [],
    missing: [],
  };
}

function listeners(recipient: Recipient, controller: string | undefined): ReloadParts {
  const { options, hostNetwork } = recipient;
  const { "reload-allow": allowed = [], "reload-automatic": automatic } = options;
  const tls = reloadSecret(recipient);
  const socket = options["reload-socket"] === "on";
  return {
    settings: {
      ...(tls !== undefined && {
        PATRONI_INJECTOR_RELOAD_PORT: String(RELOAD_PORT),
        PATRONI_INJECTOR_RELOAD_TLS_DIR: `${RELOAD_MOUNT}/tls`,
        PATRONI_INJECTOR_RELOAD_ALLOW: allowList(allowed, controller).join(","),
      }),
      ...(socket && { PATRONI_INJECTOR_RELOAD_SOCKET: RELOAD_SOCKET }),
      ...(automatic !== undefined && { PATRONI_INJECTOR_RELOAD_AUTOMATIC: automatic }),
    },
    volumes: [
      ...login("tls", tls),
      ...(socket
        ? [
            {
              // The root file system is read-only.
              volume: { name: `${SIDECAR_CONTAINER}-run`, emptyDir: { medium: "Memory" } },
              mount: { name: `${SIDECAR_CONTAINER}-run`, mountPath: RELOAD_SOCKET_MOUNT },
            },
          ]
        : []),
    ],
    mounts: [],
    ports:
      tls === undefined
        ? []
        : [
            {
              name: "reload",
              containerPort: RELOAD_PORT,
              ...(hostNetwork ? { hostPort: RELOAD_PORT } : {}),
              protocol: "TCP",
            },
          ],
    missing: [],
  };
}

/** The controller looks at every pod, and its token is seen by every pod: it is worth a look and no more, unless it is named. */
const allowList = (named: readonly string[], controller: string | undefined): readonly string[] =>
  controller === undefined || named.includes(controller) ? named : [onlyStatus(controller), ...named];

/** Where the version is read, and the volume that brings it there. */
function versionOf(
  component: "postgres" | "pgbouncer",
  source: "file" | "annotation" | "dcs",
  file = VERSION_FILE,
) {
  if (source === "dcs") return { setting: "dcs", volumes: [] };
  if (source === "file") return { setting: `${RELOAD_MOUNT}/${component}/${file}`, volumes: [] };
  const name = `${SIDECAR_CONTAINER}-${component}-version`;
  const mountPath = `${RELOAD_MOUNT}/${component}-version`;
  const annotation = annotationKey(`${component}-config-version`);
  const fieldRef = { apiVersion: "v1", fieldPath: `metadata.annotations['${annotation}']` };
  const volumes: OwnVolume[] = [
    {
      volume: { name, downwardAPI: { defaultMode: FILE_MODE, items: [{ path: VERSION_FILE, fieldRef }] } },
      mount: { name, mountPath, readOnly: true },
    },
  ];
  return { setting: `${mountPath}/${VERSION_FILE}`, volumes };
}

const login = (purpose: string, secret: string | undefined): OwnVolume[] =>
  secret === undefined ? [] : [secretVolume(`reload-${purpose}`, secret, `${RELOAD_MOUNT}/${purpose}`)];

const mounted = (purpose: string, volume: string | undefined): JsonObject[] =>
  volume === undefined ? [] : [{ name: volume, mountPath: `${RELOAD_MOUNT}/${purpose}`, readOnly: true }];
