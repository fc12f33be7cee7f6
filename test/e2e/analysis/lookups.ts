/** What a name resolved to at a moment, in milliseconds since 1970; an empty list: to nothing. */
export interface Lookup {
  readonly atMs: number;
  readonly addresses: readonly string[];
}

/** Reads lines of `<seconds since 1970, with a fraction> <addresses parted by blanks>`. */
export function parseLookups(text: string): Lookup[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [seconds = "", ...addresses] = line.trim().split(/\s+/);
      const atMs = Number(seconds) * 1000;
      if (!Number.isFinite(atMs)) throw new Error(`not a lookup: ${line}`);
      return { atMs, addresses };
    });
}

/** Since when a name has resolved to this address and to no other. Undefined where it does not in the end. */
export function settledOn(lookups: readonly Lookup[], address: string): number | undefined {
  const isRight = ({ addresses }: Lookup) => addresses.length === 1 && addresses[0] === address;
  const lastWrong = lookups.findLastIndex((lookup) => !isRight(lookup));
  return lookups[lastWrong + 1]?.atMs;
}
