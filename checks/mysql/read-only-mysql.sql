-- description: Readers may come: this server is the primary, or a replica that is at most max_lag_seconds late.
-- endpoints:   read-only
-- flavor:      mysql
-- server-version: >= 8.0
-- # The rules and the statement of replica-mysql, for a server whose read_only is on. One that takes writes
-- # is a primary and lacks nothing, whatever becomes of a source that it has too: of two that follow each
-- # other, the one that lives serves. It is skipped here, and judged by primary-mysql.
-- skip:        channels == 0
-- skip:        read_only == 0
-- fail:        receiver != 'ON'
-- fail:        applier != 'ON'
-- fail:        outside_group == 1
-- param:       max_lag_seconds = ${MAX_LAG_SECONDS:-30}
-- fail:        lag_seconds > $max_lag_seconds
-- param:       weight = ${WEIGHT:-0}
-- metrics:     no
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
