-- description: PgBouncer answers. Whatever it answers counts, for a restart would not change it.
-- endpoints:   healthz startupz
-- # Of the server behind it this says nothing.
-- tolerate:    answered
-- metrics:     no
SHOW VERSION;
