import { X509Certificate } from "node:crypto";
import { Agent, request } from "node:https";
import type { TLSSocket } from "node:tls";
import type { KubeApi } from "../../../demo/kube-api/server.ts";
import { until } from "../kube/support.ts";
import { reviewOf } from "../webhook/reviews.ts";
import { liveBundles, onBundles, type Replica, SERVER_NAME, type VirtualTime } from "./scene.ts";

/** How late an API server's cache may be. */
const CACHES_MS = 60_000;

/**
 * Watches from outside what replicas serve. It judges by what an API server has in its cache, which is any `caBundle` of the
 * last minute, at the virtual time, and knows nothing of how the rotation works.
 */
export class ApiServers {
  readonly #api: KubeApi;
  readonly #time: VirtualTime;
  #history: { until: number; bundles: X509Certificate[][] }[] = [];
  #current: X509Certificate[][];
  judged = 0;
  readonly refusals: string[] = [];

  constructor(api: KubeApi, time: VirtualTime) {
    this.#api = api;
    this.#time = time;
    this.#current = liveBundles(api);
  }

  watch(scope: { after(end: () => void): void }, replicas: readonly Replica[]): void {
    const judge = (): void => {
      for (const { served } of replicas) this.judge(new X509Certificate(served.certificate?.certPem ?? ""));
    };
    const end = onBundles(this.#api, () => {
      this.#history = this.#history.filter(({ until }) => until >= this.#time.monotonic - CACHES_MS);
      this.#history.push({ until: this.#time.monotonic, bundles: this.#current });
      this.#current = liveBundles(this.#api);
      judge();
    });
    scope.after(end);
  }

  /** What there is to judge by now. */
  moment(): Moment {
    const inCaches = this.#history.filter(({ until }) => until >= this.#time.monotonic - CACHES_MS);
    return {
      now: new Date(this.#time.now),
      bundles: [...inCaches.flatMap(({ bundles }) => bundles), ...this.#current],
    };
  }

  /** @param moments in which the leaf may have been looked at: a virtual day passes while a handshake takes place */
  judge(leaf: X509Certificate, moments: readonly Moment[] = [this.moment()]): void {
    this.judged++;
    if (moments.some((moment) => isAccepted(leaf, moment))) return;
    const { serialNumber, validFrom, validTo } = leaf;
    this.refusals.push(
      JSON.stringify({ times: moments.map(({ now }) => now), serialNumber, validFrom, validTo }),
    );
  }
}

interface Moment {
  readonly now: Date;
  readonly bundles: readonly X509Certificate[][];
}

/** By every bundle that may be in a cache. */
function isAccepted(leaf: X509Certificate, { now, bundles }: Moment): boolean {
  const isSigned = bundles.every((bundle) =>
    bundle.some(
      (anchor) => isValidAt(anchor, now) && leaf.checkIssued(anchor) && leaf.verify(anchor.publicKey),
    ),
  );
  return isSigned && bundles.length > 0 && isValidAt(leaf, now) && leaf.checkHost(SERVER_NAME) !== undefined;
}

const isValidAt = ({ validFromDate, validToDate }: X509Certificate, now: Date): boolean =>
  validFromDate <= now && now <= validToDate;

/** One review after another, over a connection of its own each time or always the same one. */
export class Load {
  answered = 0;
  /** How many connections it took. */
  connections = 0;
  readonly failures: string[] = [];
  readonly #judges: ApiServers;
  readonly #running: Promise<void>[];
  /** Calls that each replica answered. */
  readonly #laps: number[];
  #stopped = false;

  constructor(replicas: readonly Replica[], judges: ApiServers, keepAlive: boolean) {
    this.#judges = judges;
    this.#laps = replicas.map(() => 0);
    this.#running = replicas.map(({ port }, index) => this.#run(port, keepAlive, index));
  }

  /** Waits for a call of every replica that begins from now on; one may be under way. */
  lap(): Promise<void> {
    const before = [...this.#laps];
    const isOver = (lap: number, index: number) => lap >= (before[index] ?? 0) + 2;
    return until("every replica was called", () => this.failures.length > 0 || this.#laps.every(isOver));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  async #run(port: number, keepAlive: boolean, index: number): Promise<void> {
    // The chain is judged at the virtual time, by hand: OpenSSL would go by this machine's.
    const agent = new Agent({
      ...{ keepAlive, maxSockets: 1, rejectUnauthorized: false, servername: SERVER_NAME },
      maxCachedSessions: 0, // a handshake that resumes shows no certificate
    });
    while (!this.#stopped) {
      await this.#call(port, agent).catch((error: Error) => this.failures.push(error.message));
      this.#laps[index] = (this.#laps[index] ?? 0) + 1;
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    agent.destroy();
  }

  #call(port: number, agent: Agent): Promise<void> {
    return new Promise((resolve, reject) => {
      const body = JSON.stringify(reviewOf(`u-${this.answered}`));
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const call = request({ port, host: "127.0.0.1", path: "/mutate", method: "POST", agent, headers });
      call.on("error", reject);
      call.on("socket", (socket: TLSSocket) => {
        const begun = this.#judges.moment();
        if (!call.reusedSocket) socket.once("secureConnect", () => this.#connected(socket, begun));
      });
      call.on("response", async (response) => {
        const chunks = await response.toArray().catch(reject);
        if (chunks === undefined) return;
        const text = Buffer.concat(chunks).toString();
        if (response.statusCode !== 200 || !text.includes('"allowed":true')) return reject(new Error(text));
        this.answered++;
        resolve();
      });
      call.end(body);
    });
  }

  #connected(socket: TLSSocket, begun: Moment): void {
    this.connections++;
    const { raw } = socket.getPeerCertificate(true);
    this.#judges.judge(new X509Certificate(raw), [begun, this.#judges.moment()]);
  }
}
