import { DOMAIN } from "../../contract/names.ts";
import { asString, type JsonObject, objectsIn } from "../../json/value.ts";

/** Entries that change pods, as `serve` registers them. */
const NAME = new RegExp(`^\\d+\\.mutate\\.${DOMAIN.replaceAll(".", "\\.")}$`);

/** An entry, and the MutatingWebhookConfiguration in which it stands. */
export interface Entry {
  readonly configuration: JsonObject;
  readonly entry: JsonObject;
}

/** The entries of ours in these configurations. */
export const entriesIn = (configurations: readonly JsonObject[]): Entry[] =>
  configurations.flatMap((configuration) =>
    objectsIn(configuration.webhooks)
      .filter(({ name }) => NAME.test(asString(name) ?? ""))
      .map((entry) => ({ configuration, entry })),
  );
