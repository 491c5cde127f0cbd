-- description: PgBouncer lets the probe user in and answers its questions.
-- endpoints:   readyz
-- metrics:     no
SHOW VERSION;
