"""Cleans up when the demo ends: terminates its processes and stops the embedded server.

Runs in a separate session. Its standard input is a pipe from the demo, which the system closes when the demo ends in
any way. Lines on it name the process groups to terminate: `+123` when one starts, `-123` when it has ended.
Arguments: seconds that processes may take to end, and the folder of the embedded server if there is one.
"""

import contextlib
import os
import signal
import sys
from pathlib import Path

from missionsite import embedded
from missionsite.embedded.processes import wait_until

PATIENCE = 10


def main(seconds: str, var: str = "") -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    groups = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    end(groups, seconds=float(seconds))
    if var:
        try:
            embedded.stop(Path(var))
        except embedded.EmbeddedError as error:
            sys.exit(str(error))


def end(groups: set[int], *, seconds: float) -> None:
    """Terminate process groups, and kill them if they do not end in time."""
    for ending in (signal.SIGTERM, signal.SIGKILL):
        signal_all(groups, ending)
        if wait_until(lambda: not any(map(is_alive, groups)), seconds=seconds):
            return


def signal_all(groups: set[int], number: int) -> None:
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)


def is_alive(group: int) -> bool:
    """Whether a process group has any process."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main(*sys.argv[1:])
