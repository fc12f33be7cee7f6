import type { Config } from "../config/schema.ts";

/** What an operator may have the controller make beside what every cluster gets. */
export type Choices = Pick<Config["controller"], "networkPolicies" | "rbac">;

/** What is let through in some namespaces. */
export type NetworkChoice = Choices["networkPolicies"][number];

/** Nothing. */
export const NO_CHOICES: Choices = { networkPolicies: [], rbac: { patroni: false } };
