#!/bin/bash
# The adapter's own user: it may log in, and nothing more. Not root, for a full server lets root in
# and would look well.
#
# The official image runs this before the server listens on TCP, with root's password in the
# environment. The adapter's is read here, so that it stands in no command line.
set -euo pipefail

password=$(</run/secrets/probe/password)
password=${password//\\/\\\\}
password=${password//\'/\'\'}

# Two probers have one connection each; the limit leaves room for attempts that hang, and keeps a
# stolen password from filling the server.
MYSQL_PWD=$MARIADB_ROOT_PASSWORD mariadb --user=root <<SQL
CREATE USER probe@'127.0.0.1' IDENTIFIED BY '$password' WITH MAX_USER_CONNECTIONS 10;
SQL
