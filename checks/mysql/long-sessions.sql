-- description: Sessions whose statement or transaction takes more than a minute, as rows in the log.
-- endpoints:   none
-- # For those who collect logs, since statements may have data in them: it runs only if DBHEALTH_ENABLE
-- # names it.
-- enabled:     no
-- log:         rows
-- every:       60s
-- timeout:     5s
-- metrics:     no
-- grants:      GRANT PROCESS ON *.* TO $user
SELECT id,
       user AS user_name,
       db AS database_name,
       SUBSTRING_INDEX(host, ':', 1) AS client,
       command,
       state,
       TIMESTAMPDIFF(SECOND, trx_started, NOW()) AS transaction_seconds,
       time AS state_seconds,
       LEFT(info, 1000) AS statement
FROM information_schema.processlist
LEFT JOIN information_schema.innodb_trx ON trx_mysql_thread_id = id
WHERE user NOT IN ('system user', 'event_scheduler') AND command NOT LIKE 'Binlog Dump%'
  AND (command <> 'Sleep' AND time > 60 OR trx_started < NOW() - INTERVAL 60 SECOND)
ORDER BY GREATEST(IF(command = 'Sleep', 0, time),
                  COALESCE(TIMESTAMPDIFF(SECOND, trx_started, NOW()), 0)) DESC
LIMIT 20;
