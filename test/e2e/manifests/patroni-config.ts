/** What differs between the clusters of the suite. */
export interface PatroniSettings {
  /** A commit waits for a standby. */
  readonly synchronous: boolean;
  /** Seconds that the leader lock lives without a renewal. At least 20; the HA loop and its retries follow from it. */
  readonly ttlSeconds: number;
}

/**
 * The entrypoint that users have in their image: it writes Patroni's file, with the pod's address as both connect addresses, and
 * becomes Patroni.
 */
export function entrypoint({ synchronous, ttlSeconds }: PatroniSettings): string {
  // Patroni asks for loop_wait + 2 * retry_timeout <= ttl.
  const waitSeconds = Math.floor(ttlSeconds / 3);
  return `set -eu
umask 077
cat > /tmp/patroni.yml <<END
bootstrap:
  dcs:
    ttl: ${ttlSeconds}
    loop_wait: ${waitSeconds}
    retry_timeout: ${waitSeconds}
    maximum_lag_on_failover: 1048576
    synchronous_mode: ${synchronous}
    postgresql:
      use_pg_rewind: true
      parameters:
        log_line_prefix: '%m [%p] '
        max_connections: 50
        shared_buffers: 32MB
      pg_hba:
      - local all all trust
      - host all all 0.0.0.0/0 scram-sha-256
      - host replication standby 0.0.0.0/0 scram-sha-256
  initdb:
  - auth-host: scram-sha-256
  - auth-local: trust
  - encoding: UTF8
  - data-checksums
restapi:
  listen: 0.0.0.0:8008
  connect_address: \${PATRONI_KUBERNETES_POD_IP}:8008
postgresql:
  listen: 0.0.0.0:5432
  connect_address: \${PATRONI_KUBERNETES_POD_IP}:5432
  data_dir: /home/postgres/data/pgroot
  pgpass: /tmp/pgpass
END
exec patroni /tmp/patroni.yml
`;
}
