import { SECRET_MOUNT, SIDECAR_CONTAINER, TOKEN_MOUNT, TOKEN_VOLUME } from "../../contract/names.ts";
import type { ReloadSetting } from "../../contract/reload-env.ts";
import { SIDECAR_ENV, type SidecarSetting } from "../../contract/sidecar-env.ts";
import type { JsonObject } from "../../json/value.ts";
import type { Member } from "../member.ts";
import type { Recipient } from "../recipient.ts";
import type { Quantities, SidecarSettings } from "../settings.ts";
import { nodeOptionsFor } from "./sidecar-heap.ts";
import type { ReloadParts } from "./sidecar-reload.ts";
import { FILE_MODE, secretVolume } from "./sidecar-volume.ts";

/** The user of the image (see the Dockerfile). */
const IMAGE_USER = 65532;

/** The kubelet renews the token at 80 % of this. */
const TOKEN_SECONDS = 3600;

/** What differs from pod to pod in the sidecar's container, beside the member itself. */
export interface SidecarForm {
  readonly native: boolean;
  readonly resources: { readonly requests?: Quantities; readonly limits?: Quantities };
  /** The user to run as, where the pod's own security context names another. */
  readonly runAsUser: boolean;
  readonly reload: ReloadParts;
}

/** Secrets that annotations name: optional volumes, so that a missing one never holds the pod back. */
const SECRETS = [
  { option: "patroni-ca-secret", purpose: "ca", setting: "PATRONI_INJECTOR_CA_DIR" },
  { option: "patroni-client-secret", purpose: "client", setting: "PATRONI_INJECTOR_CLIENT_DIR" },
  { option: "patroni-auth-secret", purpose: "auth", setting: "PATRONI_INJECTOR_AUTH_DIR" },
] as const;

/**
 * The container, with every default of the API spelled out: a second look at the stored pod then finds nothing to
 * change. Admissible under Pod Security `restricted`; no probe can hold the pod back, for liveness says only that the
 * process turns.
 */
export function sidecarContainer(
  recipient: Recipient,
  settings: SidecarSettings,
  form: SidecarForm,
  patroniName: string | undefined,
): JsonObject {
  const { reload } = form;
  return {
    name: SIDECAR_CONTAINER,
    image: settings.image,
    imagePullPolicy: settings.imagePullPolicy,
    args: ["sidecar"],
    env: [...environment(recipient, settings, patroniName, reload), ...heap(form)],
    ports: [
      {
        name: "injector",
        containerPort: settings.port,
        ...(recipient.hostNetwork ? { hostPort: settings.port } : {}),
        protocol: "TCP",
      },
      ...reload.ports,
    ],
    livenessProbe: {
      httpGet: { path: "/healthz", port: settings.port, scheme: "HTTP" },
      initialDelaySeconds: 10,
      periodSeconds: 10,
      timeoutSeconds: 5,
      successThreshold: 1,
      failureThreshold: 6,
    },
    resources: { ...form.resources } as JsonObject,
    ...(form.native ? { restartPolicy: "Always" } : {}),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      ...(form.runAsUser ? { runAsUser: IMAGE_USER } : {}),
      seccompProfile: { type: "RuntimeDefault" },
    },
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      { name: TOKEN_VOLUME, mountPath: TOKEN_MOUNT, readOnly: true },
      ...wantedSecrets(recipient).map(({ mount }) => mount),
      ...reload.volumes.map(({ mount }) => mount),
      ...reload.mounts,
    ],
  };
}

/** The volumes of the container: its own token, and the Secrets that the annotations name. */
export function sidecarVolumes(recipient: Recipient, reload: ReloadParts): JsonObject[] {
  return [
    {
      name: TOKEN_VOLUME,
      projected: {
        defaultMode: FILE_MODE,
        sources: [
          { serviceAccountToken: { path: "token", expirationSeconds: TOKEN_SECONDS } },
          {
            configMap: {
              name: "kube-root-ca.crt",
              items: [{ key: "ca.crt", path: "ca.crt" }],
              optional: true,
            },
          },
          {
            downwardAPI: {
              items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }],
            },
          },
        ],
      },
    },
    ...wantedSecrets(recipient).map(({ volume }) => volume),
    ...reload.volumes.map(({ volume }) => volume),
  ];
}

function environment(
  recipient: Recipient,
  settings: SidecarSettings,
  patroniName: string | undefined,
  reload: ReloadParts,
): JsonObject[] {
  const values: Partial<Record<SidecarSetting | ReloadSetting, string | undefined>> = {
    PATRONI_INJECTOR_CLUSTER: recipient.scope,
    PATRONI_INJECTOR_PRIMARY_SERVICE: recipient.primaryService,
    PATRONI_INJECTOR_PORT: String(settings.port),
    ...(recipient.role === "member"
      ? patroniSettings(recipient, patroniName)
      : { PATRONI_INJECTOR_ROLE: "pooler" }),
    PATRONI_INJECTOR_TOKEN_DIR: TOKEN_MOUNT,
    ...Object.fromEntries(
      wantedSecrets(recipient).map(({ setting, mount }) => [setting, mount.mountPath as string]),
    ),
    PATRONI_INJECTOR_DISCOVERY: recipient.role === "member" ? recipient.options.discovery : undefined,
    PATRONI_INJECTOR_RELOAD: recipient.options.reload,
    ...reload.settings,
    PATRONI_INJECTOR_LOG_LEVEL: recipient.options["sidecar-log-level"] ?? settings.logLevel,
  };
  const fields = Object.entries(SIDECAR_ENV).map(([name, fieldPath]) => ({
    name,
    valueFrom: { fieldRef: { apiVersion: "v1", fieldPath } },
  }));
  return [
    ...fields,
    ...Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
  ];
}

const patroniSettings = (member: Member, patroniName: string | undefined) => ({
  PATRONI_INJECTOR_POSTGRES_PORT: String(member.postgresPort),
  PATRONI_INJECTOR_PATRONI_PORT: String(member.patroniPort),
  PATRONI_INJECTOR_PATRONI_SCHEME: member.options["patroni-scheme"],
  PATRONI_INJECTOR_PATRONI_NAME: patroniName,
  PATRONI_INJECTOR_LEADER_OBJECT: member.leaderObject,
});

const heap = ({ resources }: SidecarForm): JsonObject[] => {
  const value = nodeOptionsFor(resources.limits?.memory);
  return value === undefined ? [] : [{ name: "NODE_OPTIONS", value }];
};

/** Those for Patroni's REST API, which a pooler does not have. */
const wantedSecrets = ({ role, options }: Recipient) =>
  (role === "member" ? SECRETS : []).flatMap(({ option, purpose, setting }) => {
    const secret = options[option];
    return secret === undefined
      ? []
      : [{ setting, ...secretVolume(purpose, secret, `${SECRET_MOUNT}/${purpose}`) }];
  });
