"""Finds the PostgreSQL processes of a data folder: a running server, or orphans of a killed one."""

# ruff: noqa: S603, S607 - runs ps

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from missionsite.embedded.errors import EmbeddedError

PROC = Path("/proc")
# Seconds for orphans to notice that their postmaster is gone, and then to react to each signal.
PATIENCE = 5


@dataclass(frozen=True)
class Postmaster:
    """The contents of postmaster.pid of a running server.

    Source: PostgreSQL sources, src/include/utils/pidfile.h.
    """

    pid: int
    port: int | None
    state: str  # "starting", "stopping", "ready", "standby", or "" before it is known


def postmaster(data: Path) -> Postmaster | None:
    """The server that runs on a data folder; None if postmaster.pid is missing or stale."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    if not _runs_on(pid, data):
        return None
    port = int(lines[3]) if len(lines) > 3 and lines[3].strip().isdigit() else None
    return Postmaster(pid, port, lines[7].strip() if len(lines) > 7 else "")


def clean_up(data: Path) -> None:
    """Prepare a data folder for a start after its postmaster was killed.

    Orphaned processes get time to exit, then are killed; a stale postmaster.pid is removed, because its number may
    belong to another process by now. Call it only with the lock and without a running server.
    """
    for ending in (None, signal.SIGQUIT, signal.SIGKILL):
        for pid in _orphans(data):
            if ending:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, ending)
        if wait_until(lambda: not _orphans(data), seconds=PATIENCE):
            (data / "postmaster.pid").unlink(missing_ok=True)
            return
    raise EmbeddedError(
        f"Processes of an earlier PostgreSQL still use {data} and cannot be killed: "
        f"{', '.join(map(str, _orphans(data)))}. End them, then run the command again."
    )


def wait_until(condition: Callable[[], object], *, seconds: float) -> bool:
    """Wait until a condition is true. Returns whether it was within this number of seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _orphans(data: Path) -> list[int]:
    # Empty without /proc: then the server detects them by its shared memory, and the start is retried.
    return [int(entry.name) for entry in PROC.glob("[0-9]*") if _runs_on(int(entry.name), data)]


def _runs_on(pid: int, data: Path) -> bool:
    """Whether a process is a PostgreSQL process of this data folder, which is its working directory."""
    if not PROC.exists():
        result = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return result.stdout.strip().endswith("postgres")
    try:
        name = (PROC / str(pid) / "comm").read_text().strip()
        return name == "postgres" and os.path.samefile(PROC / str(pid) / "cwd", data)
    except OSError:
        return False
