-- description: Readers may come: this server is the primary, or a replica that is at most max_lag_seconds late.
-- endpoints:   read-only
-- flavor:      mariadb
-- # The rules and the statement of replica-mariadb, for a server whose read_only is on. One that takes writes
-- # is a primary and lacks nothing, whatever becomes of a master that it has too: of two that follow each
-- # other, the one that lives serves. It is skipped here, and judged by primary-mariadb.
-- skip:        rows == 0
-- fail:        Slave_IO_Running != 'Yes'
-- fail:        Slave_SQL_Running != 'Yes'
-- param:       max_lag_seconds = ${MAX_LAG_SECONDS:-30}
-- fail:        Seconds_Behind_Master > $max_lag_seconds
-- warn:        rows > 1
-- metrics:     no
-- grants:      GRANT /*M! SLAVE MONITOR */ /*!80000 USAGE */ ON *.* TO $user
-- # What SHOW shows can't be joined. read_only is OFF, ON, NO_LOCK and so on from 12.0 on, before that a number.
EXECUTE IMMEDIATE IF(CONCAT(@@global.read_only) IN ('0', 'OFF') AND NOT @@global.innodb_read_only,
                     'SELECT 1 AS Slave_IO_Running, 1 AS Slave_SQL_Running, 1 AS Seconds_Behind_Master
                      FROM DUAL WHERE FALSE',
                     'SHOW ALL SLAVES STATUS');
