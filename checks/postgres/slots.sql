-- description: No replication slot holds back much WAL, and none is lost.
-- endpoints:   capacity
-- server-version: >= 12
-- prober:      background
-- cache:       10s
-- # A slot keeps WAL for a consumer that is away, without limit by default, until the disk is full. The
-- # default of max_wal_size is 1 GB: twice that is more than a restart of a consumer needs.
-- param:       max_retained_bytes = ${MAX_RETAINED_BYTES:-10737418240}
-- param:       warn_retained_bytes = ${WARN_RETAINED_BYTES:-2147483648}
-- fail:        retained_bytes > $max_retained_bytes
-- # Its WAL has gone: whoever used the slot must be set up anew, and the slot be dropped.
-- fail:        lost_slots > 0
-- # Beyond max_slot_wal_keep_size: lost at the next checkpoint.
-- warn:        unreserved_slots > 0
-- # Nobody reads. Not so on a standby, where slots stand by for a failover.
-- warn:        inactive_slots > 0
-- warn:        retained_bytes > $warn_retained_bytes
SELECT count(*) AS slots,
       count(*) FILTER (WHERE NOT active AND NOT pg_is_in_recovery()) AS inactive_slots,
       count(*) FILTER (WHERE status = 'unreserved') AS unreserved_slots,
       count(*) FILTER (WHERE status = 'lost') AS lost_slots,
       coalesce(max(greatest(pg_wal_lsn_diff(present, restart_lsn), 0)), 0) AS retained_bytes
FROM (SELECT active,
             restart_lsn,
             to_jsonb(slot) ->> 'wal_status' AS status, -- 13 and newer
             CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                  ELSE pg_current_wal_lsn() END AS present
      FROM pg_replication_slots AS slot) AS seen;
