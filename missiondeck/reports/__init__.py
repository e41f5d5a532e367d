"""Reads test reports: JUnit XML of any common tool, and the JSON form of a run.

`read_report` is all others need. Nothing here knows a table: what comes out is what `test_runs` stores.
"""

from collections.abc import Callable
from typing import BinaryIO

from missiondeck.reports.jsonform import read_json
from missiondeck.reports.junit import read_junit
from missiondeck.reports.report import Limits, Report, ReportRefused
from missiondeck.reports.stream import Source, beginning, form_of

__all__ = ["Limits", "Report", "ReportRefused", "read_report"]

_LIMITS = Limits()


def read_report(file: BinaryIO, *, limits: Limits = _LIMITS, progress: Callable[[int], None] | None = None) -> Report:
    """Read a test report, once and from where the file stands, in memory bounded by the limits.

    What it is follows from its content, never from its name. progress: told the bytes read so far, now and then.
    Raises ReportRefused, in one sentence with the line where there is one.
    """
    source = Source(file, limit=limits.file_bytes, progress=progress)
    head, lines = beginning(source)
    if form_of(head) == "json":
        return read_json(head=head, source=source, limits=limits)
    return read_junit(head=head, lines=lines, source=source, limits=limits)
