import { POD_NAME_ENV } from "../../contract/names.ts";
import { SIDECAR_ENV } from "../../contract/sidecar-env.ts";
import { asString, at } from "../../json/value.ts";
import { type ConnectAddresses, readConnectAddresses } from "../../patroni/configuration.ts";
import type { Draft } from "../draft.ts";
import type { Member } from "../member.ts";

/** Env variables that set an address each: Patroni's, and Spilo's (host only up to 4.0-p2; a user's value in any case). */
export const VARIABLES = {
  patroni: { postgres: "PATRONI_POSTGRESQL_CONNECT_ADDRESS", restApi: "PATRONI_RESTAPI_CONNECT_ADDRESS" },
  spilo: { postgres: "PG_CONNECT_ADDRESS", restApi: "RESTAPI_CONNECT_ADDRESS" },
} as const;

/** With it Patroni reads nothing else of its environment (its config.py), and Spilo falls back to it. */
const WHOLE_CONFIGURATION = "PATRONI_CONFIGURATION";
const SPILO_CONFIGURATION = "SPILO_CONFIGURATION";

/** Stands for the pod's name in an address that we write. */
export const POD_NAME = `$(${POD_NAME_ENV})`;

/** Of a DNS name with a port; the names of variables in it may be longer than what they stand for. */
const LONGEST_ADDRESS = 1024;

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

/** The env variable whose text carries the configuration, or undefined where single variables do. */
export function configurationVariable(draft: Draft, member: Member): string | undefined {
  const has = (name: string) => draft.env.some((entry) => entry.name === name);
  if (member.flavour === "spilo") {
    return !has(SPILO_CONFIGURATION) && has(WHOLE_CONFIGURATION) ? WHOLE_CONFIGURATION : SPILO_CONFIGURATION;
  }
  return has(WHOLE_CONFIGURATION) ? WHOLE_CONFIGURATION : undefined;
}
