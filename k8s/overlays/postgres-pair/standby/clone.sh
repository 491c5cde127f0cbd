#!/bin/bash
# Fills an empty data folder with a copy of the primary, before the database's container starts. A
# copy that was interrupted is begun anew; the folder gets its name when it is whole. How to follow
# the primary stands in it then, password included. Where the primary does not answer, Kubernetes
# tries again.
set -euo pipefail

[[ ! -e $PGDATA/PG_VERSION ]] || exit 0
PGPASSWORD=$(<"$REPLICATION_PASSWORD_FILE")
export PGPASSWORD
rm -rf "$PGDATA.new"
pg_basebackup --pgdata="$PGDATA.new" --host="$PRIMARY" --username=replicator \
    --checkpoint=fast --wal-method=stream --write-recovery-conf
mv --no-target-directory "$PGDATA.new" "$PGDATA"
