import { isIPv6 } from "node:net";
import { asString, at, type JsonObject } from "../json/value.ts";
import { isEndpointOf, type PodIdentity, readSlice, type SliceState } from "../primary/slice.ts";
import type { SidecarConfig } from "./settings.ts";

/** The slice is read this often even where the watch says nothing, for watches go silent. Milliseconds, a third is added at random. */
const RESYNC_MS = 60_000;

/** While the watch is interrupted. Milliseconds. */
const BLIND_RESYNC_MS = 3000;

type Seen =
  | { readonly kind: "unknown" }
  | { readonly kind: "absent" }
  | { readonly kind: "present"; readonly slice: JsonObject };

/** What is known of the slice between rounds: from its watch, our reads and our writes. */
export class SliceView {
  readonly #config: SidecarConfig;
  #seen: Seen = { kind: "unknown" };
  #resyncAt = 0;
  #isUnproven = false;

  constructor(config: SidecarConfig) {
    this.#config = config;
  }

  /** Read, or written by ourselves. */
  take(slice: JsonObject | undefined): void {
    this.#seen = slice === undefined ? { kind: "absent" } : { kind: "present", slice };
  }

  /**
   * Told by the watch.
   * @returns true where it is a change that is not known yet
   */
  heard(slice: JsonObject | undefined): boolean {
    if (this.#seen.kind === "present" && versionOf(this.#seen.slice) === versionOf(slice)) return false;
    const showedUs = this.#seen.kind === "unknown" || this.showsUs;
    this.take(slice);
    // Somebody else put our address there: it stays only if it is proven.
    this.#isUnproven = this.showsUs && (this.#isUnproven || !showedUs);
    return true;
  }

  /** The watch was interrupted: what happens meanwhile is found out by reading. */
  interrupted(now: number): void {
    this.#resyncAt = Math.min(this.#resyncAt, jittered(now, BLIND_RESYNC_MS));
  }

  /** A round has come to its end. */
  settled(now: number): void {
    this.#resyncAt = jittered(now, RESYNC_MS);
    this.#isUnproven = false;
  }

  isDue(now: number): boolean {
    return this.#seen.kind === "unknown" || this.#isUnproven || now >= this.#resyncAt;
  }

  /** Our address was put there by somebody else, and has not been proven since. */
  get isUnproven(): boolean {
    return this.#isUnproven;
  }

  /** Undefined where the slice is not known, or not there. */
  get state(): SliceState | undefined {
    return this.#seen.kind === "present" ? readSlice(this.#seen.slice) : undefined;
  }

  get showsUs(): boolean {
    const { pod, state } = this;
    return pod !== undefined && (state?.endpoints ?? []).some((endpoint) => isEndpointOf(endpoint, pod));
  }

  /** This pod with its address of the slice's family; undefined where it has none. */
  get pod(): PodIdentity | undefined {
    const { addresses, pod } = this.#config;
    const family = this.addressType ?? familyOf(addresses[0] ?? "");
    const address = addresses.find((candidate) => familyOf(candidate) === family);
    return address === undefined ? undefined : { ...pod, address };
  }

  /** The slice's `addressType`; undefined where the slice is not known. */
  get addressType(): string | undefined {
    return this.#seen.kind === "present" ? asString(this.#seen.slice.addressType) : undefined;
  }
}

const familyOf = (address: string): string => (isIPv6(address) ? "IPv6" : "IPv4");

const jittered = (now: number, ms: number): number => now + ms * (1 + Math.random() / 3);

const versionOf = (object: JsonObject | undefined): string | undefined =>
  asString(at(object, "metadata", "resourceVersion"));
