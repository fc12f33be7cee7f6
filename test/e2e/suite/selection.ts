import { FAULTS, type Fault } from "../faults/faults.ts";

/** How much of the suite runs. `all`: every fault on every form of cluster, and not only where it shows something of its own. */
export const EXTENTS = ["quick", "usual", "all"] as const;
export type Extent = (typeof EXTENTS)[number];

/** Tells the test processes the {@link Extent}; without it, it is `usual`. */
export const EXTENT_ENV = "PATRONI_INJECTOR_E2E_EXTENT";

export const extent: Extent = EXTENTS.find((name) => name === process.env[EXTENT_ENV]) ?? "usual";

/** The faults of the extent, by their names. */
export function selectedFaults(
  names: Readonly<Record<"quick" | "usual", readonly string[]>>,
): readonly Fault[] {
  if (extent === "all") return FAULTS;
  return FAULTS.filter(({ name }) => names[extent].includes(name));
}
