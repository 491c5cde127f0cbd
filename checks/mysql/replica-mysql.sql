-- description: This replica receives and applies what its sources commit, at most max_lag_seconds late.
-- endpoints:   replica
-- flavor:      mysql
-- server-version: >= 8.0
-- # A server that has no source is no replica that failed: it is skipped, and /replica answers 503. A
-- # promoted one forgets its old source by RESET REPLICA ALL; before that it is a replica that failed.
-- skip:        channels == 0
-- # The worst of all channels. CONNECTING is not ON: nobody knows what the source has meanwhile. A source
-- # that freezes is noticed after replica_net_timeout, 60 s by default.
-- fail:        receiver != 'ON'
-- fail:        applier != 'ON'
-- # A group's secondary that has lost the others, or is still recovering, has its channel ON all the same.
-- fail:        outside_group == 1
-- # 30 s is far above what replicas that are well need, and far below what their readers forgive.
-- param:       max_lag_seconds = ${MAX_LAG_SECONDS:-30}
-- fail:        lag_seconds > $max_lag_seconds
-- # HAProxy's agent checks are told a share of the readers if this is 1: all up to 1 s of lag, half at 2 s,
-- # a tenth at 10 s.
-- param:       weight = ${WEIGHT:-0}
-- # A write here would make it differ from its source. super_read_only keeps administrators out as well.
-- warn:        read_only == 0
-- metrics:     lag_seconds
-- grants:      GRANT /*M! USAGE ON *.* */ /*!80000 SELECT ON performance_schema.replication_connection_status */ TO $user
-- grants:      GRANT /*M! USAGE ON *.* */ /*!80000 SELECT ON performance_schema.replication_applier_configuration */ TO $user
-- grants:      GRANT /*M! USAGE ON *.* */ /*!80000 SELECT ON performance_schema.replication_applier_status */ TO $user
-- grants:      GRANT /*M! USAGE ON *.* */ /*!80000 SELECT ON performance_schema.replication_applier_status_by_coordinator */ TO $user
-- grants:      GRANT /*M! USAGE ON *.* */ /*!80000 SELECT ON performance_schema.replication_applier_status_by_worker */ TO $user
-- grants:      GRANT /*M! USAGE ON *.* */ /*!80000 SELECT ON performance_schema.replication_group_members */ TO $user
-- # These tables are filled with performance_schema = OFF too, but for the two END_ columns.
-- # A group's primary has its applier's channel as well, and is no replica.
WITH channel AS (
    SELECT * FROM performance_schema.replication_connection_status
    WHERE channel_name <> 'group_replication_recovery'
      AND (channel_name <> 'group_replication_applier' OR @@global.read_only)
), age (seconds) AS (
    -- Since the commit of each transaction that is being received, given to a worker, or applied.
    SELECT UNIX_TIMESTAMP() - UNIX_TIMESTAMP(queueing_transaction_original_commit_timestamp)
    FROM channel WHERE queueing_transaction <> ''
    UNION ALL
    SELECT UNIX_TIMESTAMP() - UNIX_TIMESTAMP(processing_transaction_original_commit_timestamp)
    FROM performance_schema.replication_applier_status_by_coordinator
    WHERE processing_transaction <> ''
    UNION ALL
    SELECT UNIX_TIMESTAMP() - UNIX_TIMESTAMP(applying_transaction_original_commit_timestamp)
    FROM performance_schema.replication_applier_status_by_worker
    WHERE applying_transaction <> ''
    -- One that is received and not applied, whatever becomes of it now.
    UNION ALL
    SELECT UNIX_TIMESTAMP() - UNIX_TIMESTAMP(last_queued_transaction_original_commit_timestamp)
    FROM channel
    WHERE last_queued_transaction NOT IN ('', 'ANONYMOUS')
      AND NOT GTID_SUBSET(last_queued_transaction, @@global.gtid_executed)
    -- The first that waits for the end of SOURCE_DELAY.
    UNION ALL
    SELECT CAST(desired_delay AS signed) - CAST(remaining_delay AS signed)
    FROM performance_schema.replication_applier_status
    JOIN performance_schema.replication_applier_configuration USING (channel_name)
    WHERE remaining_delay IS NOT NULL
    -- How late the last one came: one that catches up is between two transactions at times.
    UNION ALL
    SELECT UNIX_TIMESTAMP(last_queued_transaction_end_queue_timestamp)
           - UNIX_TIMESTAMP(last_queued_transaction_original_commit_timestamp)
    FROM channel WHERE last_queued_transaction_end_queue_timestamp > NOW(6) - INTERVAL 1 SECOND
    UNION ALL
    SELECT UNIX_TIMESTAMP(last_applied_transaction_end_apply_timestamp)
           - UNIX_TIMESTAMP(last_applied_transaction_original_commit_timestamp)
    FROM performance_schema.replication_applier_status_by_worker
    WHERE last_applied_transaction_end_apply_timestamp > NOW(6) - INTERVAL 1 SECOND
), state AS (
    SELECT COUNT(*) AS channels,
           MIN(channel.service_state) AS receiver, -- CONNECTING < OFF < ON
           MIN(applier.service_state) AS applier,
           -- Unknown while one of the two rests.
           IF(MIN(channel.service_state) = 'ON' AND MIN(applier.service_state) = 'ON',
              ROUND(GREATEST((SELECT COALESCE(MAX(seconds), 0) FROM age), 0), 3), NULL) AS lag_seconds,
           @@global.read_only AS read_only,
           EXISTS (SELECT * FROM performance_schema.global_variables
                   WHERE variable_name = 'group_replication_group_name' AND variable_value <> '')
           AND NOT EXISTS (SELECT COUNT(*) FROM performance_schema.replication_group_members
                           HAVING SUM(member_id = @@server_uuid AND member_state = 'ONLINE')
                              AND SUM(member_state IN ('ONLINE', 'RECOVERING')) * 2 > COUNT(*)
                          ) AS outside_group
    FROM channel LEFT JOIN performance_schema.replication_applier_status AS applier USING (channel_name)
)
SELECT state.*, ROUND(GREATEST(100 / GREATEST(lag_seconds, 1), 1)) AS weight_percent FROM state;
