import { FAULTS, type Fault } from "../faults/faults.ts";

/** `all`: every fault on every form of cluster, and not only where it shows something of its own. */
export const FAULTS_ENV = "PATRONI_INJECTOR_E2E_FAULTS";

/** The faults of these names, or all of them where that is asked for. */
export function faultsNamed(...names: readonly string[]): readonly Fault[] {
  if (process.env[FAULTS_ENV] === "all") return FAULTS;
  return FAULTS.filter(({ name }) => names.includes(name));
}
