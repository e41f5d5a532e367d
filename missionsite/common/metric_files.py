"""Where the web processes of one service add up their metrics: a folder that belongs to the process that started them.

prometheus_client decides at its import whether metrics are shared, so this is called before it is imported.
"""

import contextlib
import logging
import os
import re
import shutil
from pathlib import Path

logger = logging.getLogger(__name__)

_OF_PROCESS = re.compile(r"gauge_live\w*_(\d+)\.db")


def share_metrics(folder: Path) -> None:
    """Share metrics with the processes of the same parent. Deletes the files of services that have ended."""
    own = folder / str(os.getppid())
    try:
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        logger.warning("Each process counts for itself, since METRICS_DIR cannot be written: %s", error)
        return
    for other in folder.iterdir():
        if other.name.isdigit() and other != own and not _is_alive(int(other.name)):
            shutil.rmtree(other, ignore_errors=True)
    # Gauges of a killed process; its counters still count.
    for file in own.iterdir():
        found = _OF_PROCESS.fullmatch(file.name)
        if found and not _is_alive(int(found[1])):
            with contextlib.suppress(FileNotFoundError):
                file.unlink()
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(own)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
