-- description: Vacuum keeps transaction ids from running out, on which the server stops taking writes.
-- endpoints:   capacity
-- server-version: >= 12
-- prober:      background
-- cache:       10s
-- # Shares of the 2^31 ids. Autovacuum begins at 0.1 (autovacuum_freeze_max_age): at 0.5 something has
-- # held it back for long. At 0.75 vacuum drops all else (vacuum_failsafe_age); if that does not help,
-- # the rest is days on a busy server.
-- param:       max_wraparound_ratio = ${MAX_WRAPAROUND_RATIO:-0.8}
-- param:       warn_wraparound_ratio = ${WARN_WRAPAROUND_RATIO:-0.5}
-- fail:        transaction_ids_used_ratio > $max_wraparound_ratio
-- fail:        multixact_ids_used_ratio > $max_wraparound_ratio
-- warn:        transaction_ids_used_ratio > $warn_wraparound_ratio
-- warn:        multixact_ids_used_ratio > $warn_wraparound_ratio
SELECT round(max(age(datfrozenxid)) / 2147483648.0, 4) AS transaction_ids_used_ratio,
       round(max(mxid_age(datminmxid)) / 2147483648.0, 4) AS multixact_ids_used_ratio
FROM pg_database;
