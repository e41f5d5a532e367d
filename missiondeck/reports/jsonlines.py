"""JSON of one value per line: `go test -json`, and the messages of Cucumber.

Sources: `go doc test2json`; github.com/cucumber/messages, jsonschema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext

from missiondeck.reports.collector import Collector
from missiondeck.reports.cucumber import CucumberMessages
from missiondeck.reports.gotest import GoTests
from missiondeck.reports.lines import read_lines
from missiondeck.reports.report import Part, ReportRejected
from missiondeck.reports.stream import Source


def read_go(*, head: bytes, source: Source, collector: Collector) -> Part:
    reader = GoTests(collector)
    for event in _values(head, source, collector):
        if isinstance(event, str):
            reader.line(event)
        else:
            reader.event(event)
    return Part("go test", "go", reader.finish())


def read_messages(*, head: bytes, source: Source, collector: Collector) -> Part:
    reader = CucumberMessages(collector)
    for envelope in _values(head, source, collector):
        if isinstance(envelope, dict):
            reader.envelope(envelope)
    return Part("cucumber", "cucumber", reader.finish())


def _values(head: bytes, source: Source, collector: Collector) -> Iterator[dict[str, Any] | str]:
    """The objects of the lines. Other lines are output of a tool, and are added to the logs. Raises ReportRejected."""
    for number, (line, is_whole) in enumerate(read_lines(head, source, collector), 1):
        if not line.strip():
            continue
        value: Any = None
        if line.lstrip().startswith("{"):
            try:
                value = json.loads(line, strict=False) if is_whole else None
            except (ValueError, RecursionError):
                value = None
            if value is None:
                raise ReportRejected(
                    gettext(
                        "Line %(line)s of the report is incomplete or not well-formed JSON."
                        " Upload the report again as the tool wrote it."
                    )
                    % {"line": f"{number:,}"}
                )
        if isinstance(value, dict):
            yield value
        else:
            collector.warnings.count("line_not_json", f"{number:,}")
            collector.log(line + "\n")
            yield line
