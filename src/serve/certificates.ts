import type { Server } from "node:https";
import { Served } from "../certificates/served.ts";
import { Sightings } from "../certificates/sightings.ts";
import type { CertificateSource, ServingCertificate } from "../certificates/source.ts";
import type { Own } from "../config/injection-settings.ts";
import type { Config } from "../config/schema.ts";
import { watchDirectory } from "../config/watch-directory.ts";
import { BACK_OFF, BackOff } from "../kube/back-off.ts";
import type { Registration, Seen } from "../kube/registration.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { desiredWebhookConfiguration } from "../webhook/registration.ts";
import { useCertificate } from "../webhook/server.ts";
import type { ClientAuthority } from "./client-authority.ts";
import type { Cluster } from "./cluster.ts";
import { Looking } from "./looking.ts";
import { certificateSource } from "./source.ts";

export interface CertificatesOptions {
  /** What counts now. */
  config(): Config;
  readonly own: Own;
  readonly cluster: Cluster;
  readonly server: Server;
  readonly clientAuthority: ClientAuthority;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Between looks at the certificate, the live configuration and the clock. Whatever is wrong with one of them is dealt with
 * within a minute, which is two looks.
 */
const LOOK_MS = 30_000;

/** What the webhook serves, who trusts it, and the webhook configuration that says so. */
export class Certificates {
  readonly #options: CertificatesOptions;
  readonly #source: CertificateSource;
  readonly #sightings = new Sightings();
  readonly #served: Served;
  readonly #looking: Looking;
  readonly #failures = new BackOff(BACK_OFF);
  #newest: ServingCertificate | undefined;
  #registration: Registration | undefined;
  #port: number | undefined;
  #watcher: { close(): void } | undefined;

  constructor(options: CertificatesOptions) {
    this.#options = options;
    const { config, own, cluster, logger, metrics } = options;
    this.#served = new Served({ now: () => cluster.now(), use: (certificate) => this.#use(certificate) });
    this.#source = certificateSource({
      config: config(),
      own,
      cluster,
      logger,
      metrics,
      sightings: this.#sightings,
      onCertificate: (certificate) => this.#take(certificate),
    });
    const pauseAfter = (err: unknown): number => {
      const pauseMs = this.#failures.next(err);
      logger.warn(
        { err, pauseMs: Math.round(pauseMs) },
        "cannot look after the certificate; all stays as it was",
      );
      return pauseMs;
    };
    this.#looking = new Looking(() => this.#look(), { everyMs: LOOK_MS, pauseAfter });
  }

  /** There is one to serve. */
  get available(): boolean {
    return this.#served.certificate !== undefined;
  }

  /** API servers accept what is served; nobody is asked where nothing is registered. */
  get trusted(): boolean {
    return this.#mode === "none" || this.#served.trusted;
  }

  /** Resolves after the first look; there may be no certificate yet. */
  async start(): Promise<void> {
    const { source, directory } = this.#options.config().webhook.certificates;
    if (source !== "self") this.#watcher = watchDirectory(directory, () => this.#looking.wake());
    await this.#looking.start();
  }

  /** Registers the webhook as it is configured now. @param port that it listens on */
  announce(port: number): void {
    this.#port = port;
    this.#register();
  }

  /** Resolves when nothing is made or written any more; what is served goes on to be. */
  async stop(): Promise<void> {
    this.#watcher?.close();
    this.#source.stop();
    await Promise.all([this.#looking.stop(), this.#registration?.stop()]);
  }

  get #mode() {
    return this.#options.config().webhook.registration.mode;
  }

  async #look(): Promise<void> {
    const { cluster, metrics, clientAuthority } = this.#options;
    if (await clientAuthority.look()) this.#reuse();
    const looks = await Promise.allSettled([this.#registration?.refresh(), this.#source.look()]);
    metrics.clockSkew.set((Date.now() - cluster.now().getTime()) / 1000);
    for (const look of looks) if (look.status === "rejected") throw look.reason;
    this.#failures.reset();
  }

  #take(certificate: ServingCertificate): void {
    this.#newest = certificate;
    this.#register();
    this.#served.offer(certificate);
    this.#measure();
  }

  #register(): void {
    const [mode, port, newest] = [this.#mode, this.#port, this.#newest];
    if (mode === "none" || port === undefined || newest === undefined) return;
    const { config, own, cluster, metrics } = this.#options;
    const desired = desiredWebhookConfiguration(config(), { ...own, caPem: newest.caPem, port });
    const bundles = { retiredPem: newest.retiredPem };
    const isOurs = config().webhook.certificates.source === "self";
    this.#registration ??= cluster.register(desired, {
      mode: mode === "caBundle" && !isOurs ? "observe" : mode,
      onWrite: (result) => metrics.registrations.inc({ result }),
      onSeen: (seen) => this.#see(seen),
      now: () => cluster.now(),
    });
    this.#registration.update(desired, bundles);
  }

  #see({ trustees, bundles }: Seen): void {
    const before = this.#served.refusals.join();
    const isNews = this.#sightings.see(bundles);
    this.#served.see(trustees);
    this.#measure();
    const { refusals } = this.#served;
    if (refusals.join() !== before && this.available) {
      const { logger } = this.#options;
      if (refusals.length === 0) logger.info("API servers trust the certificate");
      else logger.warn({ refusals }, "API servers do not trust the certificate");
    }
    if (isNews) this.#looking.wake();
  }

  #use(certificate: ServingCertificate): void {
    const { server, clientAuthority, logger } = this.#options;
    useCertificate(server, certificate, clientAuthority.pem);
    logger.info({ notAfter: certificate.notAfter }, "serving a certificate");
  }

  #reuse(): void {
    const { certificate } = this.#served;
    if (certificate !== undefined) this.#use(certificate);
  }

  #measure(): void {
    const { metrics } = this.#options;
    const { certificate, trusted } = this.#served;
    if (certificate !== undefined) metrics.certificateExpiry.set(certificate.notAfter.getTime() / 1000);
    metrics.certificateTrusted.set(trusted ? 1 : 0);
    metrics.webhookRegistered.set(this.#registration?.registered() === true ? 1 : 0);
  }
}
