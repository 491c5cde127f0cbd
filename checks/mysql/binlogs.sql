-- description: Binary logs are purged, but not before replicas and backups can have read them.
-- endpoints:   capacity
-- server-version: >= 8.0
-- prober:      background
-- cache:       10s
-- skip:        log_bin == 0
-- # Kept for ever, which is MariaDB's default, they fill the disk.
-- warn:        purged == 0
-- # A replica that was away for longer has to be made anew, and a backup that is older can't be brought
-- # up to a point in time. A day is the least that leaves a night for someone to notice.
-- param:       warn_binlog_seconds = ${WARN_BINLOG_SECONDS:-86400}
-- warn:        retention_seconds < $warn_binlog_seconds
-- metrics:     no
-- # MySQL can have purging off (8.0.29 and newer), MariaDB can limit the size (11.4 and newer) instead
-- # of the age, which then is a century here. MySQL before 8.4 may have the days in place of the seconds,
-- # and MariaDB before 10.6 has nothing else.
SELECT @@global.log_bin AS log_bin,
       kept > 0 AND unpurged = 0 OR limited > 0 AS purged,
       COALESCE(NULLIF(kept, 0), 3155760000) AS retention_seconds
FROM (SELECT COALESCE(NULLIF(MAX(IF(variable_name = 'BINLOG_EXPIRE_LOGS_SECONDS',
                                    variable_value + 0, NULL)), 0),
                      MAX(IF(variable_name = 'EXPIRE_LOGS_DAYS', variable_value * 86400, NULL)),
                      0) AS kept,
             COUNT(IF(variable_name = 'BINLOG_EXPIRE_LOGS_AUTO_PURGE'
                      AND variable_value = 'OFF', 1, NULL)) AS unpurged,
             COUNT(IF(variable_name = 'MAX_BINLOG_TOTAL_SIZE'
                      AND variable_value > 0, 1, NULL)) AS limited
      FROM /*M! information_schema.global_variables */
           /*!80000 performance_schema.global_variables */) AS switches;
