-- description: Sessions whose statement or transaction takes more than a minute, as rows in the log.
-- endpoints:   none
-- server-version: >= 8.0
-- # For those who collect logs: it runs only if DBHEALTH_ENABLE names it. What stands in a statement, data
-- # or a password, is not shown: performance_schema has its digest, and the text without constants, where
-- # it is on; else its first words must do. The texts themselves are for long-sessions-raw.
-- enabled:     no
-- log:         rows
-- every:       60s
-- timeout:     5s
-- metrics:     no
-- grants:      GRANT PROCESS ON *.* TO $user
-- grants:      GRANT SELECT ON performance_schema.threads TO $user
-- grants:      GRANT SELECT ON performance_schema.events_statements_current TO $user
-- # InnoDB shows its times in the machine's time zone, whatever the session's is.
SELECT id,
       user AS user_name,
       db AS database_name,
       SUBSTRING_INDEX(host, ':', 1) AS client,
       command,
       state,
       open_seconds AS transaction_seconds,
       time AS state_seconds,
       digest,
       COALESCE(digest_text, REGEXP_SUBSTR(REGEXP_REPLACE(
           LEFT(info, 500), '^([[:space:]]|/[*]([^*]|[*]+[^*/])*[*]+/|--[^\n]*\n)+', ''),
           '^[a-zA-Z]+([[:space:]]+[a-zA-Z_]+)?')) AS statement
FROM information_schema.processlist
LEFT JOIN (SELECT trx_mysql_thread_id,
                  TIMESTAMPDIFF(SECOND, CONVERT_TZ(trx_started, 'SYSTEM', @@session.time_zone), NOW())
                      AS open_seconds
           FROM information_schema.innodb_trx) AS trx ON trx_mysql_thread_id = id
LEFT JOIN (SELECT processlist_id, digest, digest_text
           FROM performance_schema.threads
           JOIN performance_schema.events_statements_current USING (thread_id)
           WHERE nesting_event_level = 0) AS latest ON processlist_id = id
WHERE user NOT IN ('system user', 'event_scheduler') AND command NOT LIKE 'Binlog Dump%'
  AND (command <> 'Sleep' AND time > 60 OR open_seconds > 60)
ORDER BY GREATEST(IF(command = 'Sleep', 0, time), COALESCE(open_seconds, 0)) DESC
LIMIT 20;
