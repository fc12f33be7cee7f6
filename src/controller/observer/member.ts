import { isIPv6 } from "node:net";
import type { JsonObject } from "../../json/value.ts";
import { AskedTenure, type DcsSource } from "../../primary/asked-tenure.ts";
import { decide, type Verdict } from "../../primary/decide.ts";
import type { RoundResult, Tenure, WriterMemory } from "../../primary/round.ts";
import { type PodIdentity, readSlice } from "../../primary/slice.ts";
import { type Observation, standingOf } from "../../primary/standing.ts";
import { formatTerm } from "../../primary/term.ts";
import { runRound, type WriterWorld } from "../../primary/writer.ts";
import type { PodFacts } from "../facts/pod.ts";
import type { Finding } from "../view.ts";

/** The world of a member's writer, and the DCS as this member sees it. */
export interface MemberWorld extends WriterWorld {
  readonly dcs: DcsSource;
  /** For how long the leader object has named a member, by its name in Patroni. */
  tenureOf(member: string): Tenure;
}

/** So many times without an answer, and the member counts as out of our reach. */
const SILENCES = 3;

/** How the controller looks at one member, and writes for it: by the rule of the member's own sidecar. */
export class MemberWriter {
  readonly #memory: WriterMemory = { inDoubt: false };
  readonly #asked = new AskedTenure();
  /** The member's name in Patroni, where that is not its pod's. */
  #name: string | undefined;
  #silences = 0;
  #refused: Finding | undefined;
  #why = "";
  isBusy = false;

  /** A write of ours may still be on its way. */
  get inDoubt(): boolean {
    return this.#memory.inDoubt;
  }

  /**
   * Asks the member and, where the slice as it was last seen is not as it should be for it, goes through a round of the
   * compare-and-swap.
   *
   * @returns what came of a round; undefined where none was needed
   */
  async look(pod: PodFacts, slice: JsonObject, world: MemberWorld): Promise<RoundResult | undefined> {
    const identity = identityOf(pod, slice);
    if (identity === undefined) return undefined;
    const hasLeaderObject = pod.settings.leaderObject !== undefined;
    const tenure = (): Tenure => {
      const name = this.#name ?? pod.name;
      return hasLeaderObject ? world.tenureOf(name) : this.#asked.of(name, world.now());
    };
    const observation = await world.observe();
    this.#note(observation);
    const standing = standingOf(observation);
    const verdict = decide({
      pod: identity,
      slice: readSlice(slice),
      standing,
      mustProve: false,
      ...tenure(),
    });
    this.#refused = refusalOf(pod, verdict);
    if (verdict.kind === "term-refused" && !hasLeaderObject) await this.#asked.ask(world.dcs, world.now);
    const isAtRest = verdict.kind === "rest" || verdict.kind === "term-refused";
    if (isAtRest && !this.inDoubt) return undefined;
    const result = await runRound(identity, this.#memory, tenure, world);
    if (result.kind !== "failed" && result.kind !== "no-slice")
      this.#refused = refusalOf(pod, result.verdict);
    return result;
  }

  findings(pod: PodFacts): Finding[] {
    const silent: Finding[] =
      this.#silences >= SILENCES ? [{ reason: "unobservable", detail: `${pod.name}: ${this.#why}` }] : [];
    return this.#refused === undefined ? silent : [this.#refused, ...silent];
  }

  #note(observation: Observation): void {
    this.#silences = observation.kind === "silent" ? this.#silences + 1 : 0;
    this.#why = observation.kind === "silent" ? observation.error : "";
    if (observation.kind === "answered") this.#name = observation.status.name ?? this.#name;
  }
}

/** Undefined where the pod has no address of the slice's family. */
function identityOf(pod: PodFacts, slice: JsonObject): PodIdentity | undefined {
  const address = pod.addresses.find((each) => isIPv6(each) === (slice.addressType === "IPv6"));
  const { namespace, name, uid, nodeName } = pod;
  return address === undefined ? undefined : { namespace, name, uid, nodeName, address };
}

function refusalOf({ name }: PodFacts, verdict: Verdict): Finding | undefined {
  if (verdict.kind !== "term-refused") return undefined;
  const { offered, current } = verdict;
  return { reason: "term-refused", detail: `${name}: ${formatTerm(offered)} after ${formatTerm(current)}` };
}
