-- description: No database of PgBouncer is paused or disabled.
-- endpoints:   capacity
-- flavor:      pgbouncer
-- rows:        each
-- # An administrator's doing, and easily left behind. A paused database lets its clients wait, which is
-- # meant while the server restarts: that is why this is no part of /readyz. A disabled one refuses them.
-- fail:        paused != 0
-- fail:        disabled != 0
-- metrics:     current_connections
SHOW DATABASES;
