-- description: A replica takes no writes but its master's, and serves only if its Galera cluster lets it.
-- endpoints:   replica read-only
-- flavor:      mariadb
-- # Beside replica-mariadb, for what SHOW shows can't be joined. replica-mysql sees this for itself.
-- skip:        running_replicas == 0
-- # Each write here makes it differ from its master.
-- warn:        read_only == 0
-- # A Galera node that replicates from elsewhere as well: the rules of the check galera.
-- fail:        outside_cluster == 1
-- param:       donors_serve = ${DONORS_SERVE:-0}
-- fail:        donor > $donors_serve
-- fail:        reject_queries != 'NONE'
-- metrics:     no
-- # read_only is OFF, ON, NO_LOCK and so on from 12.0 on, before that a number.
SELECT CONCAT(@@global.read_only) NOT IN ('0', 'OFF') AS read_only,
       MAX(IF(variable_name = 'SLAVES_RUNNING', variable_value + 0, 0)) AS running_replicas,
       COALESCE(MAX(variable_name = 'WSREP_PROVIDER_NAME' AND variable_value <> ''), 0)
       AND NOT MAX(variable_name = 'WSREP_READY' AND variable_value = 'ON') AS outside_cluster,
       COALESCE(MAX(variable_name = 'WSREP_LOCAL_STATE' AND variable_value = '2'), 0) AS donor,
       COALESCE((SELECT variable_value FROM information_schema.global_variables
                 WHERE variable_name = 'WSREP_REJECT_QUERIES'), 'NONE') AS reject_queries
FROM information_schema.global_status
WHERE variable_name = 'SLAVES_RUNNING' OR variable_name LIKE 'WSREP%';
