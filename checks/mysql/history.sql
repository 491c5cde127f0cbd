-- description: Old versions of rows are purged as fast as they are made.
-- endpoints:   capacity
-- server-version: >= 8.0
-- prober:      background
-- cache:       10s
-- # Thousands of undo logs are usual, and what a large change leaves is purged in minutes. Millions mean
-- # that purge is too slow or an old transaction forbids it: reads slow down and undo fills the disk.
-- param:       max_history = ${MAX_HISTORY:-10000000}
-- param:       warn_history = ${WARN_HISTORY:-1000000}
-- fail:        history_length > $max_history
-- warn:        history_length > $warn_history
-- # NULL where somebody has switched MySQL's counter off.
-- grants:      GRANT PROCESS ON *.* TO $user
SELECT /*M! variable_value + 0 */ /*!80000 IF(status = 'enabled', count, NULL) */ AS history_length
FROM /*M! information_schema.global_status WHERE variable_name = 'INNODB_HISTORY_LIST_LENGTH' */
     /*!80000 information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len' */;
