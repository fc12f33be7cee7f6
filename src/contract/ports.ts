/** Ports, each documented once. */

/** PostgreSQL, unless `patroni-injector.io/postgres-port` says otherwise. */
export const POSTGRES_PORT = 5432;

/** Patroni's REST API, unless `patroni-injector.io/patroni-port` says otherwise. */
export const PATRONI_PORT = 8008;

/** The sidecar's own listener (health, metrics), unless the configuration says otherwise. */
export const SIDECAR_PORT = 8011;

/** The sidecar's reload API, with TLS. */
export const RELOAD_PORT = 8012;

/** PgBouncer, and its console, unless `patroni-injector.io/reload-pgbouncer-port` says otherwise. */
export const PGBOUNCER_PORT = 6432;

/** The webhook's HTTPS port: reachable on private GKE clusters without a firewall rule of its own. */
export const WEBHOOK_PORT = 10250;

/** Health and metrics of `serve`, plain HTTP. */
export const OPERATIONS_PORT = 8080;
