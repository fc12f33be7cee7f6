import { POD_NAME_ENV } from "../../contract/names.ts";
import { sameJson } from "../../json/same.ts";
import { asString, at, isObject, type JsonObject, objectsIn } from "../../json/value.ts";
import { type ConnectAddresses, mergeConnectAddresses } from "../../patroni/configuration.ts";
import type { Note } from "../decision.ts";
import type { Draft } from "../draft.ts";
import type { Member } from "../member.ts";
import type { InjectionSettings } from "../settings.ts";
import { configurationVariable, POD_NAME, VARIABLES } from "./announced.ts";
import type { PodDns } from "./pod-dns.ts";

const PURPOSES = ["postgres", "restApi"] as const;

const POD_NAME_ENTRY: JsonObject = {
  name: POD_NAME_ENV,
  valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } },
};

/**
 * Makes the member announce its DNS name instead of its address: by environment for plain Patroni, inside the
 * configuration text for Spilo, which ignores `PATRONI_*`. What the user set stays.
 */
export function connectAddresses(
  draft: Draft,
  member: Member,
  dns: PodDns | undefined,
  settings: InjectionSettings,
): { applied: boolean; notes: Note[] } {
  if (dns === undefined) return { applied: false, notes: [] };
  const wanted = addressesFor(member, dns, settings.clusterDomain);
  if (wanted === undefined) {
    return {
      applied: false,
      notes: [{ reason: "invalid-name", detail: "the DNS name would exceed 253 characters" }],
    };
  }
  const text = configurationVariable(draft, member);
  const result =
    text === undefined ? byEnvironment(draft, member, wanted) : byText(draft, member, text, wanted);
  orderPodName(draft.env);
  return result;
}

function addressesFor(member: Member, dns: PodDns, domain: string): ConnectAddresses | undefined {
  const rest = `${dns.subdomain}.${member.namespace}.svc.${domain}`;
  if ((dns.host.name ?? "").length + 1 + rest.length > 253) return undefined;
  const host = dns.host.kind === "pod-name" ? POD_NAME : dns.host.name;
  return {
    postgres: `${host}.${rest}:${member.postgresPort}`,
    restApi: `${host}.${rest}:${member.patroniPort}`,
  };
}

function byEnvironment(
  draft: Draft,
  member: Member,
  wanted: ConnectAddresses,
): { applied: boolean; notes: Note[] } {
  const notes: Note[] = [];
  const unseen = unseenVariables(draft, member);
  for (const purpose of PURPOSES) {
    const name = VARIABLES.patroni[purpose];
    const index = draft.env.findLastIndex((entry) => entry.name === name);
    if (index === -1 && unseen !== undefined)
      notes.push({ reason: "address-may-be-set", detail: `${name} by ${unseen}` });
    else if (index === -1) draft.env.push({ name, value: wanted[purpose] });
    else if (isOurs(draft.env[index]?.value, wanted)) draft.env[index] = { name, value: wanted[purpose] };
    else notes.push({ reason: "user-set-address", detail: name });
  }
  return { applied: notes.length < PURPOSES.length, notes };
}

function byText(
  draft: Draft,
  member: Member,
  variable: string,
  wanted: ConnectAddresses,
): { applied: boolean; notes: Note[] } {
  const index = draft.env.findLastIndex((entry) => entry.name === variable);
  const entry = draft.env[index];
  if (entry?.valueFrom !== undefined && entry.valueFrom !== null) {
    return { applied: false, notes: [{ reason: "spilo-configuration-from", detail: variable }] };
  }
  const unseen = entry === undefined ? unseenVariables(draft, member) : undefined;
  if (unseen !== undefined) {
    return { applied: false, notes: [{ reason: "address-may-be-set", detail: `${variable} by ${unseen}` }] };
  }
  const text = typeof entry?.value === "string" ? entry.value : "";
  const setByVariable = PURPOSES.filter(
    (purpose) => member.flavour === "spilo" && has(draft, VARIABLES.spilo[purpose]),
  );
  const open = Object.fromEntries(
    PURPOSES.filter((purpose) => !setByVariable.includes(purpose)).map((purpose) => [
      purpose,
      wanted[purpose],
    ]),
  ) as Partial<ConnectAddresses>;

  const merge = mergeConnectAddresses(text, open, (address) => isOurs(address, wanted));
  if (merge.kind === "unreadable") {
    return {
      applied: false,
      notes: [{ reason: "spilo-configuration-invalid", detail: `${variable}: ${merge.why}` }],
    };
  }
  if (merge.text !== text) {
    if (entry === undefined) draft.env.push({ name: variable, value: merge.text });
    else draft.env[index] = { ...entry, value: merge.text };
  }
  const kept = [...setByVariable.map((purpose) => VARIABLES.spilo[purpose]), ...merge.kept];
  return {
    applied: kept.length < PURPOSES.length,
    notes: kept.map((detail) => ({ reason: "user-set-address", detail })),
  };
}

/**
 * A ConfigMap that fills the container's environment, in words. A variable of the container's own list wins over it, so writing
 * one could change what the user set there. Secrets hold credentials, not addresses.
 */
function unseenVariables(draft: Draft, member: Member): string | undefined {
  if (member.options["connect-addresses"] === "on") return undefined;
  const source = objectsIn(draft.containers[draft.patroni]?.envFrom).find(({ configMapRef }) =>
    isObject(configMapRef),
  );
  return source === undefined ? undefined : `ConfigMap ${asString(at(source, "configMapRef", "name")) ?? ""}`;
}

const has = (draft: Draft, name: string): boolean => draft.env.some((entry) => entry.name === name);

/** Written by us, now or by an earlier pass: it refers to our variable, or is what we would write. */
function isOurs(address: unknown, wanted: ConnectAddresses): boolean {
  if (typeof address !== "string") return false;
  return address.includes(POD_NAME) || PURPOSES.some((purpose) => wanted[purpose] === address);
}

/**
 * `$(VAR)` expands only where VAR stands EARLIER in the same list: puts our variable before its first use, and gives it
 * back the meaning and the one place that it must have.
 */
function orderPodName(env: JsonObject[]): void {
  const others = env.filter((entry) => entry.name !== POD_NAME_ENV);
  const firstUse = others.findIndex(
    (entry) => typeof entry.value === "string" && entry.value.includes(POD_NAME),
  );
  const present = env.findIndex((entry) => entry.name === POD_NAME_ENV);
  const isAlone = env.length - others.length === 1;
  if (firstUse === -1 || (isAlone && present <= firstUse && sameJson(env[present], POD_NAME_ENTRY))) return;
  env.length = 0;
  for (const [index, entry] of others.entries()) {
    if (index === firstUse) env.push(POD_NAME_ENTRY);
    env.push(entry);
  }
}
