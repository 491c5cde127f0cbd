-- description: No transaction is open for so long that it keeps purge from its work.
-- endpoints:   capacity
-- server-version: >= 8.0
-- prober:      background
-- cache:       10s
-- # What a transaction that is open may still see, InnoDB must keep, of all tables. An hour is a long
-- # report; six are a dump of a large database, or a mistake.
-- param:       max_transaction_seconds = ${MAX_TRANSACTION_SECONDS:-21600}
-- param:       warn_transaction_seconds = ${WARN_TRANSACTION_SECONDS:-3600}
-- # Nobody works in these: the client has forgotten its COMMIT, or the transaction manager the second
-- # phase of an XA transaction, which has no session. Their locks stay until someone ends them.
-- param:       max_idle_transaction_seconds = ${MAX_IDLE_TRANSACTION_SECONDS:-3600}
-- param:       warn_idle_transaction_seconds = ${WARN_IDLE_TRANSACTION_SECONDS:-300}
-- fail:        oldest_transaction_seconds > $max_transaction_seconds
-- fail:        longest_idle_transaction_seconds > $max_idle_transaction_seconds
-- warn:        oldest_transaction_seconds > $warn_transaction_seconds
-- warn:        longest_idle_transaction_seconds > $warn_idle_transaction_seconds
-- grants:      GRANT PROCESS ON *.* TO $user
SELECT COALESCE(MAX(open_seconds), 0) AS oldest_transaction_seconds,
       COALESCE(MAX(CASE WHEN trx_mysql_thread_id = 0 THEN open_seconds
                         WHEN command = 'Sleep' THEN time END), 0) AS longest_idle_transaction_seconds
-- InnoDB shows its times in the machine's time zone, whatever the session's is.
FROM (SELECT TIMESTAMPDIFF(SECOND, CONVERT_TZ(trx_started, 'SYSTEM', @@session.time_zone), NOW())
                 AS open_seconds,
             trx_mysql_thread_id
      FROM information_schema.innodb_trx) AS transactions
LEFT JOIN information_schema.processlist ON id = trx_mysql_thread_id;
