-- description: The statements of the sessions in long-sessions as they were sent, as rows in the log.
-- endpoints:   none
-- server-version: >= 8.0
-- # With all that stands in them: your users' data, and passwords, where somebody sets one. Who reads the
-- # log reads those. It runs only if DBHEALTH_ENABLE names it.
-- enabled:     no
-- log:         rows
-- every:       60s
-- timeout:     5s
-- metrics:     no
-- grants:      GRANT PROCESS ON *.* TO $user
SELECT id, LEFT(info, 1000) AS statement
FROM information_schema.processlist
LEFT JOIN (SELECT trx_mysql_thread_id,
                  TIMESTAMPDIFF(SECOND, CONVERT_TZ(trx_started, 'SYSTEM', @@session.time_zone), NOW())
                      AS open_seconds
           FROM information_schema.innodb_trx) AS trx ON trx_mysql_thread_id = id
WHERE user NOT IN ('system user', 'event_scheduler') AND command NOT LIKE 'Binlog Dump%'
  AND (command <> 'Sleep' AND time > 60 OR open_seconds > 60)
ORDER BY GREATEST(IF(command = 'Sleep', 0, time), COALESCE(open_seconds, 0)) DESC
LIMIT 20;
