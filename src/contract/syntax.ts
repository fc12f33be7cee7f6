import { isIP } from "node:net";

/**
 * The syntax of values that users write in annotations. Each reader gives the value, or undefined where the text is
 * not allowed; `allowed` says in words what is.
 */
export interface Syntax<Value> {
  readonly allowed: string;
  read(text: string): Value | undefined;
}

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const SERVICE_NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SCOPE = /^[A-Za-z0-9]([-._A-Za-z0-9]{0,251}[A-Za-z0-9])?$/;
const QUANTITY = /^[0-9]{1,15}(\.[0-9]{1,9})?(m|k|Ki|M|Mi|G|Gi)?$/;
const LABEL_VALUE = /^[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;

/** RFC 1123 label: what a hostname, a subdomain and a container name must be. */
export const isDnsLabel = (text: string): boolean => DNS_LABEL.test(text);

/** RFC 1035 label: what the name of a Service must be on every supported Kubernetes. */
export const isServiceName = (text: string): boolean => SERVICE_NAME.test(text);

/** A label's value, the empty one left out. */
export const isLabelValue = (text: string): boolean => LABEL_VALUE.test(text);

function pattern(allowed: string, accepts: (text: string) => boolean): Syntax<string> {
  return { allowed, read: (text) => (accepts(text) ? text : undefined) };
}

export function oneOf<const Choice extends string>(...choices: readonly Choice[]): Syntax<Choice> {
  return {
    allowed: choices.map((choice) => `"${choice}"`).join(" or "),
    read: (text) => choices.find((choice) => choice === text),
  };
}

export const dnsLabel = pattern(
  "a DNS label: lower case letters, digits and dashes, at most 63 characters",
  isDnsLabel,
);

export const serviceName = pattern(
  "the name of a Service: lower case letters, digits and dashes, a letter first, at most 63 characters",
  isServiceName,
);

export const objectName = pattern(
  "the name of an object: lower case letters, digits, dashes and dots, at most 253 characters",
  (text) => text.length <= 253 && DNS_SUBDOMAIN.test(text),
);

export const scope = pattern(
  "a Patroni scope: letters, digits, dashes, dots and underscores, at most 253 characters",
  (text) => SCOPE.test(text),
);

export const quantity = pattern(
  "a Kubernetes quantity such as 50m, 0.1 or 64Mi",
  (text) => QUANTITY.test(text) && !/^[0.]+\D*$/.test(text),
);

export const port: Syntax<number> = {
  allowed: "a port from 1 to 65535",
  read(text) {
    if (!/^[0-9]{1,5}$/.test(text)) return undefined;
    const value = Number(text);
    return value >= 1 && value <= 65535 ? value : undefined;
  },
};

/** Splits at commas; white space around an entry does not count, an empty text is an empty list. */
export function commaList(text: string): string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

function list<Value>(item: Syntax<Value>, plural: string): Syntax<Value[]> {
  return {
    allowed: `${plural}, separated by commas`,
    read(text) {
      const values = commaList(text).map((entry) => item.read(entry));
      return values.every((value) => value !== undefined) ? (values as Value[]) : undefined;
    },
  };
}

export const cidr = pattern("an address range such as 10.0.0.0/8", (text) => {
  const [address = "", prefix, ...rest] = text.split("/");
  const family = address.includes("%") ? 0 : isIP(address); // a zone is of one machine only
  if (family === 0 || prefix === undefined || rest.length > 0 || !/^[0-9]{1,3}$/.test(prefix)) return false;
  return Number(prefix) <= (family === 4 ? 32 : 128);
});

/** A file below a folder: no way out of it. */
export const fileName = pattern(
  "the path of a file within its volume: letters, digits, dots, dashes, underscores and slashes",
  (text) =>
    text.length <= 253 &&
    text.split("/").every((part) => /^[-._A-Za-z0-9]+$/.test(part) && part !== "." && part !== ".."),
);

export const userName = pattern(
  "the name of a user: letters, digits, dots, dashes and underscores, at most 63 characters",
  (text) => /^[A-Za-z_][-._A-Za-z0-9]{0,62}$/.test(text),
);

/** A version of a configuration: it only grows. */
export const configVersion: Syntax<number> = {
  allowed: "a whole number from 0 to 9007199254740991",
  read: (text) =>
    /^[0-9]{1,16}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined,
};

const serviceAccount = pattern("", (text) => {
  const [namespace = "", name = "", ...more] = text.split("/");
  return isDnsLabel(namespace) && objectName.read(name) !== undefined && more.length === 0;
});

export const serviceAccounts = list(serviceAccount, "ServiceAccounts as namespace/name");
export const ports = list(port, "ports from 1 to 65535");
export const cidrs = list(cidr, "address ranges such as 10.0.0.0/8");
