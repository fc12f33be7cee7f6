import type { Access } from "./kubectl.ts";

/** All that a suite must know of the cluster it runs on. */
export interface Target {
  readonly access: Access;
  readonly helm: string;
  readonly images: {
    readonly injector: string;
    readonly patroni: string;
    readonly etcd: string;
    readonly pgbouncer: string;
  };
  /** Folder for figures and records. */
  readonly out: string;
}

/** Holds the {@link Target} as JSON for the test processes. */
export const TARGET_ENV = "PATRONI_INJECTOR_E2E_TARGET";

/** @throws Error that says how to start the suite */
export function targetFromEnv(env: NodeJS.ProcessEnv = process.env): Target {
  const text = env[TARGET_ENV];
  if (text === undefined) throw new Error("there is no cluster: start the suite with `npm run test:e2e`");
  return JSON.parse(text) as Target;
}
