import type { Config } from "../config/schema.ts";

/** What an operator may have the controller make beside what every cluster gets. */
export type Choices = Pick<Config["controller"], "rbac">;

/** Nothing. */
export const NO_CHOICES: Choices = { rbac: { patroni: false } };
