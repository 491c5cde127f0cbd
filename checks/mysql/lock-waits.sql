-- description: No session waits long for a lock, and not many do.
-- endpoints:   capacity
-- server-version: >= 8.0
-- prober:      background
-- cache:       10s
-- # Users leave a page after seconds, and clients give up after some 30 s. A row is waited for at most
-- # innodb_lock_wait_timeout, 50 s by default, but a table for up to a day or a year, and all who come later
-- # queue behind: an ALTER TABLE that waits for a report, say. 5 minutes don't pass by themselves.
-- param:       max_lock_wait_seconds = ${MAX_LOCK_WAIT_SECONDS:-300}
-- param:       warn_lock_wait_seconds = ${WARN_LOCK_WAIT_SECONDS:-30}
-- param:       warn_lock_waiters = ${WARN_LOCK_WAITERS:-10}
-- fail:        longest_wait_seconds > $max_lock_wait_seconds
-- warn:        longest_wait_seconds > $warn_lock_wait_seconds
-- warn:        waiting_sessions > $warn_lock_waiters
-- # GET_LOCK(), at which applications queue on purpose, is left out: its state is "User lock". For a
-- # table the statement's whole time counts.
-- grants:      GRANT PROCESS ON *.* TO $user
SELECT COUNT(*) AS waiting_sessions, COALESCE(MAX(seconds), 0) AS longest_wait_seconds
-- InnoDB shows its times in the machine's time zone, whatever the session's is.
FROM (SELECT TIMESTAMPDIFF(SECOND, CONVERT_TZ(trx_wait_started, 'SYSTEM', @@session.time_zone),
                           NOW()) AS seconds
      FROM information_schema.innodb_trx WHERE trx_wait_started IS NOT NULL
      UNION ALL
      SELECT time FROM information_schema.processlist
      WHERE state LIKE 'Waiting for % lock' OR state = 'Waiting for table flush') AS waits;
