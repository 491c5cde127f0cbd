-- description: Ordinary users still find free connections.
-- endpoints:   capacity
-- server-version: >= 12
-- prober:      background
-- cache:       10s
-- # A pool that is restarted opens a tenth of all at once; above 0.95 the next one finds the server full.
-- param:       max_connections_ratio = ${MAX_CONNECTIONS_RATIO:-0.95}
-- param:       warn_connections_ratio = ${WARN_CONNECTIONS_RATIO:-0.8}
-- fail:        grants_missing == true
-- fail:        used_ratio > $max_connections_ratio
-- warn:        used_ratio > $warn_connections_ratio
-- metrics:     used_connections, usable_connections, used_ratio
-- # To tell clients' sessions from the server's own.
-- grants:      GRANT pg_read_all_stats TO $user
SELECT used_connections,
       usable_connections,
       round(used_connections::numeric / greatest(usable_connections, 1), 3) AS used_ratio,
       grants_missing
FROM (SELECT count(*) FILTER (WHERE backend_type = 'client backend') AS used_connections,
             current_setting('max_connections')::int
                 - current_setting('superuser_reserved_connections')::int
                 - coalesce(current_setting('reserved_connections', true)::int, 0) -- 16 and newer
                 AS usable_connections,
             NOT pg_has_role('pg_read_all_stats', 'USAGE') AS grants_missing
      FROM pg_stat_activity) AS counted;
