-- description: A commit gets into storage.
-- endpoints:   write
-- server-version: >= 12
-- # It writes into your database, so it runs only if DBHEALTH_ENABLE names it.
-- enabled:     no
-- writes:      yes
-- # A standby, or a server that is read-only by default, is not meant to.
-- skip:        read_only == true
-- fail:        written != true
-- # How long all of it took, the commit included. The adapter fills it in, for no statement knows that of
-- # itself. A disk that is well takes milliseconds, and standbys that are waited for some more.
-- param:       warn_write_seconds = ${WARN_WRITE_SECONDS:-1}
-- warn:        write_seconds > $warn_write_seconds
-- metrics:     write_seconds
-- # One row in a schema of its own. Each run makes a new version of it in the same page and the old one
-- # room for the next (no index has the column); a second run waits for the first one's lock.
-- grants:      CREATE SCHEMA IF NOT EXISTS dbhealthd
-- grants:      CREATE TABLE IF NOT EXISTS dbhealthd.written (id int PRIMARY KEY CHECK (id = 1), at timestamptz) WITH (fillfactor = 50)
-- grants:      INSERT INTO dbhealthd.written VALUES (1) ON CONFLICT DO NOTHING
-- # In a function, for a standby refuses a statement that has an UPDATE in it, even if that is never reached.
-- grants:      CREATE OR REPLACE FUNCTION dbhealthd.write() RETURNS boolean LANGUAGE sql AS 'UPDATE dbhealthd.written SET at = clock_timestamp() RETURNING at IS NOT NULL'
-- grants:      GRANT USAGE ON SCHEMA dbhealthd TO $user
-- grants:      GRANT SELECT (at), UPDATE (at) ON dbhealthd.written TO $user
SELECT read_only,
       CASE WHEN NOT read_only THEN dbhealthd.write() END AS written,
       -- With off, a commit would be done before it is in storage.
       CASE WHEN current_setting('synchronous_commit') = 'off'
            THEN set_config('synchronous_commit', 'local', true)
            ELSE current_setting('synchronous_commit') END AS synchronous_commit,
       NULL AS write_seconds
FROM (SELECT current_setting('transaction_read_only')::boolean AS read_only) AS transaction;
