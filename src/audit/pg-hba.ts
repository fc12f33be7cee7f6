import { isIP } from "node:net";
import { ipBlockHolds } from "./network/ip-block.ts";

/** Who asks for replication, and from where. */
export interface Standby {
  readonly user: string | undefined;
  /** Undefined where it is not known yet: an address of some pod. */
  readonly ip: string | undefined;
}

/**
 * What pg_hba says to a replication connection over TCP, by its first line that fits (PostgreSQL's hba.c): `all` as a database does not
 * mean replication. `unknown` where a line that may fit cannot be judged from here: a file, a regular expression, a role's members, a
 * host name, what a template has yet to fill in, or the user or the address is not known.
 */
export function replicationVerdict(
  lines: readonly string[],
  standby: Standby,
): "allowed" | "rejected" | "no-rule" | "unknown" {
  for (const line of lines) {
    const [type = "", databases = "", users = "", ...rest] = fieldsOf(line);
    if (!/^host(ssl|nossl|gssenc|nogssenc)?$/.test(type)) {
      if (/^(include|@)/.test(type) || isTemplate(type)) return "unknown";
      continue;
    }
    if (!listed(databases, "replication") && !isTemplate(databases)) continue;
    const address = addressFits(rest, standby.ip);
    if (address === "no") continue;
    const user = userFits(users, standby.user);
    if (user === "no") continue;
    if (address === "unknown" || user === "unknown" || isTemplate(line)) return "unknown";
    return methodOf(rest) === "reject" ? "rejected" : "allowed";
  }
  return "no-rule";
}

/** Something is yet to fill in a part of it. */
export const isTemplate = (text: string): boolean => /\{\{|\{%|\$[({]/.test(text);

function fieldsOf(line: string): string[] {
  const fields = line.match(/"[^"]*"|#.*|[^\s#]+/g) ?? [];
  const comment = fields.findIndex((field) => field.startsWith("#"));
  return comment === -1 ? fields : fields.slice(0, comment);
}

const listed = (list: string, name: string): boolean => list.split(",").includes(name);

type Fit = "yes" | "no" | "unknown";

function userFits(list: string, user: string | undefined): Fit {
  const names = list.split(",").map((name) => name.replace(/^"(.*)"$/, "$1"));
  if (names.includes("all")) return "yes";
  if (user === undefined || names.some((name) => /^[+@/]/.test(name) || isTemplate(name))) return "unknown";
  return names.includes(user) ? "yes" : "no";
}

function addressFits([address = "", next = ""]: readonly string[], ip: string | undefined): Fit {
  if (address === "all") return "yes";
  if (isTemplate(address)) return "unknown";
  // The server's own addresses and networks: pods of one node share a network, those of others may not.
  if (address === "samenet") return "unknown";
  if (address === "samehost") return "no";
  if (address.includes("/")) return rangeFits(address, ip);
  if (isIP(address) !== 0 && isIP(next) !== 0) return rangeFits(`${address}/${bitsOf(next)}`, ip);
  return "unknown";
}

/** No pod has an address of the loopback. */
function rangeFits(cidr: string, ip: string | undefined): Fit {
  if (ip !== undefined) return ipBlockHolds({ cidr }, ip) ? "yes" : "no";
  if (cidr === "0.0.0.0/0") return "yes";
  return /^(127\.|::1\/128$)/.test(cidr) ? "no" : "unknown";
}

/** The second field after the users where the mask stands alone, else the first. */
function methodOf([, second = "", third = ""]: readonly string[]): string {
  return isIP(second) === 0 ? second : third;
}

const bitsOf = (mask: string): number =>
  isIP(mask) === 4
    ? mask.split(".").reduce((bits, octet) => bits + Number(octet).toString(2).replaceAll("0", "").length, 0)
    : Number.NaN;
