-- The adapter's own role: it may log in, and see what others do, for that is what the shipped checks
-- need (`dbhealthd grants` prints it). Not a superuser, for a full server lets one in and would look
-- well.
--
-- The official image runs this as superuser, before the server listens on TCP. The password is read
-- here, so that it stands in no command line.
\set password `cat /run/secrets/probe/password`

-- Three probers have one connection each; the limit leaves room for attempts that hang, and keeps a
-- stolen password from filling the server.
CREATE ROLE probe LOGIN CONNECTION LIMIT 10 PASSWORD :'password';
GRANT pg_read_all_stats TO probe;
