-- description: No session waits long for a lock, and not many do.
-- endpoints:   capacity
-- server-version: >= 12
-- prober:      background
-- cache:       10s
-- # Users leave a page after seconds, and clients give up after some 30 s. A wait of 5 minutes does not
-- # end by itself. Many who wait are often behind one: an ALTER TABLE that waits for a report, say.
-- # Waits for advisory locks are left out, for applications queue at them on purpose.
-- param:       max_lock_wait_seconds = ${MAX_LOCK_WAIT_SECONDS:-300}
-- param:       warn_lock_wait_seconds = ${WARN_LOCK_WAIT_SECONDS:-30}
-- param:       warn_lock_waiters = ${WARN_LOCK_WAITERS:-10}
-- fail:        grants_missing == true
-- fail:        longest_wait_seconds > $max_lock_wait_seconds
-- # Before 14, sessions with track_activities off don't show that they wait: nobody knows.
-- fail:        hidden_sessions > 0
-- warn:        longest_wait_seconds > $warn_lock_wait_seconds
-- warn:        waiting_sessions > $warn_lock_waiters
-- metrics:     waiting_sessions, longest_wait_seconds
-- grants:      GRANT pg_read_all_stats TO $user
WITH waiting AS MATERIALIZED (
    SELECT pid, query_start
    FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND wait_event <> 'advisory' AND backend_type = 'client backend'
)
SELECT count(*) AS waiting_sessions,
       -- pg_locks is read only if someone waits, for that holds up the lock manager. Before 14 it
       -- has no waitstart, and the statement's whole time counts.
       CASE WHEN count(*) = 0 THEN 0
            ELSE (SELECT coalesce(round(max(extract(epoch FROM clock_timestamp() - CASE
                             WHEN to_jsonb(lock) ? 'waitstart'
                             THEN coalesce((to_jsonb(lock) ->> 'waitstart')::timestamptz,
                                           clock_timestamp())
                             ELSE query_start END))::numeric, 3), 0)
                  FROM waiting JOIN pg_locks AS lock USING (pid)
                  WHERE NOT granted)
       END AS longest_wait_seconds,
       (SELECT count(*) FROM pg_stat_activity
        WHERE state = 'disabled' AND backend_type = 'client backend' AND pid <> pg_backend_pid()
          AND current_setting('server_version_num')::int < 140000) AS hidden_sessions,
       NOT pg_has_role('pg_read_all_stats', 'USAGE') AS grants_missing
FROM waiting;
