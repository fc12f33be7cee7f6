import type { AuditEntry } from "../../../demo/kube-api/audit.ts";

const WRITES = ["create", "update", "patch", "delete", "deletecollection"];

/** The webhook's own configuration is every replica's to write, leader or not: it is applied field by field. */
const NOT_THE_LEADERS = ["mutatingwebhookconfigurations.admissionregistration.k8s.io"];

/** What the API server's log says of the writes of some users, by kind. */
export interface WriteTally {
  /** How many landed, by kind of object. */
  readonly landed: ReadonlyMap<string, number>;
  /** Refused because the object had changed since it was read: what would have landed over something newer. */
  readonly refused: ReadonlyMap<string, number>;
  /** Writes to an existing object that rest on no version of it. There must be none, landed or not. */
  readonly blind: readonly string[];
}

/** A POST creates what is not there, and can land over nothing; every other write must name the version that it rests on. */
export function tallyWrites(entries: readonly AuditEntry[], users: readonly string[]): WriteTally {
  const landed = new Map<string, number>();
  const refused = new Map<string, number>();
  const blind: string[] = [];
  for (const { user, verb, resource, namespace, name, code, restsOn } of entries) {
    if (!users.includes(user) || !WRITES.includes(verb) || NOT_THE_LEADERS.includes(resource)) continue;
    if (verb !== "create" && restsOn === undefined && code !== 0)
      blind.push(`${user}: ${verb} ${resource} ${namespace}/${name} (${code})`);
    const tally = code >= 200 && code < 300 ? landed : refused;
    if (tally === landed || ((code === 409 || code === 422) && verb !== "create"))
      tally.set(resource, (tally.get(resource) ?? 0) + 1);
  }
  return { landed, refused, blind };
}
