-- description: Readers may come: this server is the primary, or a standby that is at most max_lag_seconds old.
-- endpoints:   read-only
-- server-version: >= 12
-- # As for the check replica, whose statement this is. A primary has no lag. One of a standby is unknown,
-- # NULL, while no receiver streams, and unknown lag fails.
-- param:       max_lag_seconds = ${MAX_LAG_SECONDS:-30}
-- param:       max_lag_bytes = ${MAX_LAG_BYTES:-17179869184}
-- param:       weight = ${WEIGHT:-0}
-- fail:        lag_seconds > $max_lag_seconds
-- fail:        lag_bytes > $max_lag_bytes
-- warn:        grants_missing == true
-- metrics:     no
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
