-- description: This server takes writes: read_only is off, which is how ProxySQL tells a primary.
-- endpoints:   primary read-only
-- flavor:      mariadb
-- # It is what this server believes: of two that believe it at once, failover tools know which is right.
-- # Replication threads that run don't count, for two primaries that follow each other both have them. So
-- # a replica whose read_only was forgotten is a primary here.
-- # A server that takes no writes is no primary that failed: it is skipped, and /primary answers 503.
-- skip:        writable == 0
-- # Every Galera node is a primary that may serve by the check galera, whose rules these are: one that has
-- # lost its cluster stays writable and refuses, and one under a backup's lock lets writers wait.
-- fail:        outside_cluster == 1
-- param:       donors_serve = ${DONORS_SERVE:-0}
-- fail:        donor > $donors_serve
-- fail:        reject_queries != 'NONE'
-- metrics:     no
-- # read_only is OFF, ON, NO_LOCK and so on from 12.0 on, before that a number.
SELECT CONCAT(@@global.read_only) IN ('0', 'OFF') AND NOT @@global.innodb_read_only AS writable,
       COALESCE(MAX(variable_name = 'WSREP_PROVIDER_NAME' AND variable_value <> ''), 0)
       AND NOT MAX(variable_name = 'WSREP_READY' AND variable_value = 'ON') AS outside_cluster,
       COALESCE(MAX(variable_name = 'WSREP_LOCAL_STATE' AND variable_value = '2'), 0) AS donor,
       COALESCE((SELECT variable_value FROM information_schema.global_variables
                 WHERE variable_name = 'WSREP_REJECT_QUERIES'), 'NONE') AS reject_queries
FROM information_schema.global_status WHERE variable_name LIKE 'WSREP%';
