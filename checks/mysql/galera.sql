-- description: This node of a Galera cluster has its data and takes queries.
-- endpoints:   readyz read-only
-- flavor:      mariadb
-- # Skipped where there is no Galera. A node that lost its cluster still answers SELECT 1, and refuses
-- # every query of a table: that is why this is part of /readyz. A node has a role only if it passes:
-- # primary-mariadb and replica-writable-mariadb have the same rules, but the limits. For readers it is
-- # enough, also where read_only is on: the cluster sees to it that the node has all data.
-- skip:        in_cluster == 0
-- # Without a quorum the node could show what the others have long changed.
-- fail:        cluster_status != 'Primary'
-- # Joining (1) or joined (3): its data are not all there yet. Donor (2) is below, synced is 4.
-- fail:        ready == 0
-- # A donor, or one that a backup desynced, is whole but may be late: 1 lets it serve.
-- param:       donors_serve = ${DONORS_SERVE:-0}
-- fail:        donor > $donors_serve
-- # The administrator's switch to drain a node.
-- fail:        reject_queries != 'NONE'
-- metrics:     cluster_size, local_state
SELECT COALESCE(MAX(variable_name = 'WSREP_PROVIDER_NAME'
                    AND variable_value <> ''), 0) AS in_cluster,
       MAX(IF(variable_name = 'WSREP_CLUSTER_STATUS', variable_value, NULL)) AS cluster_status,
       MAX(variable_name = 'WSREP_READY' AND variable_value = 'ON') AS ready,
       MAX(variable_name = 'WSREP_LOCAL_STATE' AND variable_value = '2') AS donor,
       MAX(IF(variable_name = 'WSREP_CLUSTER_SIZE', variable_value + 0, NULL)) AS cluster_size,
       MAX(IF(variable_name = 'WSREP_LOCAL_STATE', variable_value + 0, NULL)) AS local_state,
       COALESCE((SELECT variable_value FROM information_schema.global_variables
                 WHERE variable_name = 'WSREP_REJECT_QUERIES'), 'NONE') AS reject_queries
FROM information_schema.global_status WHERE variable_name LIKE 'WSREP%';
