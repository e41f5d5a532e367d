"""The operating system's user PostgreSQL runs as: never root."""

# ruff: noqa: S603 - it runs programs of ours

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from missionsite.embedded.errors import EmbeddedError


@dataclass(frozen=True)
class Account:
    """A user and group to run programs as."""

    name: str
    uid: int
    gid: int

    @property
    def is_demoted(self) -> bool:
        """Whether running as this account means giving up root."""
        return os.geteuid() == 0

    def run(self, command: list, *, cwd: Path | str = "/", seconds: int = 120) -> subprocess.CompletedProcess:
        """Run a program as this account; output is captured as text, failure is the caller's to judge."""
        demotion = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_demoted else {}
        try:
            return subprocess.run(
                [str(part) for part in command],
                cwd=cwd,
                env=clean_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                **demotion,
            )
        except PermissionError as error:
            raise EmbeddedError(
                f"{command[0]} could not be run as {self.name}: {error.strerror}. Run the command as an ordinary user."
            ) from error
        except subprocess.TimeoutExpired as error:
            raise EmbeddedError(f"{command[0]} did not finish within {seconds} seconds.") from error

    def can_enter(self, folder: Path) -> bool:
        """Whether the account reaches a folder through all the folders above it."""
        return not self.is_demoted or self.run(["/bin/sh", "-c", 'cd "$1"', "sh", folder]).returncode == 0

    def can_run(self, program: Path) -> bool:
        """Whether the account can load a program together with its libraries."""
        return self.run(["/bin/sh", "-c", '"$1" --version', "sh", program]).returncode == 0

    def give(self, path: Path) -> None:
        """Make the account the owner of a file or folder, when it is not that anyway."""
        if self.is_demoted:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def choose(*owners_of: Path) -> Account:
    """The account to run PostgreSQL as.

    That is whoever asks. For root: the owner of the first of these folders that is there and not root's, else `no one`.
    """
    if os.geteuid() != 0:
        return _account(os.geteuid())
    for folder in owners_of:
        if folder.exists() and (owner := folder.stat().st_uid) != 0:
            return _account(owner)
    try:
        return _account(pwd.getpwnam("nobody").pw_uid)
    except KeyError:
        raise EmbeddedError(
            "PostgreSQL does not run as root and this machine has no user `no one`. Run the command as another user."
        ) from None


def _account(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:  # a container started with a user id that has no name
        return Account(str(uid), uid, os.getegid() if uid == os.geteuid() else uid)
    return Account(entry.pw_name, uid, entry.pw_gid)


def clean_environment() -> dict[str, str]:
    """The environment without the PG... variables of the caller, with messages in English."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
