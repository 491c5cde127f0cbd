-- description: This standby streams, and what it shows is at most max_lag_seconds old.
-- endpoints:   replica
-- server-version: >= 12
-- # A primary is not a replica that failed: it is skipped, and /replica answers 503 all the same.
-- skip:        in_recovery == false
-- # Without a receiver that streams, nobody knows what this standby lacks. That goes for one that is
-- # fed from an archive alone, too.
-- fail:        wal_receivers < 1
-- # 30 s is long for a standby that streams, and short of what a reader forgives. Unknown lag (NULL: it
-- # is behind and has replayed no commit since it started) fails.
-- param:       max_lag_seconds = ${MAX_LAG_SECONDS:-30}
-- fail:        lag_seconds > $max_lag_seconds
-- # WAL that is not replayed yet: how much a failover has to catch up on. 16 GiB are more than come in
-- # those 30 s, so that the seconds decide until you say how much is too much.
-- param:       max_lag_bytes = ${MAX_LAG_BYTES:-17179869184}
-- fail:        lag_bytes > $max_lag_bytes
-- # HAProxy's agent checks are told a share of the readers if this is 1: all up to 1 s of lag, half at 2 s,
-- # a tenth at 10 s.
-- param:       weight = ${WEIGHT:-0}
-- # Without the grant it can't be seen what the primary has that has not arrived yet, nor whether a
-- # receiver that has just connected has heard anything.
-- warn:        grants_missing == true
-- metrics:     wal_receivers, lag_seconds, lag_bytes
-- grants:      GRANT pg_read_all_stats TO $user
WITH RECURSIVE
receiver AS MATERIALIZED (
    SELECT latest_end_lsn
    FROM pg_stat_wal_receiver
    WHERE status IS NULL -- hidden
       -- Until the first message both times are that of the start. None within 1 s: there is nothing.
       OR status = 'streaming' AND (last_msg_send_time <> last_msg_receipt_time OR
                                    last_msg_receipt_time < clock_timestamp() - interval '1 s')
),
known AS MATERIALIZED (
    SELECT pg_is_in_recovery() AS in_recovery,
           (SELECT count(*) FROM receiver) AS receivers, -- one at most
           greatest(pg_last_wal_receive_lsn(), (SELECT latest_end_lsn FROM receiver)) AS lsn
),
-- After an idle hour the last commit that was replayed is an hour old, and stays so for the moment
-- that the next one takes from arrival to replay. So it gets 0.1 s to be replayed.
replay (step, lsn) AS (
    SELECT 0, pg_last_wal_replay_lsn()
    UNION ALL
    SELECT step + 1, CASE WHEN pg_sleep(0.02) IS NOT NULL THEN pg_last_wal_replay_lsn() END
    FROM replay, known
    WHERE step < 5 AND replay.lsn < known.lsn AND in_recovery AND receivers > 0
),
replayed AS MATERIALIZED (
    SELECT lsn FROM replay ORDER BY step DESC LIMIT 1
),
lag AS MATERIALIZED (
    SELECT CASE WHEN NOT in_recovery THEN 0
                WHEN receivers = 0 THEN NULL
                WHEN replayed.lsn >= known.lsn THEN 0
                WHEN pg_last_xact_replay_timestamp() > clock_timestamp() THEN 0 -- the clocks differ
                ELSE round(extract(epoch FROM
                    clock_timestamp() - pg_last_xact_replay_timestamp())::numeric, 3)
           END AS seconds,
           CASE WHEN NOT in_recovery OR receivers > 0 AND replayed.lsn >= known.lsn THEN 0
                WHEN receivers > 0 THEN pg_wal_lsn_diff(known.lsn, replayed.lsn)
           END AS bytes
    FROM known CROSS JOIN replayed
)
SELECT in_recovery,
       receivers AS wal_receivers,
       lag.seconds AS lag_seconds,
       lag.bytes AS lag_bytes,
       NOT pg_has_role('pg_read_all_stats', 'USAGE') AS grants_missing,
       CASE WHEN lag.seconds IS NOT NULL
            THEN greatest(round(100 / greatest(lag.seconds, 1)), 1) END AS weight_percent
FROM known CROSS JOIN lag;
