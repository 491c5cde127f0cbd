#!/bin/bash
# The adapter's own user: it may log in, and see what others do, for that is what the shipped checks
# need. `dbhealthd grants` prints it in this form, which is right for MySQL and for MariaDB: each runs
# its own comments. Not root, for a full server lets root in and would look well.
#
# The official image runs this before the server listens on TCP, with root's password in the
# environment. The adapter's is read here, so that it stands in no command line.
set -euo pipefail

password=$(</run/secrets/probe/password)
password=${password//\\/\\\\}
password=${password//\'/\'\'}

# Three probers have one connection each; the limit leaves room for attempts that hang, and keeps a
# stolen password from filling the server.
MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql --user=root <<SQL
CREATE USER probe@'127.0.0.1' IDENTIFIED BY '$password' WITH MAX_USER_CONNECTIONS 10;
GRANT /*M! USAGE ON *.* */ /*!80000 SELECT ON performance_schema.replication_group_members */ TO probe@'127.0.0.1';
GRANT PROCESS ON *.* TO probe@'127.0.0.1';
GRANT /*M! SLAVE MONITOR */ /*!80000 USAGE */ ON *.* TO probe@'127.0.0.1';
GRANT /*M! USAGE ON *.* */ /*!80000 SELECT ON performance_schema.replication_connection_status */ TO probe@'127.0.0.1';
GRANT /*M! USAGE ON *.* */ /*!80000 SELECT ON performance_schema.replication_applier_configuration */ TO probe@'127.0.0.1';
GRANT /*M! USAGE ON *.* */ /*!80000 SELECT ON performance_schema.replication_applier_status */ TO probe@'127.0.0.1';
GRANT /*M! USAGE ON *.* */ /*!80000 SELECT ON performance_schema.replication_applier_status_by_coordinator */ TO probe@'127.0.0.1';
GRANT /*M! USAGE ON *.* */ /*!80000 SELECT ON performance_schema.replication_applier_status_by_worker */ TO probe@'127.0.0.1';
SQL
