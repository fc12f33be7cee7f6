import { z } from "zod";
import { cidr, dnsLabel, isLabelValue, objectName, quantity, type Syntax } from "../contract/syntax.ts";
import type { JsonObject } from "../json/value.ts";

/**
 * The kinds of values that stand in the configuration. Each says in words what is allowed, and its errors read
 * `expected <that>, got <the value>`.
 */
type Issue = { readonly input?: unknown };

const expected =
  (allowed: string) =>
  (issue: Issue): string =>
    `expected ${allowed}, got ${shown(issue.input)}`;

const LONGEST_QUOTE = 60;

/** A value as it stands in an error message: short, and in YAML's own words. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > LONGEST_QUOTE ? `${value.slice(0, LONGEST_QUOTE)}…` : value);
}

/** A mapping with these keys and no others. One that is left out is filled with the defaults of its keys. */
export const section = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, { error: ({ code, input }) => sectionError(code, input) });

function sectionError(code: string, input: unknown): string | undefined {
  return code === "invalid_type" ? expected("a mapping")({ input }) : undefined;
}

/** A mapping that goes to Kubernetes as it is, which says what is wrong with it. */
export const passedOn = () =>
  z.record(z.string(), z.unknown(), { error: expected("a mapping") }) as unknown as z.ZodType<JsonObject>;

export const list = <Item extends z.ZodType>(item: Item) => z.array(item, { error: expected("a list") });

export const choice = <const Values extends readonly (string | boolean)[]>(...values: Values) =>
  z.literal(values as unknown as Values[number][], {
    error: expected(values.map(String).join(" or ")),
  }) as z.ZodLiteral<Values[number]>;

export function integer(minimum: number, maximum: number) {
  const error = expected(`an integer from ${minimum} to ${maximum}`);
  return z.int({ error }).min(minimum, { error }).max(maximum, { error });
}

/** A port to connect to. */
export const port = () => integer(1, 65535);

/** A port to listen on; 0 takes any free one. */
export const listenPort = () => integer(0, 65535);

export function text(allowed: string, accepts: (value: string) => boolean) {
  const error = expected(allowed);
  return z.string({ error }).refine(accepts, { error });
}

const written = (syntax: Syntax<unknown>) =>
  text(syntax.allowed, (value) => syntax.read(value) !== undefined);

export const namespaceName = () => written(dnsLabel);
export const anObjectName = () => written(objectName);
export const addressRange = () => written(cidr);

export const absolutePath = () =>
  text("an absolute path", (value) => value.startsWith("/") && !value.includes("\0"));

/** YAML reads `cpu: 1` and `cpu: 0.1` as numbers; Kubernetes takes them as quantities, and so do we. */
export function aQuantity() {
  const error = expected(quantity.allowed);
  return z
    .union([z.string(), z.number()], { error })
    .transform(String)
    .refine((value) => quantity.read(value) !== undefined, { error });
}

export const labelValue = () =>
  text("a label value: letters, digits, dashes, dots and underscores, at most 63 characters", isLabelValue);

const LABEL_PREFIX = objectName;

export const labelKey = () =>
  text("a label key such as application or example.com/kind", (value) => {
    const slash = value.indexOf("/");
    const prefixed = slash === -1 || LABEL_PREFIX.read(value.slice(0, slash)) !== undefined;
    return prefixed && isLabelValue(value.slice(slash + 1));
  });

export const dnsName = () =>
  text("a DNS name such as cluster.local, without a dot at either end", (value) =>
    value.split(".").every((label) => dnsLabel.read(label) !== undefined),
  );

export const host = () =>
  text("an address or a host name", (value) => /^[A-Za-z0-9][-A-Za-z0-9.]*$|^[0-9A-Fa-f:.]+$/.test(value));

/** The grammar of image references: `[registry[:port]/]repository[:tag][@digest]`. */
const REGISTRY = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?$/;
const REPOSITORY_PART = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/;
const TAG = /^\w[-.\w]{0,127}$/;
const DIGEST = /^[a-z0-9]+(?:[-+._][a-z0-9]+)*:[0-9a-f]{32,}$/;

export const imageReference = () =>
  text("an image reference such as registry.example.com/patroni-injector:1.2.3", (value) => {
    const [named = "", digest, ...beyond] = value.split("@");
    const slash = named.lastIndexOf("/");
    const colon = named.indexOf(":", slash + 1);
    const name = colon === -1 ? named : named.slice(0, colon);
    const [first = "", ...rest] = name.split("/");
    const registry = rest.length > 0 && /[.:[]|^localhost$|[A-Z]/.test(first);
    return (
      value.length <= 512 &&
      beyond.length === 0 &&
      (digest === undefined || DIGEST.test(digest)) &&
      (colon === -1 || TAG.test(named.slice(colon + 1))) &&
      (!registry || REGISTRY.test(first)) &&
      (registry ? rest : [first, ...rest]).every((part) => REPOSITORY_PART.test(part))
    );
  });

/** Where the API server is told to call us: HTTPS, and nothing after the host that it would refuse or drop. */
export const webhookUrl = () =>
  text("an https:// address without a path, a query, a fragment or a user", (value) => {
    const url = URL.parse(value);
    return (
      url !== null &&
      url.protocol === "https:" &&
      url.pathname === "/" &&
      `${url.search}${url.hash}${url.username}${url.password}` === ""
    );
  });
