#!/bin/sh
# Run PostgreSQL on $PGDATA (/data); at the first start create the cluster, the database and the roles of roles.sql with
# OWNER_PASSWORD, APP_PASSWORD and BACKUP_PASSWORD. Further arguments go to the server: database -c shared_buffers=1GB
set -eu
PGDATA=${PGDATA:-/data}
export PGDATA
roles=${ROLES_SQL:-/usr/local/share/roles.sql}
# The newest version installed.
programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    : "${OWNER_PASSWORD:?}" "${APP_PASSWORD:?}" "${BACKUP_PASSWORD:?}"
    # Under another name until it is complete: an interrupted first start begins again.
    rm -rf "$PGDATA/new"
    "$programs/initdb" -D "$PGDATA/new" -U postgres --encoding=UTF8 --locale=C.UTF-8 --data-checksums \
        --auth-local=peer --auth-host=scram-sha-256 >/dev/null
    echo "host all all all scram-sha-256" >>"$PGDATA/new/pg_hba.conf"
    cat >>"$PGDATA/new/postgresql.conf" <<'CONF'
listen_addresses = '*'
unix_socket_directories = '/tmp'
password_encryption = scram-sha-256
# Failed statements contain personal data.
log_min_error_statement = panic
log_error_verbosity = terse
CONF
    "$programs/pg_ctl" -D "$PGDATA/new" -w -o "-c listen_addresses=" start >/dev/null
    psql -X -q -h /tmp -U postgres -f "$roles" postgres
    "$programs/pg_ctl" -D "$PGDATA/new" -w -m fast stop >/dev/null
    mv "$PGDATA"/new/* "$PGDATA"/
    rmdir "$PGDATA/new"
fi
exec "$programs/postgres" -D "$PGDATA" "$@"
