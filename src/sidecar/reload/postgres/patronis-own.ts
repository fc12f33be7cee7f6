/**
 * What Patroni does with parameters that it keeps to itself (its config.py: CMDLINE_OPTIONS, get_server_parameters, recovery_parameters;
 * alike in 3.x and 4.x). Names are in lower case.
 */

/**
 * Whatever the DCS says, Patroni may write another value of these, or none, and nothing is wrong: they follow from the member, from its
 * role, from synchronous mode, from PostgreSQL's version or from Citus.
 */
export const DECIDED_BY_PATRONI: ReadonlySet<string> = new Set([
  "listen_addresses",
  "port",
  "cluster_name",
  "hot_standby",
  "wal_level",
  "wal_log_hints",
  "wal_keep_segments",
  "wal_keep_size",
  "max_prepared_transactions",
  "synchronous_standby_names",
  // Written by a member that recovers, and where PostgreSQL is older than 12 into a file of their own.
  "archive_cleanup_command",
  "pause_at_recovery_target",
  "primary_conninfo",
  "primary_slot_name",
  "promote_trigger_file",
  "recovery_end_command",
  "recovery_min_apply_delay",
  "recovery_target",
  "recovery_target_action",
  "recovery_target_inclusive",
  "recovery_target_lsn",
  "recovery_target_name",
  "recovery_target_time",
  "recovery_target_timeline",
  "recovery_target_xid",
  "restore_command",
  "standby_mode",
  "trigger_file",
]);

/** Only the DCS may set these, so that another value in the file is Patroni's answer to one that it does not take. */
export const SET_BY_DCS_ALONE: ReadonlySet<string> = new Set([
  "max_connections",
  "max_wal_senders",
  "max_locks_per_transaction",
  "max_replication_slots",
  "max_worker_processes",
  "track_commit_timestamp",
]);

/** Parameters that PostgreSQL once had, and its major version without them: a configuration may carry them through upgrades. */
export const GONE_SINCE: Readonly<Record<string, number>> = {
  sql_inheritance: 10,
  min_parallel_relation_size: 10,
  replacement_sort_tuples: 11,
  default_with_oids: 12,
  operator_precedence_warning: 14,
  vacuum_cleanup_index_scale_factor: 14,
  stats_temp_directory: 15,
  force_parallel_mode: 16,
  vacuum_defer_cleanup_age: 16,
  db_user_namespace: 17,
  logical_replication_mode: 17,
  old_snapshot_threshold: 17,
  trace_recovery_messages: 17,
  ssl_ecdh_curve: 18,
};
