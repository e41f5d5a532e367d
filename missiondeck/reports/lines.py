"""Reads formats of lines: TAP, and one JSON value per line. Memory is bounded by one line."""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any

from missiondeck.reports.collector import Collector
from missiondeck.reports.logs import encoding_of
from missiondeck.reports.stream import Source

# Bytes of one line; the rest of a longer one is dropped.
LINE = 2 * 1024 * 1024

# Go writes "ok", two blanks and a tab.
_TAP = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ ]*(?:TAP version 1[34]\b|1\.\.\d+(?:\s|\Z)|(?:not )?ok\b(?!  \t))")
_TAP_STRICT = re.compile(r"^TAP version 1[34]\s*$", re.MULTILINE)
# Output of the compiler may come before the first event. Before Go 1.20 a package that cannot be built has no events.
_GO = re.compile(
    r"""^(?:\{"(?:Time|Action|ImportPath|Package)":"|FAIL\t\S+ \[(?:build|setup) failed\]$)""", re.MULTILINE
)
# The first key of a message of Cucumber. Source: github.com/cucumber/messages.
_MESSAGE = re.compile(
    r'\{\s*"(?:meta|source|gherkinDocument|pickle|parameterType|stepDefinition|hook|parseError|testRunStarted'
    r'|testCase|attachment|undefinedParameterType)"\s*:\s*\{'
)


def detect_lines(head: bytes) -> str:
    """Detect a format of lines from the start of a file: "tap", "go", "cucumber" or ""."""
    text = head[:16_384].decode(encoding_of(head), "ignore").lstrip("\ufeff \t\r\n")
    if not text.startswith(("{", "[", "<")):
        if _TAP.match(text) or _TAP_STRICT.search(text):
            return "tap"
        return "go" if _GO.search(text) else ""
    if not text.startswith("{"):
        return ""
    first = text.partition("\n")[0]
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        # The line may be longer.
        return "cucumber" if _MESSAGE.match(first) and len(first) > 4_000 else ""
    if is_go_event(value):
        return "go"
    return "cucumber" if isinstance(value, dict) and len(value) == 1 and _MESSAGE.match(first) else ""


def is_go_event(value: Any) -> bool:
    """Whether a value is a line of `go test -json`."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("Action"), str)
        and ("Package" in value or "ImportPath" in value)
    )


def read_lines(head: bytes, source: Source, collector: Collector) -> Iterator[tuple[str, bool]]:
    """The lines of a file without line ends, and whether each is whole. Warns about invalid bytes."""
    decoder = codecs.getincrementaldecoder(encoding_of(head))(errors="replace")
    rest, is_whole, has_wrong_bytes = "", True, False
    data = head
    while True:
        text = decoder.decode(data, final=not data)
        has_wrong_bytes |= "\ufffd" in text and data.count(b"\xef\xbf\xbd") < text.count("\ufffd")
        *lines, last = text.split("\n")
        for line in lines:
            whole = rest + line if is_whole else rest
            yield whole.removesuffix("\r").removeprefix("\ufeff"), is_whole
            rest, is_whole = "", True
        if is_whole:
            rest += last
        if len(rest) > LINE:
            rest, is_whole = rest[:LINE], False
        if not data:
            break
        data = source.read()
    if rest:
        yield rest.removesuffix("\r"), is_whole
    if has_wrong_bytes:
        collector.warnings.count("wrong_bytes")
