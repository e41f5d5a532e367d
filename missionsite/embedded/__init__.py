"""The embedded PostgreSQL server, used for the demo, development and tests when no DATABASE_URL is set.

Uses only the standard library, so that it works before Django is set up.
"""

import atexit
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from missionsite.embedded import binaries, files, processes
from missionsite.embedded.cluster import SUPERUSER, Cluster, Server, urls_of
from missionsite.embedded.errors import EmbeddedError

__all__ = [
    "CHECKOUT",
    "EmbeddedError",
    "Server",
    "psql_path",
    "remove",
    "secret",
    "start",
    "start_if_default",
    "status",
    "stop",
    "superuser",
    "test_environment",
    "urls",
    "var_dir",
]

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def start(var: Path, *, tests: bool = False) -> Server:
    """Start the server of `var` unless it runs, and return its connection data. The first call creates the cluster.

    tests: trade durability for speed, and allow the owner to create databases.
    Raises EmbeddedError.
    """
    return Cluster(var, tests=tests).start()


def stop(var: Path) -> bool:
    """Stop the server of `var`. Returns whether it was running. Raises EmbeddedError."""
    return Cluster(var).stop()


def status(var: Path) -> processes.Postmaster | None:
    """The running server of `var`, None if it is not running."""
    return Cluster(var).running()


def remove(var: Path) -> None:
    """Stop the server of `var` and delete its data. Raises EmbeddedError."""
    Cluster(var).remove()


def urls(var: Path) -> tuple[str, str]:
    """The database URLs of the app and the owner; before the first start, placeholder URLs."""
    connection = files.read_json(Cluster(var).connection_file)
    return urls_of(connection or {"port": 1, "app_password": "none", "owner_password": "none"})


def superuser(var: Path) -> tuple[str, str]:
    """The name and password of the superuser of `var`'s server."""
    return SUPERUSER, files.read_private(Cluster(var).superuser_file) or ""


def secret(var: Path, name: str, make: Callable[[], str]) -> str:
    """The secret in `var/<name>` (mode 0600), created at first use. Concurrent processes get the same one."""
    return files.secret(Path(var), name, make)


def psql_path() -> Path:
    """The psql of the server's version. Raises EmbeddedError if no PostgreSQL is found."""
    return binaries.find().program("psql")


def var_dir() -> Path:
    """The folder of the site's own files: MISSIONSITE_VAR_DIR, else `var/` in the checkout."""
    return Path(_setting("MISSIONSITE_VAR_DIR") or CHECKOUT / "var")


def is_default() -> bool:
    """Whether the site uses the embedded server: no DATABASE_URL in the environment or in `.env`."""
    return not _setting("DATABASE_URL")


def start_if_default() -> None:
    """Start the server of the site unless DATABASE_URL is set. Exits the process with a message if that fails."""
    try:
        if is_default():
            start(var_dir())
    except EmbeddedError as error:
        sys.exit(str(error))


def test_environment() -> dict[str, str]:
    """Make this process and its child processes use a separate server for tests.

    Sets environment variables and returns them: call it before settings are imported. The server stops with the last
    process that uses it.
    """
    # In a child process of the tests, the folder is already the one for tests.
    var = var_dir() if os.environ.get("MISSIONSITE_TESTING") else var_dir() / "tests"
    in_use = contextlib.ExitStack()
    in_use.enter_context(files.locked(var / "in-use.lock", shared=True))
    try:
        start(var, tests=True)
    except EmbeddedError as error:
        sys.exit(str(error))
    # Empty rather than missing, so that a DATABASE_URL in `.env` never leads the tests to a real database.
    variables = {"DATABASE_URL": "", "MISSIONSITE_VAR_DIR": str(var), "MISSIONSITE_TESTING": "1"}
    os.environ.update(variables)
    process = os.getpid()

    def release() -> None:
        # Not in a process forked by a test.
        if os.getpid() == process:
            in_use.close()
            with contextlib.suppress(EmbeddedError):
                files.if_unused(var / "in-use.lock", lambda: stop(var))

    atexit.register(release)
    return variables


cast(Any, test_environment).__test__ = False  # not a test


def _setting(name: str) -> str:
    return os.environ[name] if name in os.environ else files.read_dotenv(CHECKOUT / ".env").get(name, "")
