import type { Own } from "../config/injection-settings.ts";
import type { Config } from "../config/schema.ts";
import {
  AUTHORITY_SECRET_SUFFIX,
  LEAF_SECRET_SUFFIX,
  RELOAD_AUTHORITY_SECRET_SUFFIX,
} from "../contract/names.ts";

/** The namespace of what `serve` keeps for itself. */
export const keptIn = ({ webhook }: Config, { ownNamespace }: Own): string =>
  ownNamespace ?? webhook.registration.service.namespace ?? "default";

/** The names of the Secrets with certificates of our own. */
export const secretNames = ({ webhook }: Pick<Config, "webhook">) => ({
  authorities: webhook.registration.service.name + AUTHORITY_SECRET_SUFFIX,
  leaf: webhook.registration.service.name + LEAF_SECRET_SUFFIX,
  reloadAuthorities: webhook.registration.service.name + RELOAD_AUTHORITY_SECRET_SUFFIX,
});
