import fc from "fast-check";

/** RFC 1123 labels, short and as long as may be. */
export const dnsLabel: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[0-9][a-z0-9-]{0,61}[a-z]$/) },
  { weight: 1, arbitrary: fc.constant("l".repeat(63)) },
);

/** Names of pods: most are labels, but dots and great lengths are allowed too. */
export const podName: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.stringMatching(/^[a-z]{1,6}-[0-9]$/) },
  { weight: 1, arbitrary: fc.tuple(dnsLabel, dnsLabel).map(([one, other]) => `${one}.${other}`) },
  { weight: 1, arbitrary: fc.constant("n".repeat(200)) },
);

/** Scopes as Patroni takes them: what etcd allows, and what a label's value allows. */
export const scope: fc.Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom("pg", "acid-main", "hippo-ha", "My_Cluster.1") },
  { weight: 1, arbitrary: fc.stringMatching(/^[A-Za-z0-9]([-._A-Za-z0-9]{0,200}[A-Za-z0-9])?$/) },
  { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 90, unit: "grapheme" }) },
);

/** Names that a Service or a subdomain of the pods below may have: few, so that they meet. */
export const serviceName: fc.Arbitrary<string> = fc.constantFrom(
  "pg",
  "pg-headless",
  "pods",
  "acid-main",
  "mine",
);
