#!/bin/bash
# The standbys' own role, and what they need of the primary. The official image runs this as
# superuser when the data folder is empty.
set -euo pipefail

psql -v ON_ERROR_STOP=1 --no-psqlrc --username=postgres <<'SQL'
\set password `cat "$REPLICATION_PASSWORD_FILE"`
CREATE ROLE replicator LOGIN REPLICATION PASSWORD :'password';
-- What a standby may miss: one that was away for longer gets an empty volume and is copied anew. A
-- replication slot would miss nothing, and fill this disk for a standby that was scaled away.
ALTER SYSTEM SET wal_keep_size = '1GB';
SQL
echo "host replication replicator all scram-sha-256" >>"$PGDATA/pg_hba.conf"
