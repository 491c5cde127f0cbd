-- description: WAL gets into the archive.
-- endpoints:   capacity
-- server-version: >= 12
-- prober:      background
-- cache:       10s
-- # Off, or on a standby that leaves archiving to its primary.
-- skip:        archives == false
-- # While the latest attempt failed, backups can't be brought up to now, and WAL fills the disk.
-- fail:        failing == true
-- # It works, but is slower than the server writes: 64 segments behind, as a rule.
-- param:       warn_unarchived_bytes = ${WARN_UNARCHIVED_BYTES:-1073741824}
-- warn:        unarchived_bytes > $warn_unarchived_bytes
-- metrics:     unarchived_bytes, last_success_age_seconds
SELECT current_setting('archive_mode') = 'always'
           OR current_setting('archive_mode') = 'on' AND NOT pg_is_in_recovery() AS archives,
       last_failed_time IS NOT NULL
           AND last_failed_time > coalesce(last_archived_time, '-infinity') AS failing,
       -- Between the end of the last segment in the archive, whose name is three times 8 digits
       -- (timeline, upper and lower part of its position), and the present. Unknown is 0: nothing
       -- was archived yet, or a file with another kind of name came last.
       greatest(0, coalesce(
           CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END
           - '0/0' - ('x' || substr(segment, 9, 8))::bit(32)::bigint * 4294967296
           - (('x' || substr(segment, 17, 8))::bit(32)::bigint + 1)
               * pg_size_bytes(current_setting('wal_segment_size')), 0)) AS unarchived_bytes,
       round(extract(epoch FROM clock_timestamp() - last_archived_time)::numeric, 3)
           AS last_success_age_seconds
FROM (SELECT *, substring(last_archived_wal FROM '^[0-9A-F]{24}') AS segment
      FROM pg_stat_archiver) AS archiver;
