-- description: The server lets the probe user in and runs its queries.
-- endpoints:   readyz
-- metrics:     no
SELECT 1;
