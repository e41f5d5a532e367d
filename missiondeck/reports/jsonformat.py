"""The JSON format of a test run: {"summary": {…}, "results": [{"name", "status", …}]}, or the list of results."""

import json
import re
from typing import Any

from django.utils.translation import gettext, gettext_noop, ngettext, override

from missiondeck.reports import values
from missiondeck.reports.collector import ERROR, FAILED, PASSED, SKIPPED, Collector
from missiondeck.reports.jsonreports import CTRF, LISTS, OF_TOOLS, TOOLS, feature_results, is_feature
from missiondeck.reports.jsonstream import AGAIN, JsonStream
from missiondeck.reports.messages import Message, message, text_of
from missiondeck.reports.report import Part, ReportRejected
from missiondeck.reports.stream import Source
from missiondeck.reports.values import Text, Unreadable, short

PAIRS = 25
_PAIR = re.compile(r"(.{1,60})_(passed|total)", re.DOTALL)
_STATUSES = (PASSED, FAILED, ERROR, SKIPPED)
_REPORT_KEYS = {"summary", "results", "name", "logs", "status"}
_RESULT_KEYS = {
    "name", "test", "status", "duration", "classname", "suite", "file", "error", "traceback", "output", "flaky",
    "retries",
}  # fmt: skip
# Counts of a summary, and their names in the stored summary.
_COUNTS = {
    "passed": "passed", "failed": "failed", "failures": "failed", "errors": "errors", "error": "errors",
    "skipped": "skipped", "total": "total",
}  # fmt: skip


def read_json(*, head: bytes, source: Source, collector: Collector) -> Part:
    """Add the results of the source to the collector. head: the bytes that were already read."""
    stream, reader = JsonStream(head, source), _Reader(collector)
    part = _read_list(stream, reader) if stream.peek() == "[" else _read_object(stream, reader)
    stream.end()
    if stream.has_wrong_bytes:
        collector.warnings.count("wrong_bytes")
    return part


def _read_list(stream: JsonStream, reader: "_Reader") -> Part:
    """Results, or features of Cucumber as in the first item."""
    are_features = None
    for _item in stream.items():
        item = stream.value()
        if are_features is None:
            are_features = is_feature(item)
        for result in feature_results(item) if are_features and is_feature(item) else [item]:
            reader.add(result)
    return reader.end({"name": "cucumber"}, "cucumber") if are_features else reader.end({}, "json")


def _read_object(stream: JsonStream, reader: "_Reader") -> Part:
    """A report of this format, or that of a tool, which some keys show only at the end.

    Lists that turn out to belong to another format are dropped.
    """
    document: dict[str, Any] = {}
    of_tool: dict[str, Any] = {}
    ctrf: dict[str, Any] | None = None
    unknown: list[str] = []
    # The lists that were read: key, and index of their first result and of the one after the last.
    lists: list[tuple[str, int, int]] = []

    def read_list(key: str, convert) -> None:
        first = reader.count
        for _item in stream.items():
            for result in convert(stream.value()):
                reader.add(result)
        lists.append((key, first, reader.count))

    for key in stream.members():
        kind = stream.peek()
        if key == "results" and kind == "[":
            read_list(key, lambda item: [item])
        elif key == "results" and kind == "{":
            ctrf = {}
            for name in stream.members():
                if name == "tests" and stream.peek() == "[":
                    read_list(CTRF, LISTS[CTRF])
                elif name in OF_TOOLS:
                    ctrf[name] = stream.value()
                else:
                    stream.skip()
        elif key in LISTS and kind == "[":
            read_list(key, LISTS[key])
            unknown.append(key)
        elif key in OF_TOOLS or key in _REPORT_KEYS:
            (document if key in _REPORT_KEYS else of_tool)[key] = stream.value()
        else:
            stream.skip()
            unknown.append(key)

    found = {key for key, _first, _end in lists}
    tool = next((each for each in TOOLS if each.wrote(found, of_tool)), None)
    needed = tool.lists if tool else {"results"}
    for key, first, end in reversed(lists):
        if key not in needed:
            reader.drop(first, end)
    if tool:
        summary = tool.summary(of_tool if ctrf is None else ctrf)
        for result in summary.pop("results", ()):
            reader.add(result)
        return reader.end(summary, tool.source)
    if "results" not in found:
        raise ReportRejected(
            gettext(
                "The report has no list “results”. Format: {“summary”: {…}, “results”: [{“name”: …, “status”: …}]}."
            )
        )
    for key in [*unknown, *of_tool]:
        reader.warnings.unknown("key", key)
    return reader.end(document, "json")


# --- Values to results ------------------------------------------------------------------------


class _Reader:
    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.warnings = collector.warnings
        # Index of the first result of this file.
        self._first = len(collector.results)
        self._number = 0
        self._seconds_found = 0.0

    @property
    def count(self) -> int:
        """The number of results so far, of all files."""
        return len(self.collector.results)

    def add(self, item: object) -> None:
        """Add one result."""
        self._number += 1
        self._seconds_found += self._result(self._number, item)

    def drop(self, first: int, end: int) -> None:
        """Remove results."""
        self._seconds_found -= sum(each.get("duration") or 0.0 for each in self.collector.results[first:end])
        del self.collector.results[first:end]

    def end(self, document: dict, format: str) -> Part:
        """Read the rest of the document, after its results."""
        summary = document.get("summary")
        if summary is None:
            summary = {}
        if not isinstance(summary, dict):
            raise ReportRejected(gettext("The report's “summary” is not an object. %(advice)s") % {"advice": AGAIN})
        name = self.collector.name(self._text(document, "name", message("report")))
        self.collector.log(self._text(document, "logs", message("report")))
        figures, lacking = self._figures(summary)
        self._compare(name, document.get("status"), self._stated(summary), lacking)
        seconds = self._seconds_found
        stated = summary.get("duration")
        if stated is not None:
            seconds = self._seconds(stated, message("summary")) or seconds
        return Part(name, format, seconds, figures)

    def _result(self, number: int, item: object) -> float:
        """Add one result. Returns its duration in seconds, 0 if unknown."""
        if not isinstance(item, dict):
            raise ReportRejected(
                gettext("Result %(number)s of the report is not an object. %(advice)s")
                % {"number": number, "advice": AGAIN}
            )
        name = next((text for key in ("name", "test") if (text := item.get(key))), None)
        if not isinstance(name, str) or not (stored := self.collector.name(name)):
            raise ReportRejected(
                gettext("Result %(number)s of the report has no name. %(advice)s") % {"number": number, "advice": AGAIN}
            )
        source_name = message("result", number=str(number), name=short(name))
        status = item.get("status")
        stated_status = status.strip().lower() if isinstance(status, str) else status
        if stated_status not in _STATUSES:
            raise ReportRejected(
                gettext("The status of %(source_name)s is %(status)s. It must be one of %(statuses)s. %(advice)s")
                % {
                    "source_name": text_of(source_name),
                    "status": text_of(_quoted(status)),
                    "statuses": ", ".join(_STATUSES),
                    "advice": AGAIN,
                }
            )
        self._unknown_keys(item, _RESULT_KEYS)
        if item.get("name") and item.get("test") and item["name"] != item["test"]:
            self.warnings.count(
                "value_not_understood",
                message("test_beside_name", source_name=source_name),
            )
        duration = self._seconds(item.get("duration"), source_name)
        error, traceback, output = (
            self._cut(self._text(item, key, source_name)) for key in ("error", "traceback", "output")
        )
        classname, suite, file = (
            self.collector.name(self._text(item, key, source_name)) for key in ("classname", "suite", "file")
        )
        self.collector.add(
            name=stored,
            status=stated_status,
            duration=duration,
            classname=classname,
            suite=suite,
            file=file,
            error=error.strip(),
            traceback=traceback,
            output=output,
            flaky=self._flaky(item, stated_status, source_name),
            retries=self._retries(item, source_name),
        )
        return duration or 0.0

    # --- The summary --------------------------------------------------------------------------

    def _figures(self, summary: dict) -> tuple[dict[str, int], int]:
        """Read pairs such as functional_passed and functional_total, which may count more tests than are listed.

        Returns the pairs, and the number of failures that they and counts such as functional_failed state.
        """
        figures: dict[str, int] = {}
        pairs = lacking = failed = 0
        for key, value in summary.items():
            if key in _COUNTS or key == "duration":
                continue
            if _is_count(value) and key.endswith(("_failed", "_errors")):
                failed += value
            pair = _PAIR.fullmatch(key)
            if not pair:
                self.warnings.unknown("key", f"summary.{key}")
                continue
            passed: Any = summary.get(f"{pair[1]}_passed")
            total: Any = summary.get(f"{pair[1]}_total")
            if not (_is_count(passed) and _is_count(total)):
                self.warnings.count("value_not_understood", message("figure_without_pair", key=short(key)))
            elif passed > total:
                self.warnings.count("value_not_understood", message("figure_above_total", key=short(key)))
            elif pair[2] == "total":
                # Counted once per pair.
                lacking += total - passed
                pairs += 1
                if pairs <= PAIRS:
                    figures |= {values.clean(f"{pair[1]}_passed"): passed, values.clean(key): total}
                else:
                    self.warnings.count(
                        "value_not_understood",
                        message("figure_too_many", key=short(key)),
                    )
        return figures, max(lacking, failed)

    def _stated(self, summary: dict) -> dict[str, int]:
        """The counts of the summary under their stored names."""
        stated: dict[str, int] = {}
        for key, ours in _COUNTS.items():
            value = summary.get(key)
            if value is None:
                continue
            if not _is_count(value):
                raise ReportRejected(
                    gettext("“%(key)s” of the report's summary is %(value)s, not a count. %(advice)s")
                    % {"key": key, "value": text_of(_quoted(value)), "advice": AGAIN}
                )
            stated[ours] = max(value, stated.get(ours, 0))
        return stated

    def _compare(self, name: str, status: object, stated: dict[str, int], lacking: int) -> None:
        """Warn if the summary differs from the results; the results are used.

        If the summary states failures and the results have none, an error is added, so that the run cannot pass.
        lacking: failures that the summary states in other ways than by its counts.
        """
        found = dict.fromkeys(("passed", "failed", "errors", "skipped"), 0)
        results = self.collector.results[self._first :]
        for result in results:
            found["errors" if result["status"] == ERROR else result["status"]] += 1
        found["total"] = len(results)
        if differing := [key for key, value in stated.items() if value != found[key]]:
            stated_status = ", ".join(f"{stated[key]:,} {key}" for key in differing)
            counted = ", ".join(f"{found[key]:,} {key}" for key in differing)
            self.warnings.add("summary_differs", stated_status=stated_status, counted=counted)
        report_status = status.strip().lower() if isinstance(status, str) else ""
        if found["failed"] or found["errors"]:
            if report_status == PASSED:
                self.warnings.add("passed_with_failures")
            return
        lacking = stated.get("failed", 0) + stated.get("errors", 0) or lacking
        if lacking:
            with override("en"):
                error = ngettext(
                    "The report's summary counts %(count)s more failure than its results.",
                    "The report's summary counts %(count)s more failures than its results.",
                    lacking,
                ) % {"count": f"{lacking:,}"}
        elif report_status in (FAILED, ERROR):
            error = gettext_noop("The report has the status failed, but none of its results failed.")
        else:
            return
        self.collector.add(name=name or gettext_noop("Summary of the report"), status=ERROR, error=error)

    # --- Single values ------------------------------------------------------------------------

    def _unknown_keys(self, item: dict, known: set[str]) -> None:
        for key in item.keys() - known:
            self.warnings.unknown("key", key)

    def _text(self, item: dict, key: str, source_name: Message) -> str:
        value = item.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.warnings.count(
                "value_not_understood",
                message("key_of", key=key, source_name=source_name),
            )
            return ""
        return value

    def _cut(self, text: str) -> str:
        collected = Text(self.collector.limits.text)
        collected.add(text)
        return self.collector.cut(collected)

    def _seconds(self, value: object, source_name: Message) -> float | None:
        try:
            if value is None:
                return None
            if isinstance(value, str):
                duration, _is_ambiguous = values.seconds(value)
                return duration
            if not values.is_number(value):
                raise Unreadable
            return values.seconds(f"{value:.9f}")[0]
        except Unreadable:
            self.warnings.count(
                "time_unreadable",
                message("value_of", value=_quoted(value), source_name=source_name),
            )
            return None

    def _flaky(self, item: dict, status: str, source_name: Message) -> bool:
        value = item.get("flaky")
        if value is not None and not isinstance(value, bool):
            self.warnings.count("value_not_understood", message("key_of", key="flaky", source_name=source_name))
        return value is True and status == PASSED

    def _retries(self, item: dict, source_name: Message) -> int:
        value = item.get("retries")
        if value is None:
            return 0
        if not _is_count(value) or value > 1_000_000:
            self.warnings.count("value_not_understood", message("key_of", key="retries", source_name=source_name))
            return 0
        return value


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9


def _quoted(value: object) -> str | Message:
    if isinstance(value, str):
        return f"“{short(value, 40)}”"
    return message("not_given") if value is None else short(json.dumps(value), 40)
