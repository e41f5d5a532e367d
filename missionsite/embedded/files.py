"""Files in `var/`: locks, secrets and private JSON files; and reading `.env`."""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from missionsite.embedded.errors import EmbeddedError


@contextlib.contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Run the block with a file lock between processes. A second process waits.

    The lock is released when its process ends in any way.
    """
    make_folder(path.parent)
    with translate_permission_errors(path), open(path, "a") as file:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


def if_unused(path: Path, action: Callable[[], object]) -> None:
    """Call the action unless another process has this lock."""
    with translate_permission_errors(path), open(path, "a") as file, contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        action()


@contextlib.contextmanager
def translate_permission_errors(path: Path) -> Iterator[None]:
    """Raise EmbeddedError with an explanation for a PermissionError."""
    try:
        yield
    except PermissionError as error:
        raise EmbeddedError(
            f"You have no access to {error.filename or path}: another user started the site in this folder. Run the "
            "command as that user, or set MISSIONSITE_VAR_DIR to another folder."
        ) from error


def make_folder(path: Path) -> None:
    """Create a folder with its parents if it does not exist."""
    with translate_permission_errors(path):
        path.mkdir(parents=True, exist_ok=True)


def write_private(path: Path, text: str) -> None:
    """Atomically write a file that only its owner can read."""
    with translate_permission_errors(path):
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise


def read_private(path: Path) -> str | None:
    """The text of a file, None if it does not exist."""
    with translate_permission_errors(path):
        try:
            return path.read_text()
        except FileNotFoundError:
            return None


def read_json(path: Path) -> dict | None:
    """The object in a JSON file, None if it does not exist."""
    text = read_private(path)
    try:
        return None if text is None else dict(json.loads(text))
    except ValueError as error:
        raise EmbeddedError(f"{path} is not readable as JSON. Delete it and run the command again.") from error


def secret(var: Path, name: str, make: Callable[[], str]) -> str:
    """The secret in `var/<name>`, created at first use. Concurrent processes get the same one."""
    path = var / name
    if value := read_private(path):
        return value
    with locked(var / "secrets.lock"):
        if not (value := read_private(path)):
            value = make()
            write_private(path, value)
        return value


def read_dotenv(path: Path) -> dict[str, str]:
    """The settings in a `.env` file: KEY=value lines, optionally quoted or after `export`. Empty without a file."""
    values = {}
    for line in (read_private(path) or "").splitlines():
        key, separator, value = line.strip().removeprefix("export ").partition("=")
        if separator and not key.startswith("#"):
            value = value.strip()
            if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
                value = value[1:-1]
            values[key.strip()] = value
    return values
