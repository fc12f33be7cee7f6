import { POD_NAME_ENV } from "../../contract/names.ts";
import { SIDECAR_ENV } from "../../contract/sidecar-env.ts";
import { sameJson } from "../../json/same.ts";
import { asString, at, isObject, type JsonObject, objectsIn } from "../../json/value.ts";
import {
  type ConnectAddresses,
  mergeConnectAddresses,
  readConnectAddresses,
} from "../../patroni/configuration.ts";
import type { Note } from "../decision.ts";
import type { Draft } from "../draft.ts";
import type { Member } from "../member.ts";
import type { InjectionSettings } from "../settings.ts";
import type { PodDns } from "./pod-dns.ts";

/** Env variables that set an address each: Patroni's, and Spilo's (host only up to 4.0-p2; a user's value in any case). */
const VARIABLES = {
  patroni: { postgres: "PATRONI_POSTGRESQL_CONNECT_ADDRESS", restApi: "PATRONI_RESTAPI_CONNECT_ADDRESS" },
  spilo: { postgres: "PG_CONNECT_ADDRESS", restApi: "RESTAPI_CONNECT_ADDRESS" },
} as const;

const PURPOSES = ["postgres", "restApi"] as const;

/** With it Patroni reads nothing else of its environment (its config.py), and Spilo falls back to it. */
const WHOLE_CONFIGURATION = "PATRONI_CONFIGURATION";
const SPILO_CONFIGURATION = "SPILO_CONFIGURATION";

const POD_NAME_ENTRY: JsonObject = {
  name: POD_NAME_ENV,
  valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } },
};
const POD_NAME = `$(${POD_NAME_ENV})`;

/** Of a DNS name with a port; the names of variables in it may be longer than what they stand for. */
const LONGEST_ADDRESS = 1024;

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

/** What the member announces before anything is written, wherever it stands. */
export interface Announced {
  /** The addresses that the user set by hand. */
  readonly byUser: readonly string[];
  /** One of them is ours and follows the pod's name: an earlier pass wrote it, here or in the pod that this is a copy of. */
  readonly followsPodName: boolean;
}

export function announcedAddresses(draft: Draft, member: Member): Announced {
  const names = [...Object.values(VARIABLES.patroni), ...Object.values(VARIABLES.spilo)] as string[];
  const fromEnv = draft.env
    .filter((entry) => names.includes(entry.name as string))
    .map((entry) => entry.value);
  const variable = configurationVariable(draft, member);
  const text = draft.env.findLast((entry) => entry.name === variable)?.value;
  const fromText = Object.values(addressesInText(text));
  const all = [...fromEnv, ...fromText].filter((value) => typeof value === "string");
  const byUser = all.filter((address) => !address.includes(POD_NAME));
  return { byUser, followsPodName: byUser.length < all.length };
}

/**
 * The host that the member announces for its REST API once the draft is applied, as the sidecar can read it: the name
 * that the certificate of a REST API over TLS is made for. Undefined where it is not in the environment.
 */
export function patroniHost(draft: Draft, member: Member): string | undefined {
  const variable = configurationVariable(draft, member);
  const single = draft.env.findLast((entry) => entry.name === VARIABLES.patroni.restApi)?.value;
  const text = draft.env.findLast((entry) => entry.name === variable)?.value;
  const address = variable === undefined ? single : addressesInText(text).restApi;
  if (typeof address !== "string" || address.length > LONGEST_ADDRESS) return undefined;
  let known = true;
  const host = address.replace(/:[0-9]+$/, "").replace(/\$\(([^)]*)\)/g, (_, name: string) => {
    const path = asString(
      at(draft.env.findLast((entry) => entry.name === name) ?? null, "valueFrom", "fieldRef", "fieldPath"),
    );
    const own = Object.entries(SIDECAR_ENV).find(([, fieldPath]) => fieldPath === path)?.[0];
    if (own === undefined) known = false;
    return `$(${own})`;
  });
  return known ? host : undefined;
}

const addressesInText = (text: unknown): Partial<ConnectAddresses> =>
  typeof text === "string" && text.includes("connect_address") ? readConnectAddresses(text) : {};

function addressesFor(member: Member, dns: PodDns, domain: string): ConnectAddresses | undefined {
  const rest = `${dns.subdomain}.${member.namespace}.svc.${domain}`;
  if ((dns.host.name ?? "").length + 1 + rest.length > 253) return undefined;
  const host = dns.host.kind === "pod-name" ? POD_NAME : dns.host.name;
  return {
    postgres: `${host}.${rest}:${member.postgresPort}`,
    restApi: `${host}.${rest}:${member.patroniPort}`,
  };
}

/** The env variable whose text carries the configuration, or undefined where single variables do. */
function configurationVariable(draft: Draft, member: Member): string | undefined {
  const has = (name: string) => draft.env.some((entry) => entry.name === name);
  if (member.flavour === "spilo") {
    return !has(SPILO_CONFIGURATION) && has(WHOLE_CONFIGURATION) ? WHOLE_CONFIGURATION : SPILO_CONFIGURATION;
  }
  return has(WHOLE_CONFIGURATION) ? WHOLE_CONFIGURATION : undefined;
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
