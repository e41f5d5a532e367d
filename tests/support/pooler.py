"""PgBouncer in transaction mode before a PostgreSQL, where it is installed (Debian: apt install pgbouncer)."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection

from missionsite.embedded.cluster import free_port

PROGRAM = os.environ.get("PGBOUNCER") or shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
needs_pooler = pytest.mark.skipif(PROGRAM is None, reason="PgBouncer is not installed")


@contextlib.contextmanager
def pooler(folder: Path, url: str, *, size: int = 5) -> Iterator[str]:
    """Run PgBouncer before the server of this URL; gives the URL that leads through it. size: server connections."""
    server, port = urlsplit(url), free_port()
    config = folder / "pgbouncer.ini"
    config.write_text(f"""
[databases]
* = host={server.hostname} port={server.port} user={server.username} password={server.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 500
ignore_startup_parameters = extra_float_digits
""")
    folder.chmod(0o755)
    config.chmod(0o644)
    # It does not run as root.
    as_user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with open(folder / "pgbouncer.log", "wb") as log:
        process = subprocess.Popen([PROGRAM, *as_user, str(config)], stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None, (folder / "pgbouncer.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield urlunsplit(server._replace(netloc=f"{server.username}:{server.password}@127.0.0.1:{port}"))
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def whole_site_through_pooler() -> Iterator[None]:
    """Let this process and those it starts connect through PgBouncer, past it only where the site does so."""
    own = connection.settings_dict
    direct = dict(own)
    url = f"postgres://{own['USER']}:{own['PASSWORD']}@{own['HOST']}:{own['PORT']}/{own['NAME']}"
    # Not in the folder of the tests, which only its owner may enter. One test uses more than 50 connections.
    with tempfile.TemporaryDirectory() as folder, pooler(Path(folder), url, size=90) as pooled:
        connection.close()
        own |= {"HOST": "127.0.0.1", "PORT": urlsplit(pooled).port, "DISABLE_SERVER_SIDE_CURSORS": True}
        settings.DATABASE_DIRECT = direct
        # Processes of their own get the URL of these settings, which leads through the pooler.
        os.environ["DATABASE_DIRECT_URL"] = url
        try:
            yield
        finally:
            connection.close()
            del os.environ["DATABASE_DIRECT_URL"]
            settings.DATABASE_DIRECT = None
            connection.settings_dict.update(direct)
