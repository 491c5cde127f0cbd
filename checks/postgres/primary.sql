-- description: This server believes that it is the primary, and takes writes.
-- endpoints:   primary
-- server-version: >= 12
-- # A standby is not a primary that failed: it is skipped, and /primary answers 503 all the same.
-- skip:        in_recovery == true
-- # A primary that is read-only by default refuses the writes that it would be sent: operators and
-- # providers set that when a disk is full. What is set for the probe user or by its connection alone
-- # says nothing about others, and does not count.
-- fail:        read_only_by_default == true
-- metrics:     no
SELECT pg_is_in_recovery() AS in_recovery,
       EXISTS (SELECT FROM pg_settings
               WHERE name = 'default_transaction_read_only' AND setting = 'on'
                 AND source NOT IN ('user', 'database user', 'client', 'session')
              ) AS read_only_by_default;
