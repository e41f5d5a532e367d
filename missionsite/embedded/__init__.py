"""The embedded PostgreSQL: started when no DATABASE_URL is set, for trying, developing and testing.

Uses the standard library alone, so that it works before Django is set up.
"""

import atexit
import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from missionsite.embedded import binaries, files, processes
from missionsite.embedded.cluster import Cluster, Server, urls_of
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
    "test_environment",
    "urls",
    "var_dir",
]

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def start(var: Path, *, tests: bool = False) -> Server:
    """Make the server of `var` run and return how to reach it; everything it needs is made at the first call.

    tests: give up durability for speed, and allow the owner to create databases.
    Raises EmbeddedError.
    """
    return Cluster(var, tests=tests).start()


def stop(var: Path) -> bool:
    """Stop the server of `var`; whether it was running. Raises EmbeddedError."""
    return Cluster(var).stop()


def status(var: Path) -> processes.Postmaster | None:
    """The server of `var` as it says itself, None when it does not run."""
    return Cluster(var).running()


def remove(var: Path) -> None:
    """Stop the server of `var` and delete its data for good. Raises EmbeddedError."""
    Cluster(var).remove()


def urls(var: Path) -> tuple[str, str]:
    """How the app and the owner connect; before the first start, URLs of the right shape at which no one answers."""
    connection = files.read_json(Cluster(var).connection_file)
    return urls_of(connection or {"port": 1, "app_password": "none", "owner_password": "none"})


def secret(var: Path, name: str, make: Callable[[], str]) -> str:
    """The secret kept in `var/<name>` (mode 0600), made at first use; processes that ask at once get the same one."""
    return files.secret(Path(var), name, make)


def psql_path() -> Path:
    """The psql that belongs to the server. Raises EmbeddedError when no PostgreSQL is found."""
    return binaries.find().program("psql")


def var_dir() -> Path:
    """The folder of everything the site writes for itself: MISSIONSITE_VAR_DIR, else `var/` in the checkout."""
    return Path(_setting("MISSIONSITE_VAR_DIR") or CHECKOUT / "var")


def is_default() -> bool:
    """Whether the site runs on the embedded server: no DATABASE_URL in the environment or in `.env`."""
    return not _setting("DATABASE_URL")


def start_if_default() -> None:
    """Start the server of the site unless it has a DATABASE_URL; ends the process with a sentence when that fails."""
    try:
        if is_default():
            start(var_dir())
    except EmbeddedError as error:
        sys.exit(str(error))


def test_environment() -> dict[str, str]:
    """Point the settings of this process, and of those it starts, at a server for tests beside the one of the site.

    Sets environment variables and returns them: call it before settings are imported. The server stops with the last
    process that uses it.
    """
    # In a process that another test process started, the folder is the one for tests already.
    var = var_dir() if os.environ.get("MISSIONSITE_TESTING") else var_dir() / "tests"
    in_use = contextlib.ExitStack()
    in_use.enter_context(files.locked(var / "in-use.lock", shared=True))
    try:
        start(var, tests=True)
    except EmbeddedError as error:
        sys.exit(str(error))
    # Empty rather than missing: a DATABASE_URL in `.env` must not lead the tests to a real database.
    variables = {"DATABASE_URL": "", "MISSIONSITE_VAR_DIR": str(var), "MISSIONSITE_TESTING": "1"}
    os.environ.update(variables)
    process = os.getpid()

    def leave() -> None:
        # A process forked by a test runs this at its end too, and must not.
        if os.getpid() == process:
            in_use.close()
            with contextlib.suppress(EmbeddedError):
                files.if_unused(var / "in-use.lock", lambda: stop(var))

    atexit.register(leave)
    return variables


test_environment.__test__ = False  # its name is not a test's


def _setting(name: str) -> str:
    return os.environ[name] if name in os.environ else files.read_dotenv(CHECKOUT / ".env").get(name, "")
