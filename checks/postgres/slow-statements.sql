-- description: The ten kinds of statement that took most of the server's time, as rows in the log.
-- endpoints:   none
-- # For those who collect logs: it runs only if DBHEALTH_ENABLE names it.
-- enabled:     no
-- log:         rows
-- every:       60s
-- timeout:     5s
-- metrics:     no
-- server-version: >= 13
-- # The extension wants shared_preload_libraries = 'pg_stat_statements'. Constants are not in its texts.
-- grants:      CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA public
-- grants:      GRANT pg_read_all_stats TO $user
SELECT userid::regrole::text AS user_name,
       (SELECT datname FROM pg_database WHERE oid = dbid) AS database_name,
       queryid,
       calls,
       rows AS row_count,
       round((total_exec_time / 1000)::numeric, 3) AS total_seconds,
       round((mean_exec_time / 1000)::numeric, 6) AS mean_seconds,
       round((max_exec_time / 1000)::numeric, 6) AS max_seconds,
       left(query, 1000) AS statement
FROM public.pg_stat_statements
ORDER BY total_exec_time DESC
LIMIT 10;
