"""Files of the launcher in `var/`: locks, secrets, private JSON; and reading `.env`."""

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
    """Hold a lock between processes while the block runs; whoever comes second waits.

    The lock goes away with its process, however that ends.
    """
    make_folder(path.parent)
    with rejections(path), open(path, "a") as file:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


def if_unused(path: Path, action: Callable[[], object]) -> None:
    """Do something unless another process holds this lock."""
    with rejections(path), open(path, "a") as file, contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        action()


@contextlib.contextmanager
def rejections(path: Path) -> Iterator[None]:
    """Turn a missing permission into a sentence."""
    try:
        yield
    except PermissionError as error:
        raise EmbeddedError(
            f"{error.filename or path} is not yours to use: another user started the site in this folder. Run the "
            "command as that user, or set MISSIONSITE_VAR_DIR to a folder of your own."
        ) from error


def make_folder(path: Path) -> None:
    """Create a folder and those above it; one that is there already is fine."""
    with rejections(path):
        path.mkdir(parents=True, exist_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a whole file that only its owner can read: readers see the old text or the new, never half of it."""
    with rejections(path):
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
    """The text of a file, None when there is no such file."""
    with rejections(path):
        try:
            return path.read_text()
        except FileNotFoundError:
            return None


def read_json(path: Path) -> dict | None:
    """The object in a JSON file, None when there is no such file."""
    text = read_private(path)
    try:
        return None if text is None else dict(json.loads(text))
    except ValueError as error:
        raise EmbeddedError(f"{path} is not readable as JSON. Delete it and run the command again.") from error


def secret(var: Path, name: str, make: Callable[[], str]) -> str:
    """The secret kept in `var/<name>`, made at first use; processes that ask at once get the same one."""
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
