-- description: The statements of the sessions in long-sessions as they were sent, as rows in the log.
-- endpoints:   none
-- server-version: >= 12
-- # With all that stands in them: your users' data, and passwords, where somebody sets one. Who reads the
-- # log reads those. It runs only if DBHEALTH_ENABLE names it.
-- enabled:     no
-- log:         rows
-- every:       60s
-- metrics:     no
-- grants:      GRANT pg_read_all_stats TO $user
SELECT pid, left(query, 1000) AS statement
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
  AND xact_start < clock_timestamp() - interval '60 s'
ORDER BY xact_start
LIMIT 20;
