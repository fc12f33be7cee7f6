import { ephemeralSource } from "../certificates/ephemeral.ts";
import { FileSource } from "../certificates/files.ts";
import { SelfSource } from "../certificates/self.ts";
import type { Sightings } from "../certificates/sightings.ts";
import type { CertificateSource, ServingCertificate } from "../certificates/source.ts";
import type { Own } from "../config/injection-settings.ts";
import type { Config } from "../config/schema.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { servingNames } from "../webhook/serving-names.ts";
import type { Cluster } from "./cluster.ts";
import { keptIn, secretNames } from "./kept.ts";

export interface SourceOptions {
  readonly config: Config;
  readonly own: Own;
  readonly cluster: Cluster;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly sightings: Sightings;
  onCertificate(certificate: ServingCertificate): void;
}

/** As configured. Where nobody is told whom to trust, nothing is kept either: `self` then means for this process alone. */
export function certificateSource(options: SourceOptions): CertificateSource {
  const { config, own, cluster, logger, metrics, sightings, onCertificate } = options;
  const { certificates, registration } = config.webhook;
  if (certificates.source !== "self") {
    const onLoad = (result: "success" | "failure") => metrics.certificateLoads.inc({ result });
    return new FileSource({ directory: certificates.directory, logger, onLoad, onCertificate });
  }
  const names = servingNames(config, own);
  const store = registration.mode === "none" ? undefined : cluster.secrets(keptIn(config, own));
  if (store === undefined) return ephemeralSource({ ...names, logger, onCertificate });
  return new SelfSource({
    names,
    secrets: secretNames(config),
    store,
    now: () => cluster.now(),
    logger,
    onMade: (made) => metrics.certificateSteps.inc({ made }),
    sightings,
    onCertificate,
  });
}
