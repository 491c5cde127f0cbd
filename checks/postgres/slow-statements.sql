-- description: The ten kinds of statement that took most of the server's time, as rows in the log.
-- endpoints:   none
-- # For those who collect logs: it runs only if DBHEALTH_ENABLE names it.
-- enabled:     no
-- log:         rows
-- every:       60s
-- timeout:     5s
-- metrics:     no
-- server-version: >= 13
-- # Skipped where there is no extension.
-- skip:        missing
-- # None, not even our own: pg_stat_statements.track or compute_query_id says so.
-- warn:        rows == 0
-- # The extension wants shared_preload_libraries = 'pg_stat_statements'. It puts $1 for a constant, but not
-- # in all texts: it keeps CREATE ROLE with its password, and after a reset now and then a SELECT as it was
-- # sent. Of such a text only the first words are shown; slow-statements-raw has the whole of it.
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
       CASE WHEN bare ~* '^(select|insert|update|delete|merge|with|values)\y'
                 AND bare !~ '''|\$[^0-9]' -- no string
            THEN left(regexp_replace(bare, '(?<![\w$."])[0-9]+', '?', 'g'), 1000)
            ELSE substring(bare FROM '^[a-zA-Z]+(?:\s+[a-zA-Z_]+)?') END AS statement
FROM (SELECT *, btrim(regexp_replace(query, '/[*]([^*]|[*]+[^*/])*[*]+/|--[^\n]*', '', 'g'), E' \t\n')
                    AS bare -- of comments
      FROM public.pg_stat_statements
      ORDER BY total_exec_time DESC
      LIMIT 10) AS slowest
ORDER BY total_exec_time DESC
LIMIT 10;
