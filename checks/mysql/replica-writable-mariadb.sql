-- description: A replica takes no writes but its master's: they would make it differ.
-- endpoints:   replica read-only
-- flavor:      mariadb
-- # Beside replica-mariadb, for what SHOW shows can't be joined. replica-mysql sees this for itself.
-- skip:        running_replicas == 0
-- warn:        read_only == 0
-- metrics:     no
SELECT @@global.read_only AS read_only, CAST(variable_value AS unsigned) AS running_replicas
FROM information_schema.global_status WHERE variable_name = 'SLAVES_RUNNING';
