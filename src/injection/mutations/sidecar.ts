import { SIDECAR_CONTAINER } from "../../contract/names.ts";
import { asObject, asString, type JsonObject, objectsIn } from "../../json/value.ts";
import type { Note } from "../decision.ts";
import type { Draft } from "../draft.ts";
import { databasePorts, type Recipient, sidecarPorts, wantsSidecar } from "../recipient.ts";
import type { InjectionSettings, Surroundings } from "../settings.ts";
import { patroniHost } from "./announced.ts";
import { type SidecarForm, sidecarContainer, sidecarVolumes } from "./sidecar-container.ts";
import { reloadParts } from "./sidecar-reload.ts";
import { keptResources, resourcesFor } from "./sidecar-resources.ts";

/**
 * Adds the sidecar, or brings the one that is there up to date in its place: what other webhooks added to it (a
 * variable, a mount) stays.
 */
export function sidecar(
  draft: Draft,
  recipient: Recipient,
  settings: InjectionSettings,
  surroundings: Surroundings,
): { applied: boolean; notes: Note[] } {
  const { options, namespace, name } = recipient;
  if (!wantsSidecar(recipient)) return { applied: false, notes: [] };
  if (surroundings.suspended(namespace, name, settings.sidecar.image)) {
    takeOut(draft);
    return { applied: false, notes: [{ reason: "sidecar-suspended", detail: "" }] };
  }
  for (const port of sidecarPorts(recipient, settings.sidecar.port)) {
    const rival = containerOnPort(draft, recipient, port);
    if (rival !== undefined)
      return { applied: false, notes: [{ reason: "sidecar-port-in-use", detail: `${rival} uses ${port}` }] };
  }

  const place = placeOf(draft, surroundings.nativeSidecars);
  const { resources, notes } = resourcesFor(draft, recipient, settings.sidecar);
  const reload = reloadParts(
    recipient,
    draft.volumes.flatMap(({ name }) => asString(name) ?? []),
    settings.controllerAccount,
  );
  if (reload.missing.length > 0)
    notes.push({ reason: "reload-volume-missing", detail: `no volume ${reload.missing.join(", ")}` });
  const form: SidecarForm = {
    reload,
    native: place.list === draft.initContainers,
    resources,
    runAsUser: !surroundings.openshift && asObject(draft.spec.securityContext)?.runAsUser != null,
  };
  const isAskedByName = recipient.role === "member" && options["patroni-scheme"] === "https";
  const patroniName = isAskedByName ? patroniHost(draft, recipient) : undefined;
  const planned = sidecarContainer(recipient, settings.sidecar, form, patroniName);
  put(place.list, place.index, planned, surroundings.openshift ? ASSIGNED : []);
  for (const volume of sidecarVolumes(recipient, reload)) {
    const index = draft.volumes.findIndex(({ name }) => name === volume.name);
    if (index === -1) draft.volumes.push(volume);
    else draft.volumes[index] = volume;
  }
  for (const name of settings.sidecar.imagePullSecrets) {
    if (!draft.imagePullSecrets.some((secret) => secret.name === name)) draft.imagePullSecrets.push({ name });
  }
  return { applied: true, notes };
}

/**
 * The list and index where the sidecar stands or is to stand. It keeps the form it has; only one that would block the
 * pod's start (an init container on a cluster without native sidecars) moves. New ones are appended, never put before
 * Istio's, which must be first.
 */
function placeOf(draft: Draft, native: boolean): { list: JsonObject[]; index: number } {
  const ours = ({ name }: JsonObject) => name === SIDECAR_CONTAINER;
  const plain = draft.containers.findIndex(ours);
  if (plain !== -1) return { list: draft.containers, index: plain };
  const initial = draft.initContainers.findIndex(ours);
  if (native)
    return { list: draft.initContainers, index: initial === -1 ? draft.initContainers.length : initial };
  if (initial !== -1) draft.initContainers.splice(initial, 1);
  return { list: draft.containers, index: draft.containers.length };
}

/** One that is there already, from a template or from before a reinvocation, would hold the pod back all the same. */
function takeOut(draft: Draft): void {
  for (const list of [draft.containers, draft.initContainers]) {
    const index = list.findIndex(({ name }) => name === SIDECAR_CONTAINER);
    if (index === -1) continue;
    list.splice(index, 1);
    if (list === draft.containers && index < draft.patroni) draft.patroni--;
  }
}

/** What OpenShift's security context constraints give to each container, ours too: without it they refuse the pod. */
const ASSIGNED = ["runAsUser", "runAsGroup", "seLinuxOptions"];

function put(list: JsonObject[], index: number, planned: JsonObject, assigned: readonly string[]): void {
  const present = list[index];
  if (present === undefined) {
    list[index] = planned;
    return;
  }
  const { restartPolicy: _, ...others } = present;
  const context = Object.entries(asObject(present.securityContext) ?? {});
  list[index] = {
    ...others,
    ...planned,
    securityContext: {
      ...Object.fromEntries(context.filter(([key]) => assigned.includes(key))),
      ...asObject(planned.securityContext),
    },
    resources: keptResources(present.resources, planned.resources),
    env: withExtras(planned.env, present.env, "name"),
    volumeMounts: withExtras(planned.volumeMounts, present.volumeMounts, "mountPath"),
  };
}

/** The planned entries, then those of others under keys of their own. */
function withExtras(planned: unknown, present: unknown, key: string): JsonObject[] {
  const ours = objectsIn(planned);
  return [...ours, ...objectsIn(present).filter((entry) => !ours.some((own) => own[key] === entry[key]))];
}

/** Declared ports, and those of PostgreSQL and Patroni, which need not be declared. */
export function containerOnPort(draft: Draft, recipient: Recipient, port: number): string | undefined {
  if (databasePorts(recipient).includes(port)) return asString(draft.containers[draft.patroni]?.name);
  const rival = [...draft.containers, ...draft.initContainers].find(
    ({ name, ports }) =>
      name !== SIDECAR_CONTAINER && objectsIn(ports).some(({ containerPort }) => containerPort === port),
  );
  return asString(rival?.name);
}
