-- description: Sessions whose statement or transaction takes more than a minute, as rows in the log.
-- endpoints:   none
-- # For those who collect logs, since statements may have data in them: it runs only if DBHEALTH_ENABLE
-- # names it.
-- enabled:     no
-- log:         rows
-- every:       60s
-- timeout:     5s
-- metrics:     no
-- # InnoDB shows its times in the machine's time zone, whatever the session's is.
-- grants:      GRANT PROCESS ON *.* TO $user
SELECT id,
       user AS user_name,
       db AS database_name,
       SUBSTRING_INDEX(host, ':', 1) AS client,
       command,
       state,
       open_seconds AS transaction_seconds,
       time AS state_seconds,
       LEFT(info, 1000) AS statement
FROM information_schema.processlist
LEFT JOIN (SELECT trx_mysql_thread_id,
                  TIMESTAMPDIFF(SECOND, CONVERT_TZ(trx_started, 'SYSTEM', @@session.time_zone), NOW())
                      AS open_seconds
           FROM information_schema.innodb_trx) AS trx ON trx_mysql_thread_id = id
WHERE user NOT IN ('system user', 'event_scheduler') AND command NOT LIKE 'Binlog Dump%'
  AND (command <> 'Sleep' AND time > 60 OR open_seconds > 60)
ORDER BY GREATEST(IF(command = 'Sleep', 0, time), COALESCE(open_seconds, 0)) DESC
LIMIT 20;
