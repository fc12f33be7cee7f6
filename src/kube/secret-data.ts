import type { SecretData } from "../certificates/secrets.ts";
import { asObject, asString, type JsonObject } from "../json/value.ts";

/** The `data` of a Secret as text. */
export const textsIn = (data: unknown): Record<string, string> =>
  Object.fromEntries(
    Object.entries(asObject(data) ?? {}).map(([key, value]) => [
      key,
      Buffer.from(asString(value) ?? "", "base64").toString(),
    ]),
  );

/** The `data` of a Secret with these texts. */
export const dataOf = (texts: SecretData): JsonObject =>
  Object.fromEntries(
    Object.entries(texts).map(([key, value]) => [key, Buffer.from(value).toString("base64")]),
  );
