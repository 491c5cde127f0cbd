-- description: The server answers. Whatever it answers counts, for a restart would not change it.
-- endpoints:   healthz startupz
-- tolerate:    answered
-- metrics:     no
SELECT 1;
