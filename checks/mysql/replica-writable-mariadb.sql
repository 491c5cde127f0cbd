-- description: A replica takes no writes but its master's: they would make it differ.
-- endpoints:   replica read-only
-- flavor:      mariadb
-- # Beside replica-mariadb, for what SHOW shows can't be joined. replica-mysql sees this for itself.
-- skip:        running_replicas == 0
-- warn:        read_only == 0
-- metrics:     no
-- # read_only is OFF, ON, NO_LOCK and so on from 12.0 on, before that a number.
SELECT CONCAT(@@global.read_only) NOT IN ('0', 'OFF') AS read_only,
       CAST(variable_value AS unsigned) AS running_replicas
FROM information_schema.global_status WHERE variable_name = 'SLAVES_RUNNING';
