import { z } from "zod";
import { configSchema } from "../../src/config/schema.ts";
import { asString, isObject, type Json, type JsonObject } from "../../src/json/value.ts";
import { code, page, table } from "./markdown.ts";

/** The configuration file as JSON Schema, for editors. It knows the keys and their types; `serve` checks more. */
export function configurationSchema(): JsonObject {
  const schema = z.toJSONSchema(configSchema, { io: "input" }) as JsonObject;
  return { ...schema, title: "patroni-injector configuration" };
}

export function configurationPage(): string {
  return page(
    "Configuration",
    "src/config/schema.ts",
    "One YAML file, given to `serve` and `inject` by `--config`. Every key may be left out. An unknown key or a value that is not allowed is an error that names the line; all errors are listed at once. `serve` watches the file: a bad new one changes nothing, and is told in the log and the metric `patroni_injector_config_last_reload_successful`. Changes of `webhook.host`, `webhook.port`, `webhook.registration`, `webhook.certificates`, `webhook.clientCA`, `operations`, `controller` and `watchNamespaces` count only after a restart, and the log says so.",
    "[config.schema.json](config.schema.json) is the same for editors: `# yaml-language-server: $schema=…` in the file's first line.",
    table(["Key", "Type", "Default", "Meaning"], rowsOf(configurationSchema(), "")),
  );
}

function rowsOf(section: JsonObject, prefix: string): string[][] {
  return Object.entries(propertiesOf(section)).flatMap(([name, schema]) => {
    const key = `${prefix}${name}`;
    const items = isObject(schema.items) ? schema.items : {};
    const deeper = [...rowsOf(schema, `${key}.`), ...rowsOf(items, `${key}[].`)];
    return [[code(key), typeOf(schema), defaultOf(schema), asString(schema.description) ?? ""], ...deeper];
  });
}

function propertiesOf(schema: JsonObject): Record<string, JsonObject> {
  return (isObject(schema.properties) ? schema.properties : {}) as Record<string, JsonObject>;
}

function typeOf(schema: JsonObject): string {
  const { type, minimum, maximum, items } = schema;
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => code(String(value))).join(", ");
  if (type === "object") return "mapping";
  if (type === "array" && isObject(items))
    return `list of ${items.enum ? typeOf(items) : PLURAL[String(items.type)]}`;
  if (type === "integer") return `integer from ${minimum} to ${maximum}`;
  return [type].flat().join(" or ");
}

const PLURAL: Readonly<Record<string, string>> = { object: "mappings", string: "strings" };

/** A section's default is that of its keys. */
function defaultOf(schema: JsonObject): string {
  const value: Json | undefined = schema.default;
  if (value === undefined || isObject(value)) return "";
  return code(typeof value === "string" ? value : JSON.stringify(value));
}
