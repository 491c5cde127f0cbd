-- description: The standbys of this server are there and follow closely.
-- endpoints:   capacity
-- server-version: >= 12
-- prober:      background
-- cache:       10s
-- # On a standby this is the primary's affair.
-- skip:        in_recovery == true
-- fail:        grants_missing == true
-- # How many there should be, nobody but you knows.
-- param:       min_standbys = ${MIN_STANDBYS:-0}
-- fail:        standbys < $min_standbys
-- # Fewer than synchronous_standby_names wants: every commit hangs until they are back.
-- fail:        missing_synchronous_standbys > 0
-- # What a failover would lose, and a reader of the standby not see. Above 30 s /replica fails there;
-- # 5 minutes don't pass by themselves.
-- param:       max_standby_lag_seconds = ${MAX_STANDBY_LAG_SECONDS:-300}
-- param:       warn_standby_lag_seconds = ${WARN_STANDBY_LAG_SECONDS:-30}
-- fail:        largest_lag_seconds > $max_standby_lag_seconds
-- warn:        largest_lag_seconds > $warn_standby_lag_seconds
-- metrics:     standbys, largest_lag_seconds, largest_lag_bytes, missing_synchronous_standbys
-- grants:      GRANT pg_read_all_stats TO $user
WITH standby AS MATERIALIZED ( -- neither a subscriber nor a backup
    SELECT state, sync_state, replay_lag, replay_lsn
    FROM pg_stat_replication
    WHERE replay_lsn IS NOT NULL AND pid NOT IN (
        SELECT active_pid FROM pg_replication_slots
        WHERE slot_type = 'logical' AND active_pid IS NOT NULL)
), wanted AS MATERIALIZED (
    -- FIRST 2 (a, b, c), ANY 1 (a, b), 2 (a, b), or names alone, of which one is waited for.
    SELECT CASE WHEN names = '' THEN 0
                ELSE coalesce(substring(names FROM '(?i)^\s*(?:first|any)?\s*(\d+)\s*\(')::int, 1)
           END AS number
    FROM current_setting('synchronous_standby_names') AS names
), present AS MATERIALIZED (
    SELECT pg_is_in_recovery() AS in_recovery,
           CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() END AS lsn
)
SELECT in_recovery,
       count(state) AS standbys,
       coalesce(round(extract(epoch FROM max(replay_lag))::numeric, 3), 0) AS largest_lag_seconds,
       coalesce(max(greatest(pg_wal_lsn_diff(lsn, replay_lsn), 0)), 0) AS largest_lag_bytes,
       greatest((SELECT number FROM wanted) - count(*) FILTER
           (WHERE state = 'streaming' AND sync_state IN ('sync', 'quorum')), 0)
           AS missing_synchronous_standbys,
       NOT pg_has_role('pg_read_all_stats', 'USAGE') AS grants_missing
FROM present LEFT JOIN standby ON true
GROUP BY in_recovery;
