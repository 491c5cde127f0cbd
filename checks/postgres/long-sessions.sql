-- description: Sessions whose transaction is open for more than a minute, as rows in the log.
-- endpoints:   none
-- server-version: >= 12
-- # For those who collect logs: it runs only if DBHEALTH_ENABLE names it. What stands in a statement, data
-- # or a password, is not shown: its first words must do, and the id under which pg_stat_statements has it.
-- # The texts themselves are for long-sessions-raw.
-- enabled:     no
-- log:         rows
-- every:       60s
-- metrics:     no
-- grants:      GRANT pg_read_all_stats TO $user
SELECT pid,
       usename AS user_name,
       datname AS database_name,
       application_name,
       host(client_addr) AS client,
       state,
       wait_event_type || ' ' || wait_event AS waits_for,
       round(extract(epoch FROM clock_timestamp() - xact_start)::numeric, 3) AS transaction_seconds,
       round(extract(epoch FROM clock_timestamp() - state_change)::numeric, 3) AS state_seconds,
       to_jsonb(session) ->> 'query_id' AS query_id, -- 14 and newer
       substring(regexp_replace(query, '^(\s|/[*]([^*]|[*]+[^*/])*[*]+/|--[^\n]*\n)+', '')
                 FROM '^[a-zA-Z]+(?:\s+[a-zA-Z_]+)?') AS statement
FROM pg_stat_activity AS session
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
  AND xact_start < clock_timestamp() - interval '60 s'
ORDER BY xact_start
LIMIT 20;
