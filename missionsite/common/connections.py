"""How a process connects to the database: through a pool, directly past a pooler, or one by one.

Web processes share a bounded pool of connections to DATABASE_URL. Workers, the listener of live pages and `migrate`
need sessions of their own: they use DATABASE_DIRECT_URL where DATABASE_URL leads through a pooler such as PgBouncer.
"""

from typing import Any

import psycopg
from django.conf import settings
from django.db import connections

# What distinguishes one server or role from another in DATABASES.
_ADDRESS = ("NAME", "USER", "PASSWORD", "HOST", "PORT")
# Seconds to wait for a connection of the pool, and for the pool to try again.
POOL_SECONDS = 3.0
# Connections of a worker process besides one for each concurrent job: procrastinate's own, and the heartbeat's.
WORKER_CONNECTIONS = 6
WORKER_CONCURRENCY = 4


def use_pool() -> None:
    """Let all threads of this process share at most DATABASE_POOL_SIZE connections. Call it before the first query."""
    if not settings.DATABASE_POOL_SIZE:
        return
    # The replica has a pool of its own.
    for database in connections.settings.values():
        idle = database["CONN_MAX_AGE"]
        database["CONN_MAX_AGE"] = 0
        database["OPTIONS"] = database.get("OPTIONS", {}) | {
            "pool": {
                "min_size": 0,
                "max_size": settings.DATABASE_POOL_SIZE,
                "timeout": POOL_SECONDS,
                "reconnect_timeout": POOL_SECONDS,
                "max_idle": max(idle, 1),
            }
        }


def connect_directly() -> None:
    """Let all threads of this process connect to DATABASE_DIRECT_URL, if it is set."""
    if settings.DATABASE_DIRECT is None:
        return
    default = connections["default"]
    default.close()
    default.settings_dict.update({key: settings.DATABASE_DIRECT[key] for key in _ADDRESS})
    default.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = False


def direct_params() -> dict[str, Any]:
    """Return the parameters of psycopg for a session of its own, as the site's role."""
    params = connections["default"].get_connection_params()
    if direct := settings.DATABASE_DIRECT:
        names = zip(("dbname", "user", "password", "host", "port"), _ADDRESS, strict=True)
        params |= {name: direct[key] for name, key in names if direct[key]}
    return params


def is_pooled(connection: psycopg.Connection) -> bool:
    """Whether a pooler is between this connection and the server: it gives the client a process ID of its own.

    A pooler shares one connection of the server among clients, so nothing that lasts longer than a transaction may be
    relied on. Source: PostgreSQL manual, 53.2.1, BackendKeyData.
    """
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    return row is not None and row[0] != connection.info.backend_pid


def most_connections() -> int:
    """Return the most server connections of WEB_PROCESSES and WORKER_PROCESSES together, without those of a pooler."""
    of_web = 1 if settings.DATABASE_DIRECT else (settings.DATABASE_POOL_SIZE or settings.WEB_THREADS) + 1
    of_worker = WORKER_CONNECTIONS + WORKER_CONCURRENCY
    return settings.WEB_PROCESSES * of_web + settings.WORKER_PROCESSES * of_worker
