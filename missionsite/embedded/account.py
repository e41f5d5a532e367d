"""The operating system user that PostgreSQL runs as, which is never root."""

# ruff: noqa: S603 - runs only PostgreSQL programs

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from missionsite.embedded.errors import EmbeddedError


@dataclass(frozen=True)
class Account:
    """A user and group that runs programs."""

    name: str
    uid: int
    gid: int

    @property
    def is_demoted(self) -> bool:
        """Whether running as this account means dropping root privileges."""
        return os.geteuid() == 0

    def run(self, command: list, *, cwd: Path | str = "/", seconds: int = 120) -> subprocess.CompletedProcess:
        """Run a program as this account and capture its output. The caller checks the exit code."""
        demotion: dict[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_demoted else {}
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
        """Whether the account has access to a folder and all its parents."""
        return not self.is_demoted or self.run(["/bin/sh", "-c", 'cd "$1"', "sh", folder]).returncode == 0

    def can_run(self, program: Path) -> bool:
        """Whether the account can run a program with its libraries."""
        return self.run(["/bin/sh", "-c", '"$1" --version', "sh", program]).returncode == 0

    def take_ownership(self, path: Path) -> None:
        """Make the account the owner of a file or folder."""
        if self.is_demoted:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def choose(*owners_of: Path) -> Account:
    """The account that runs PostgreSQL.

    The current user; for root, the owner of the first of these folders that exists and is not owned by root, else
    `nobody`.
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
            "PostgreSQL does not run as root and this machine has no user `nobody`. Run the command as another user."
        ) from None


def _account(uid: int) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:  # a container whose user id has no name
        return Account(str(uid), uid, os.getegid() if uid == os.geteuid() else uid)
    return Account(entry.pw_name, uid, entry.pw_gid)


def clean_environment() -> dict[str, str]:
    """The environment without the caller's PG* variables, with English messages."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
