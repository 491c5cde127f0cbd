-- description: The ten kinds of statement that took most of the server's time, as rows in the log.
-- endpoints:   none
-- server-version: >= 8.0
-- # For those who collect logs: it runs only if DBHEALTH_ENABLE names it.
-- enabled:     no
-- log:         rows
-- every:       60s
-- timeout:     5s
-- metrics:     no
-- # Skipped where the server was built without its tables.
-- skip:        missing
-- # None, not even our own, means performance_schema = OFF, MariaDB's default.
-- warn:        rows == 0
-- # Constants are not in the texts.
-- grants:      GRANT SELECT ON performance_schema.events_statements_summary_by_digest TO $user
SELECT schema_name AS database_name,
       digest,
       count_star AS calls,
       sum_rows_sent AS rows_sent,
       sum_rows_examined AS rows_examined,
       sum_no_index_used AS calls_without_index,
       sum_errors AS errors,
       ROUND(sum_timer_wait / 1e12, 3) AS total_seconds, -- from picoseconds
       ROUND(avg_timer_wait / 1e12, 6) AS mean_seconds,
       ROUND(max_timer_wait / 1e12, 6) AS max_seconds,
       ROUND(sum_lock_time / 1e12, 3) AS lock_seconds,
       LEFT(digest_text, 1000) AS statement
FROM performance_schema.events_statements_summary_by_digest
ORDER BY sum_timer_wait DESC
LIMIT 10;
