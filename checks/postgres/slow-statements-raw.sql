-- description: The statements in slow-statements as the server keeps them, as rows in the log.
-- endpoints:   none
-- # With all that stands in them: your users' data at times, and passwords, where somebody has set one. Who
-- # reads the log reads those. It runs only if DBHEALTH_ENABLE names it.
-- enabled:     no
-- log:         rows
-- every:       60s
-- timeout:     5s
-- metrics:     no
-- server-version: >= 13
-- # Skipped where there is no extension.
-- skip:        missing
-- grants:      CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public
-- grants:      GRANT pg_read_all_stats TO $user
SELECT queryid, left(query, 1000) AS statement
FROM public.pg_stat_statements
ORDER BY total_exec_time DESC
LIMIT 10;
