"""The JSON format of a test run: {"summary": {…}, "results": [{"name", "status", …}]}, or the list of results."""

import json
import re
from collections import Counter
from typing import Any

from django.utils.translation import gettext, gettext_noop, ngettext, override
from django.utils.translation import gettext_lazy as _

from missiondeck.reports import values
from missiondeck.reports.collector import ERROR, FAILED, PASSED, SKIPPED, Collector
from missiondeck.reports.jsonreports import convert
from missiondeck.reports.messages import Message, message, text_of
from missiondeck.reports.report import MIB, Part, ReportRejected
from missiondeck.reports.stream import PIECE, Source
from missiondeck.reports.values import Text, Unreadable, short

# JSON is read into memory as a whole.
FILE_BYTES = 16 * MIB
# Objects, lists and values take far more memory than their bytes.
CONTAINERS = 500_000
VALUES = 2_500_000
PAIRS = 25
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_PAIR = re.compile(r"(.{1,60})_(passed|total)", re.DOTALL)
_AGAIN = _("Correct it and upload it again.")
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
    source.lower_limit(FILE_BYTES)
    pieces = [head]
    while data := source.read(PIECE):
        pieces.append(data)
    document, format = convert(_parse(b"".join(pieces), collector))
    if isinstance(document, list):
        document = {"results": document}
    return _Reader(collector).read(document, format)


# --- Text to values ---------------------------------------------------------------------------


def _parse(data: bytes, collector: Collector) -> dict | list:
    encoding = json.detect_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace")
        collector.warnings.count("wrong_bytes")
    bare = _STRING.sub("", text)
    if bare.count("{") + bare.count("[") > CONTAINERS or bare.count(",") > VALUES:
        raise ReportRejected(gettext("The report has too many objects and values. Upload JUnit XML instead."))
    del bare
    text = text.removeprefix("\ufeff")
    try:
        return _values(text)
    except json.JSONDecodeError as error:
        raise ReportRejected(
            gettext("The report is not well-formed JSON, in line %(lineno)s, column %(colno)s: %(msg)s. %(advice)s")
            % {"lineno": error.lineno, "colno": error.colno, "msg": error.msg, "advice": _AGAIN}
        ) from error
    except RecursionError as error:
        raise ReportRejected(gettext("The JSON is nested too deeply. This is not a test report.")) from error


def _values(text: str) -> Any:
    return json.loads(
        text,
        # Control characters in texts are invalid JSON, but the report is accepted.
        strict=False,
        object_pairs_hook=_reject_duplicate_keys,
        parse_constant=_no_number,
        parse_int=_integer,
        parse_float=_decimal,
    )


def _reject_duplicate_keys(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _value in pairs)
        double = next(key for key, count in counts.items() if count > 1)
        raise ReportRejected(
            gettext("An object of the report has the key “%(double)s” twice. %(advice)s")
            % {"double": short(double), "advice": _AGAIN}
        )
    return found


def _no_number(text: str) -> None:
    raise ReportRejected(
        gettext("The report has %(text)s instead of a number, which is not valid JSON. %(advice)s")
        % {"text": text, "advice": _AGAIN}
    )


def _integer(text: str) -> int:
    if len(text) > 18:
        raise ReportRejected(
            gettext("The report has a number of %(count)s digits: %(text)s. %(advice)s")
            % {"count": f"{len(text):,}", "text": short(text, 20), "advice": _AGAIN}
        )
    return int(text)


def _decimal(text: str) -> float:
    value = float(text)
    if not values.is_number(value):
        raise ReportRejected(
            gettext("The report has a number that is too large: %(text)s. %(advice)s")
            % {"text": short(text, 20), "advice": _AGAIN}
        )
    return value


# --- Values to results ------------------------------------------------------------------------


class _Reader:
    def __init__(self, collector: Collector) -> None:
        self.collector = collector
        self.warnings = collector.warnings
        # Index of the first result of this file.
        self._first = len(collector.results)

    def read(self, document: dict, format: str) -> Part:
        results = document.get("results")
        summary = document.get("summary")
        if not isinstance(results, list):
            raise ReportRejected(
                gettext(
                    "The report has no list “results”. Format: {“summary”: {…}, “results”: [{“name”: …, “status”: …}]}."
                )
            )
        if summary is None:
            summary = {}
        if not isinstance(summary, dict):
            raise ReportRejected(gettext("The report's “summary” is not an object. %(advice)s") % {"advice": _AGAIN})
        self._unknown_keys(document, _REPORT_KEYS)
        name = self.collector.name(self._text(document, "name", message("report")))
        seconds = 0.0
        for number, item in enumerate(results, 1):
            seconds += self._result(number, item)
        self.collector.log(self._text(document, "logs", message("report")))
        figures, lacking = self._figures(summary)
        self._compare(name, document.get("status"), self._stated(summary), lacking)
        stated = summary.get("duration")
        if stated is not None:
            seconds = self._seconds(stated, message("summary")) or seconds
        return Part(name, format, seconds, figures)

    def _result(self, number: int, item: object) -> float:
        """Add one result. Returns its duration in seconds, 0 if unknown."""
        if not isinstance(item, dict):
            raise ReportRejected(
                gettext("Result %(number)s of the report is not an object. %(advice)s")
                % {"number": number, "advice": _AGAIN}
            )
        name = next((text for key in ("name", "test") if (text := item.get(key))), None)
        if not isinstance(name, str) or not (stored := self.collector.name(name)):
            raise ReportRejected(
                gettext("Result %(number)s of the report has no name. %(advice)s")
                % {"number": number, "advice": _AGAIN}
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
                    "advice": _AGAIN,
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
                    % {"key": key, "value": text_of(_quoted(value)), "advice": _AGAIN}
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
