import { issueLeaf } from "../../certificates/issue.ts";
import type { Lifetimes } from "../../certificates/lifetimes.ts";
import { type KnownAuthority, type Leaf, readLeaf, type SecretData } from "../../certificates/secrets.ts";
import { KEPT, RELOAD_TLS_SECRET } from "../../contract/names.ts";
import type { BackOffTimes } from "../../kube/back-off.ts";
import type { Logger } from "../../telemetry/logger.ts";
import type { Objects } from "../objects.ts";
import { Queue } from "../queue.ts";
import type { ClusterView, Finding } from "../view.ts";
import { Authorities } from "./authorities.ts";
import { bundleOf, datedAuthorities, datedCertificate } from "./dated.ts";
import { certificateNames } from "./names.ts";
import { type CertificatePlan, planCertificate, RELOAD_LIFETIMES } from "./plan.ts";
import { type FoundSecret, readSecret, type SecretPlace, writeSecret } from "./secret.ts";

/** Milliseconds. */
export interface KeeperTimes {
  /** Between looks at who asks. */
  readonly tickMs: number;
  /** Between looks at a Secret where nothing calls for one. */
  readonly everyMs: number;
  /** After a look that failed. */
  readonly retry: BackOffTimes;
  readonly lifetimes: Lifetimes;
}

export const KEEPER_TIMES: KeeperTimes = {
  tickMs: 1000,
  everyMs: 60_000,
  retry: { firstPauseMs: 2000, longestPauseMs: 60_000 },
  lifetimes: RELOAD_LIFETIMES,
};

export interface KeeperParts {
  readonly objects: Objects;
  readonly authorities: SecretPlace;
  readonly clusterDomain: string;
  /** The clusters to look after, by key, as they are now. */
  clusters(): Iterable<readonly [string, ClusterView]>;
  found(key: string, view: ClusterView, findings: readonly Finding[]): void;
  /** As the API server has it. */
  now(): Date;
  readonly logger: Logger;
  readonly times: KeeperTimes;
}

/** Namespaces that are looked at in parallel. */
const WORKERS = 4;

const COMMON_NAME = "patroni-injector reload API";
const DAY_MS = 24 * 3_600_000;

/**
 * Keeps, in each namespace whose members ask for it, the certificate that they serve the reload API with. It fills Secrets that were
 * made for it and makes none: who may create Secrets may have a token of every ServiceAccount of the namespace.
 */
export class CertificateKeeper {
  readonly #parts: KeeperParts;
  readonly #queue: Queue;
  readonly #authorities: Authorities;
  /** What each namespace asks for. */
  #wanted = new Map<string, readonly string[]>();
  readonly #lookedAt = new Map<string, number>();
  readonly #problems = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: KeeperParts) {
    const { objects, authorities: place, now, logger, times } = parts;
    const { lifetimes, retry, everyMs: freshMs } = times;
    this.#parts = parts;
    this.#authorities = new Authorities({ objects, place, lifetimes, freshMs, now: () => now(), logger });
    this.#queue = new Queue({
      workers: WORKERS,
      times: retry,
      work: (namespace) => this.#keep(namespace),
      onFailure: (namespace, error) => this.#failed(namespace, error),
    });
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), this.#parts.times.tickMs);
    this.look();
  }

  /** Resolves when nothing is read or written any more. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#queue.stop();
  }

  /** Looks at who asks, and calls for work where that has changed or the time has come. */
  look(): void {
    const clusters = [...this.#parts.clusters()];
    const before = this.#wanted;
    this.#wanted = wantedBy(clusters, this.#parts.clusterDomain);
    const now = performance.now();
    for (const [namespace, names] of this.#wanted) {
      const sinceMs = now - (this.#lookedAt.get(namespace) ?? -Infinity);
      const isNews = before.get(namespace)?.join() !== names.join();
      if (!isNews && sinceMs < this.#parts.times.everyMs) continue;
      this.#lookedAt.set(namespace, now);
      this.#queue.add(namespace);
    }
    for (const [key, view] of clusters) this.#parts.found(key, view, this.#findings(view));
    this.#forgetGone();
  }

  #findings(view: ClusterView): Finding[] {
    const problem = this.#problems.get(view.namespace);
    const asks = certificateNames([view], this.#parts.clusterDomain).length > 0;
    return problem === undefined || !asks ? [] : [{ reason: "reload-certificate", detail: problem }];
  }

  #forgetGone(): void {
    for (const kept of [this.#lookedAt, this.#problems])
      for (const namespace of kept.keys()) if (!this.#wanted.has(namespace)) kept.delete(namespace);
  }

  #failed(namespace: string, error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error);
    if (this.#problems.get(namespace) !== problem)
      this.#parts.logger.warn({ namespace, problem }, "the reload API's certificate cannot be kept");
    this.#problems.set(namespace, problem);
  }

  async #keep(namespace: string): Promise<void> {
    const names = this.#wanted.get(namespace);
    if (names === undefined) return;
    const { objects } = this.#parts;
    const place = { namespace, name: RELOAD_TLS_SECRET };
    // The namespace's own first: where nothing may be written, no authority is needed.
    const secret = await readSecret(objects, place, KEPT.certificate);
    if (!secret.ours && !secret.data["tls.crt"])
      throw new Error(`Secret ${namespace}/${place.name} is empty, and was not made for the controller`);
    if (secret.ours) await this.#bringUpToDate(place, secret, names);
    this.#problems.delete(namespace);
  }

  async #bringUpToDate(place: SecretPlace, secret: FoundSecret, names: readonly string[]): Promise<void> {
    const { objects, times, now, logger } = this.#parts;
    const authorities = await this.#authorities.get();
    const { leaf } = readLeaf(secret.data);
    const dated = leaf && datedCertificate(leaf);
    const plan = planCertificate(
      datedAuthorities(authorities),
      dated,
      names,
      now().getTime(),
      times.lifetimes,
    );
    const next = await this.#after(plan, leaf, names, authorities);
    if (next === undefined) return;
    await writeSecret(objects, place, secret, { ...secret.data, ...dataOf(next) });
    logger.info({ secret: place, plan, names }, "the reload API's certificate was written");
  }

  /** Undefined where all stays as it is. */
  async #after(
    plan: CertificatePlan,
    leaf: Leaf | undefined,
    dnsNames: readonly string[],
    authorities: readonly KnownAuthority[],
  ): Promise<Leaf | undefined> {
    if (plan.kind === "rest") return undefined;
    const caPem = bundleOf(authorities, plan.trusted);
    if (plan.kind === "publish") return leaf && { ...leaf, caPem };
    const signer = authorities.find(({ id }) => id === plan.signer);
    if (signer === undefined) throw new Error(`no authority ${plan.signer}`);
    const { leafMs, backdateMs } = this.#parts.times.lifetimes;
    const validity = { from: this.#parts.now(), days: leafMs / DAY_MS, backdateMs };
    const made = await issueLeaf(COMMON_NAME, { dnsNames, ipAddresses: [] }, validity, signer);
    return { ...made, caPem };
  }
}

const dataOf = ({ certPem, keyPem, caPem }: Leaf): SecretData => ({
  "tls.crt": certPem,
  "tls.key": keyPem,
  "ca.crt": caPem,
});

/** By namespace, those that ask for anything. */
function wantedBy(
  clusters: readonly (readonly [string, ClusterView])[],
  clusterDomain: string,
): Map<string, readonly string[]> {
  const views = Map.groupBy(
    clusters.map(([, view]) => view),
    ({ namespace }) => namespace,
  );
  const names = [...views].map(
    ([namespace, own]) => [namespace, certificateNames(own, clusterDomain)] as const,
  );
  return new Map(names.filter(([, wanted]) => wanted.length > 0));
}
