"""Which PostgreSQL processes belong to a data folder: a server, or what a killed one left behind."""

# ruff: noqa: S603, S607 - it asks the system about processes

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
# Seconds for left-behind processes to notice that their postmaster is gone, and then to obey each signal.
PATIENCE = 5


@dataclass(frozen=True)
class Postmaster:
    """What a running server says about itself in postmaster.pid.

    Source: PostgreSQL sources, src/include/utils/pidfile.h.
    """

    pid: int
    port: int | None
    state: str  # "starting", "stopping", "ready", "standby", or "" before it says


def postmaster(data: Path) -> Postmaster | None:
    """The server that runs on a data folder now, None when the folder's file is missing or stale."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    if not _runs_on(pid, data):
        return None
    port = int(lines[3]) if len(lines) > 3 and lines[3].strip().isdigit() else None
    return Postmaster(pid, port, lines[7].strip() if len(lines) > 7 else "")


def clear_away(data: Path) -> None:
    """Make a data folder startable after its postmaster was killed.

    Processes still attached to its shared memory get time to notice, then are ended; a stale postmaster.pid is removed,
    because its number may belong to another process by now. Call it only under the launcher's lock and with no server
    running.
    """
    for ending in (None, signal.SIGQUIT, signal.SIGKILL):
        for pid in _left_behind(data):
            if ending:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, ending)
        if wait_until(lambda: not _left_behind(data), seconds=PATIENCE):
            (data / "postmaster.pid").unlink(missing_ok=True)
            return
    raise EmbeddedError(
        f"Processes of an earlier PostgreSQL still use {data} and cannot be ended: "
        f"{', '.join(map(str, _left_behind(data)))}. End them, then run the command again."
    )


def wait_until(condition: Callable[[], object], *, seconds: float) -> bool:
    """Whether a condition comes true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _left_behind(data: Path) -> list[int]:
    # Without /proc this is empty: the server itself finds out, from its shared memory, and the start is tried again.
    return [int(entry.name) for entry in PROC.glob("[0-9]*") if _runs_on(int(entry.name), data)]


def _runs_on(pid: int, data: Path) -> bool:
    """Whether a process is a PostgreSQL one of this data folder: they all work inside it."""
    if not PROC.exists():
        asked = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return asked.stdout.strip().endswith("postgres")
    try:
        name = (PROC / str(pid) / "comm").read_text().strip()
        return name == "postgres" and os.path.samefile(PROC / str(pid) / "cwd", data)
    except OSError:
        return False
