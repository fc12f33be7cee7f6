import { nanos } from "../quantity.ts";

const MIB_IN_NANOS = 2n ** 20n * 10n ** 9n;

/** Less than this V8 does not get by with. MiB. */
const LEAST_OLD_SPACE = 16;

/** MiB. The young generation is up to three of these. */
const SEMI_SPACE = 2;

/**
 * `NODE_OPTIONS` for a sidecar that may use this much memory. V8 does not know the container's limit: Node 24 leaves it 256 MiB of
 * heap under a limit of 64Mi, and garbage that it sees no need to collect would end in an OOM kill. A third of the limit for objects
 * that live leaves room for what V8 knows nothing of (about 15 MiB), for the young generation, and for pages of the binary.
 *
 * @param limit a quantity; undefined where there is none, and nothing is to be said
 */
export function nodeOptionsFor(limit: unknown): string | undefined {
  const bytes = nanos(limit);
  if (bytes === undefined) return undefined;
  const oldSpace = Math.max(LEAST_OLD_SPACE, Number(bytes / MIB_IN_NANOS / 3n));
  return `--max-old-space-size=${oldSpace} --max-semi-space-size=${SEMI_SPACE}`;
}
