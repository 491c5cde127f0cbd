-- description: This server takes writes: read_only is off, which is how ProxySQL tells a primary.
-- endpoints:   primary read-only
-- flavor:      mysql
-- server-version: >= 8.0
-- # It is what this server believes: of two that believe it at once, failover tools know which is right.
-- # Replication threads that run don't count, for two primaries that follow each other both have them. So
-- # a replica whose read_only was forgotten is a primary here.
-- # A server that takes no writes is no primary that failed: it is skipped, and /primary answers 503.
-- skip:        writable == 0
-- # A group's member without a majority stays writable and lets each write hang.
-- fail:        outside_group == 1
-- metrics:     no
-- grants:      GRANT /*M! USAGE ON *.* */ /*!80000 SELECT ON performance_schema.replication_group_members */ TO $user
SELECT NOT (@@global.read_only OR @@global.innodb_read_only) AS writable,
       EXISTS (SELECT * FROM performance_schema.global_variables
               WHERE variable_name = 'group_replication_group_name' AND variable_value <> '')
       AND NOT EXISTS (SELECT COUNT(*) FROM performance_schema.replication_group_members
                       HAVING SUM(member_id = @@server_uuid AND member_state = 'ONLINE')
                          AND SUM(member_state IN ('ONLINE', 'RECOVERING')) * 2 > COUNT(*)
                      ) AS outside_group;
