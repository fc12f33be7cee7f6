import { SIDECAR_CONTAINER } from "../contract/names.ts";
import { PATRONI_PORT } from "../contract/ports.ts";
import { asString, type JsonObject, objectsIn } from "../json/value.ts";

/** How a Patroni container takes its configuration: Spilo ignores `PATRONI_*` and reads `SPILO_CONFIGURATION`. */
export type Flavour = "patroni" | "spilo";

export type FoundContainer =
  | { readonly kind: "found"; readonly index: number; readonly flavour: Flavour }
  | { readonly kind: "none" }
  | { readonly kind: "ambiguous"; readonly names: readonly string[] };

const SPILO_NAMES = new Set(["SCOPE", "SPILO_CONFIGURATION", "PGROOT", "SPILO_PROVIDER"]);
const IDENTITY =
  /^PATRONI_(NAME|SCOPE|KUBERNETES_|REPLICATION_|SUPERUSER_|POSTGRESQL_|RESTAPI_|CONFIGURATION)/;

/** What speaks for a container, strongest first; a container that only has the port is the weakest candidate. */
const EVIDENCE: readonly { readonly weight: number; readonly test: (container: JsonObject) => boolean }[] = [
  {
    weight: 4,
    test: (container) =>
      envNames(container).some((name) => IDENTITY.test(name) || name === "SPILO_CONFIGURATION"),
  },
  { weight: 3, test: (container) => envNames(container).includes("SCOPE") },
  { weight: 2, test: (container) => /(^|\/)(patroni|spilo)[^/]*$/.test(asString(container.image) ?? "") },
  {
    weight: 1,
    test: (container) => objectsIn(container.ports).some((port) => port.containerPort === PATRONI_PORT),
  },
];

/**
 * The container that runs Patroni, told by its environment, image and ports, never by its name alone: names differ
 * between every operator. Two equally strong candidates are ambiguous.
 */
export function findPatroniContainer(containers: readonly JsonObject[]): FoundContainer {
  const weights = containers.map(weigh);
  const best = weights.reduce((most, weight) => Math.max(most, weight), 0);
  if (best === 0) return { kind: "none" };
  const candidates = containers.flatMap((container, index) =>
    weights[index] === best ? [{ container, index }] : [],
  );
  const [first, ...others] = candidates;
  if (first === undefined || others.length > 0) {
    return { kind: "ambiguous", names: candidates.map(({ container }) => asString(container.name) ?? "") };
  }
  return { kind: "found", index: first.index, flavour: flavourOf(first.container) };
}

/**
 * Evidence adds up, so that a helper container which shares one sign does not tie with the database. Our own sidecar,
 * there since an earlier pass, is no candidate: its image may be named like Patroni's.
 */
function weigh(container: JsonObject): number {
  if (container.name === SIDECAR_CONTAINER) return 0;
  return EVIDENCE.reduce((sum, { weight, test }) => (test(container) ? sum + weight : sum), 0);
}

/** Spilo by its own variables or its image; everything else is plain Patroni. */
export function flavourOf(container: JsonObject): Flavour {
  const spiloImage = /(^|\/)spilo[^/]*$/.test(asString(container.image) ?? "");
  return spiloImage || envNames(container).some((name) => SPILO_NAMES.has(name)) ? "spilo" : "patroni";
}

function envNames(container: JsonObject): string[] {
  return objectsIn(container.env).map((entry) => asString(entry.name) ?? "");
}
