/** A certificate to serve with, and whom a client must trust to accept it. All PEM. */
export interface ServingCertificate {
  /** The leaf, followed by any intermediates. */
  readonly certPem: string;
  readonly keyPem: string;
  /** The authorities, one or several: what goes into every `caBundle`. */
  readonly caPem: string;
  /** When the leaf ends to be valid. */
  readonly notAfter: Date;
}

/**
 * Where serving certificates come from. A source may replace its certificate at any time while it runs; it announces the
 * new one before the old one ends to be accepted, so that a server which always serves the newest is always trusted.
 */
export interface CertificateSource {
  /** Resolves with the first certificate. Called once. Rejects where none can be had. */
  start(): Promise<ServingCertificate>;
  /** Calls back with every certificate after the first. */
  onChange(listener: (certificate: ServingCertificate) => void): void;
  /** Ends the source: no listener is called any more. */
  stop(): Promise<void>;
}
