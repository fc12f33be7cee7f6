/** Where the version of the configuration that is in the pod is read. */
export interface VersionSource {
  /** Milliseconds between two looks while somebody waits; what changes in between may be told earlier. */
  readonly pollMs: number;
  /** Never rejects: what cannot be read is no version. */
  read(): Promise<VersionReading>;
  /** Calls back where the version may have changed, until the result is called. */
  watch(onChange: () => void): () => void;
}

export type VersionReading =
  | { readonly kind: "version"; readonly version: number }
  /** @property why in words, for people */
  | { readonly kind: "none"; readonly why: string };

const LONGEST = 16;

/** A version is a whole number from 0 that a double holds exactly; white space around it does not count. */
export function readingOf(text: string, where: string): VersionReading {
  const digits = text.trim();
  if (digits === "") return { kind: "none", why: `${where} is empty` };
  const version = /^[0-9]+$/.test(digits) && digits.length <= LONGEST ? Number(digits) : Number.NaN;
  return Number.isSafeInteger(version)
    ? { kind: "version", version }
    : { kind: "none", why: `${where} holds ${JSON.stringify(digits.slice(0, 40))}, which is no version` };
}
