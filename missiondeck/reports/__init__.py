"""Reads test reports: JUnit XML of all common tools, the formats of others, and a JSON format of its own.

`read_report` is the entry point. It returns what `test_runs` stores; nothing here uses the database.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import PurePath

from django.utils.translation import gettext_noop

from missiondeck.reports.collector import ERROR, Collector
from missiondeck.reports.jsonformat import read_json
from missiondeck.reports.jsonlines import read_go, read_messages
from missiondeck.reports.lines import detect_lines
from missiondeck.reports.logs import Styles, decode_logs, without_colours
from missiondeck.reports.messages import message, warning_texts
from missiondeck.reports.packages import unpack
from missiondeck.reports.report import Limits, Part, Report, ReportRejected
from missiondeck.reports.stream import PIECE, BinaryFile, Source, detect_format, read_start
from missiondeck.reports.tap import read_tap
from missiondeck.reports.values import short
from missiondeck.reports.xmlformats import read_xml

__all__ = [
    "BinaryFile",
    "Limits",
    "Report",
    "ReportRejected",
    "Styles",
    "decode_logs",
    "digest_of",
    "digest_of_parts",
    "message",
    "read_report",
    "warning_texts",
    "without_colours",
]

_LIMITS = Limits()


def read_report(
    file: BinaryFile,
    *,
    more: Sequence[BinaryFile] = (),
    limits: Limits = _LIMITS,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Read a test report once, from the current position of the file, in bounded memory.

    The format is detected from the content, never from the name. more: further files of the same run, such as shards;
    the limits apply to all files together. A zip archive stands for its files. progress: called with the number of
    bytes read so far.
    Raises ReportRejected with one sentence that names the line, if known.
    """
    files, others = unpack([file, *more], limit=limits.file_bytes)
    collector = Collector(limits)
    for name in others:
        collector.warnings.count("not_report", short(name))
    parts: list[Part] = []
    digests: list[str] = []
    empty: list[str] = []
    size = 0
    for number, each in enumerate(files, 1):
        label = gettext_noop("Report %(number)s of %(count)s") % {"number": number, "count": len(files)}
        label += _file_label(each)
        source = Source(each, limit=limits.file_bytes, before=size, progress=progress)
        found = len(collector.results)
        try:
            part = _read(source, collector)
        except ReportRejected as rejection:
            if len(files) == 1:
                raise
            raise ReportRejected(f"{label}: {rejection.message}") from rejection
        if len(collector.results) == found:
            empty.append(part.name or label)
        parts.append(part)
        digests.append(source.digest)
        size += source.count
    if collector.results:
        # An empty file may be a shard that did not run: without this error the run could pass.
        for name in empty:
            collector.add(name=name, status=ERROR, error=gettext_noop("This report file contains no tests."))
    figures: Counter[str] = Counter()
    for part in parts:
        figures.update(part.figures)
    return collector.report(
        name=next((part.name for part in parts if part.name), ""),
        source=parts[0].source,
        digest=digest_of_parts(digests),
        duration=sum(part.seconds for part in parts),
        figures=dict(figures),
    )


def digest_of(files: Sequence[BinaryFile]) -> str:
    """The digest of these files, as in `Report.digest`. Reads the files completely. Raises ReportRejected."""
    digests = []
    for file in unpack(files, limit=_LIMITS.file_bytes)[0]:
        file.seek(0)
        digest = hashlib.sha256()
        while data := file.read(PIECE):
            digest.update(data)
        digests.append(digest.hexdigest())
    return digest_of_parts(digests)


def digest_of_parts(digests: list[str]) -> str:
    """The digest of one file, or of several files independent of their order."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()


def _read(source: Source, collector: Collector) -> Part:
    head, lines = read_start(source)
    readers: dict[str, Callable[..., Part]] = {"tap": read_tap, "go": read_go, "cucumber": read_messages}
    if reader := readers.get(detect_lines(head)):
        return reader(head=head, source=source, collector=collector)
    if detect_format(head) == "json":
        return read_json(head=head, source=source, collector=collector)
    return read_xml(head=head, lines=lines, source=source, collector=collector)


def _file_label(file: BinaryFile) -> str:
    name = getattr(file, "name", None)
    return f" ({short(PurePath(name).name)})" if isinstance(name, str) and name.strip("<>-") else ""
