/** A certificate to serve with, and whom a client must trust to accept it. All PEM. */
export interface ServingCertificate {
  /** The leaf, followed by any intermediates. */
  readonly certPem: string;
  readonly keyPem: string;
  /** The authorities, one or several, that belong into every `caBundle`; empty where somebody else looks after it. */
  readonly caPem: string;
  /** Authorities that were ours and must leave every `caBundle`. */
  readonly retiredPem?: string;
  /** When the leaf ends to be valid. */
  readonly notAfter: Date;
}

/** Where serving certificates come from: authorities of our own, or files that somebody else looks after. */
export interface CertificateSource {
  /**
   * Looks once whether there is another certificate, or other authorities, and hands them over; a source of our own also
   * makes what is due. Never called twice at a time. Rejects where it could not look: all stays as it was.
   */
  look(): Promise<void>;
  /** Nothing is handed over any more. */
  stop(): void;
}
