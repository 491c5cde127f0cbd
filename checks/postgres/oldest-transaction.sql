-- description: No transaction is open for so long that it keeps vacuum from its work.
-- endpoints:   capacity
-- server-version: >= 12
-- prober:      background
-- cache:       10s
-- # What a transaction that is open may still see, vacuum must keep, in all tables. An hour is a long
-- # report; six are a dump of a large database, or a mistake. VACUUM itself holds nothing back.
-- param:       max_transaction_seconds = ${MAX_TRANSACTION_SECONDS:-21600}
-- param:       warn_transaction_seconds = ${WARN_TRANSACTION_SECONDS:-3600}
-- # Nobody works in these: the client has forgotten its COMMIT, or the transaction manager its second
-- # phase. Their locks stay until someone ends them.
-- param:       max_idle_transaction_seconds = ${MAX_IDLE_TRANSACTION_SECONDS:-3600}
-- param:       warn_idle_transaction_seconds = ${WARN_IDLE_TRANSACTION_SECONDS:-300}
-- fail:        grants_missing == true
-- fail:        oldest_transaction_seconds > $max_transaction_seconds
-- fail:        longest_idle_transaction_seconds > $max_idle_transaction_seconds
-- fail:        oldest_prepared_transaction_seconds > $max_idle_transaction_seconds
-- warn:        oldest_transaction_seconds > $warn_transaction_seconds
-- warn:        longest_idle_transaction_seconds > $warn_idle_transaction_seconds
-- warn:        oldest_prepared_transaction_seconds > $warn_idle_transaction_seconds
-- # Sessions with track_activities off don't show since when they are at it: nobody knows.
-- fail:        hidden_sessions > 0
-- # Half of autovacuum_freeze_max_age: whatever holds vacuum back, a slot or a standby's feedback
-- # included, soon keeps it from freezing old rows.
-- param:       warn_held_back_transactions = ${WARN_HELD_BACK_TRANSACTIONS:-100000000}
-- warn:        held_back_transactions > $warn_held_back_transactions
-- metrics:     oldest_transaction_seconds, longest_idle_transaction_seconds, oldest_prepared_transaction_seconds, held_back_transactions
-- grants:      GRANT pg_read_all_stats TO $user
WITH activity AS MATERIALIZED (
    SELECT backend_type = 'client backend' AND pid <> pg_backend_pid() AND NOT EXISTS
               (SELECT FROM pg_stat_progress_vacuum AS vacuum WHERE vacuum.pid = session.pid)
               AS counts,
           clock_timestamp() - xact_start AS open_for,
           CASE WHEN state LIKE 'idle in transaction%'
                THEN clock_timestamp() - state_change END AS idle_for,
           state = 'disabled' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
               AS hidden,
           backend_xmin
    FROM pg_stat_activity AS session
), prepared AS MATERIALIZED (
    SELECT max(clock_timestamp() - prepared) AS oldest, max(age(transaction)) AS xid_age
    FROM pg_prepared_xacts
)
SELECT coalesce(round(extract(epoch FROM max(open_for) FILTER (WHERE counts))::numeric, 3), 0)
           AS oldest_transaction_seconds,
       coalesce(round(extract(epoch FROM max(idle_for) FILTER (WHERE counts))::numeric, 3), 0)
           AS longest_idle_transaction_seconds,
       coalesce(round(extract(epoch FROM (SELECT oldest FROM prepared))::numeric, 3), 0)
           AS oldest_prepared_transaction_seconds,
       greatest(max(age(backend_xmin)), (SELECT xid_age FROM prepared),
                (SELECT max(age(xmin)) FROM pg_replication_slots), 0) AS held_back_transactions,
       count(*) FILTER (WHERE hidden) AS hidden_sessions,
       NOT pg_has_role('pg_read_all_stats', 'USAGE') AS grants_missing
FROM activity;
