-- description: Clients still find free connections.
-- endpoints:   capacity
-- server-version: >= 8.0
-- prober:      background
-- cache:       10s
-- # A pool that is restarted opens a tenth of all at once; above 0.95 the next one finds the server full.
-- param:       max_connections_ratio = ${MAX_CONNECTIONS_RATIO:-0.95}
-- param:       warn_connections_ratio = ${WARN_CONNECTIONS_RATIO:-0.8}
-- fail:        used_ratio > $max_connections_ratio
-- warn:        used_ratio > $warn_connections_ratio
-- # The place above max_connections that is an administrator's alone does not count.
SELECT CAST(variable_value AS unsigned) AS used_connections,
       @@global.max_connections AS usable_connections,
       ROUND(variable_value / @@global.max_connections, 3) AS used_ratio
FROM /*M! information_schema.global_status */ /*!80000 performance_schema.global_status */
WHERE variable_name = 'THREADS_CONNECTED';
