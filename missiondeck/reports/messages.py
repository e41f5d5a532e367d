"""Texts about a report that are stored as a code with values, and translated when they are shown."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext, ngettext_lazy
from django.utils.translation import gettext_lazy as _

from missionsite.common.annotations import StrOrPromise

# {"code": a key of _TEXTS, "values": {name: a text, a count, a message or a list of messages}}
Message = dict[str, Any]

MIB = 1024 * 1024

# Codes are stored: a text may change, its code and the names of its values may not. n: the number of occurrences, of
# which `first` is the first.
_TEXTS: dict[str, StrOrPromise] = {
    # Warnings that are counted.
    "text_cut": ngettext_lazy(
        "One text of a test is longer than %(limit)s characters and was cut.",
        "%(n)s texts of tests are longer than %(limit)s characters and were cut.",
        "n",
    ),
    "output_left_out": ngettext_lazy(
        "The texts of this report exceed %(texts_limit)s: the output of one test was removed.",
        "The texts of this report exceed %(texts_limit)s: the output of %(n)s tests was removed.",
        "n",
    ),
    "error_left_out": ngettext_lazy(
        "The texts of this report exceed %(texts_limit)s: the error or traceback of one test was removed.",
        "The texts of this report exceed %(texts_limit)s: the error or traceback of %(n)s tests was removed.",
        "n",
    ),
    "name_cut": ngettext_lazy(
        "One name is too long and was cut: %(first)s.",
        "%(n)s names are too long and were cut; the first is %(first)s.",
        "n",
    ),
    "no_name": ngettext_lazy(
        "One test has no name: %(first)s.",
        "%(n)s tests have no name; the first is %(first)s.",
        "n",
    ),
    "time_unreadable": ngettext_lazy(
        "One duration is invalid and was ignored: %(first)s.",
        "%(n)s durations are invalid and were ignored; the first is %(first)s.",
        "n",
    ),
    "time_ambiguous": ngettext_lazy(
        "One duration is ambiguous; its comma was read as a thousands separator: %(first)s.",
        "%(n)s durations are ambiguous; their comma was read as a thousands separator; the first is %(first)s.",
        "n",
    ),
    "count_unreadable": ngettext_lazy(
        "One total of a suite is not a number and was ignored: %(first)s.",
        "%(n)s totals of suites are not numbers and were ignored; the first is %(first)s.",
        "n",
    ),
    "status_unknown": ngettext_lazy(
        "The status of one test is unknown and counts as an error: %(first)s.",
        "The statuses of %(n)s tests are unknown and count as errors; the first is %(first)s.",
        "n",
    ),
    "line_not_json": ngettext_lazy(
        "One line of the report is not JSON and was added to the logs: line %(first)s.",
        "%(n)s lines of the report are not JSON and were added to the logs; the first is line %(first)s.",
        "n",
    ),
    "not_report": ngettext_lazy(
        "One file of the archive is not a test report and was ignored: %(first)s.",
        "%(n)s files of the archive are not test reports and were ignored; the first is %(first)s.",
        "n",
    ),
    "cleaned": ngettext_lazy(
        "One text has terminal colours or control characters; they were removed or replaced by \ufffd.",
        "%(n)s texts have terminal colours or control characters; they were removed or replaced by \ufffd.",
        "n",
    ),
    "not_xml": ngettext_lazy(
        "The report has terminal colours or characters that XML forbids; they were removed or replaced by \ufffd.",
        "%(n)s files have terminal colours or characters that XML forbids; they were removed or replaced by \ufffd.",
        "n",
    ),
    "wrong_bytes": ngettext_lazy(
        "The report has bytes that are invalid in its encoding; they were replaced by \ufffd. Save it in UTF-8.",
        "%(n)s files have bytes that are invalid in their encoding; they were replaced by \ufffd. Save them in UTF-8.",
        "n",
    ),
    "no_verdict": ngettext_lazy(
        "One test states neither passed nor failed and counts as skipped: %(first)s.",
        "%(n)s tests state neither passed nor failed and count as skipped; the first is %(first)s.",
        "n",
    ),
    "sounds_bad": ngettext_lazy(
        "One unknown element is named like a failure and counts as an error: %(first)s.",
        "%(n)s unknown elements are named like failures and count as errors; the first is %(first)s.",
        "n",
    ),
    "value_not_understood": ngettext_lazy(
        "One value has an unexpected format and was ignored: %(first)s.",
        "%(n)s values have an unexpected format and were ignored; the first is %(first)s.",
        "n",
    ),
    "unknown_element": ngettext_lazy(
        "The element <%(name)s> is unknown and was ignored.",
        "The element <%(name)s> is unknown and was ignored %(n)s times.",
        "n",
    ),
    "unknown_key": ngettext_lazy(
        "The key “%(name)s” is unknown and was ignored.",
        "The key “%(name)s” is unknown and was ignored %(n)s times.",
        "n",
    ),
    "stderr_lines": ngettext_lazy(
        "gotestsum states %(n)s error: a line on standard error, such as a warning of the compiler. No test failed.",
        "gotestsum states %(n)s errors: lines on standard error, such as warnings of the compiler. No test failed.",
        "n",
    ),
    "not_listed": ngettext_lazy("%(n)s more warning is not listed.", "%(n)s more warnings are not listed.", "n"),
    # Other warnings.
    "no_tests": _("The report contains no tests, so the run failed. Check that the tool found tests to run."),
    "part_logs_left_out": _("The logs of %(name)s were left out: the logs of the run would be too large."),
    "logs_cut": _("The output of the suites is larger than %(logs_bytes)s and was cut at the end."),
    "summary_differs": _("The summary states %(stated_status)s; the results have %(counted)s. The results are used."),
    "passed_with_failures": _("The report has the status passed, but some results failed. The results are used."),
    "totals_differ": _("%(name)s (line %(line)s) states %(stated)s; counted: %(found)s."),
    # Parts of warnings: suites and their counts.
    "whole_report": _("The report as a whole"),
    "suite": _("Suite “%(name)s”"),
    "suite_without_name": _("A suite without a name"),
    "tests": ngettext_lazy("%(n)s test", "%(n)s tests", "n"),
    "failures": ngettext_lazy("%(n)s failure", "%(n)s failures", "n"),
    "skipped": _("%(n)s skipped"),
    # Parts of warnings: where a value is.
    "test_at_line": _("%(name)s, line %(line)s"),
    "element_at_line": _("<%(name)s>, line %(line)s"),
    "value_at_line": _("“%(text)s” of %(source_name)s, line %(line)s"),
    "value_of": _("%(value)s of %(source_name)s"),
    "key_of": _("“%(key)s” of %(source_name)s"),
    "test_beside_name": _("“test” of %(source_name)s, which has a “name” as well"),
    "figure_without_pair": _("“%(key)s” of the summary, without its pair"),
    "figure_above_total": _("“%(key)s” of the summary, above its total"),
    "figure_too_many": _("“%(key)s” of the summary, which has too many"),
    "result": _("result %(number)s (%(name)s)"),
    "report": _("the report"),
    "summary": _("the summary"),
    "not_given": _("not given"),
    # Sizes.
    "mebibytes": _("%(size)s MiB"),
    "bytes": _("%(size)s bytes"),
}


class _Count(int):
    """A number that is written with thousands separators."""

    def __str__(self) -> str:
        return f"{int(self):,}"


def message(code: str, /, **values: object) -> Message:
    """Return a message as it is stored. Counts are numbers; other numbers, such as lines, are texts."""
    return {"code": code, "values": values}


def size_message(size: int) -> Message:
    """Return a number of bytes as a message: "100 MiB"."""
    if size >= MIB:
        return message("mebibytes", size=f"{size / MIB:,.0f}")
    return message("bytes", size=f"{size:,}")


def text_of(value: object) -> str:
    """Return a message, a list of messages, or a value of one as text in the active language.

    A message that this version does not know, or that lacks a value, is shown as its code.
    """
    if isinstance(value, list):
        return ", ".join(text_of(each) for each in value)
    if not isinstance(value, Mapping):
        return str(value)
    code = str(value["code"])
    values = {name: _Count(each) if isinstance(each, int) else text_of(each) for name, each in value["values"].items()}
    try:
        return str(_TEXTS[code] % values)
    except (KeyError, TypeError, ValueError):
        return code


def warning_texts(warnings: Iterable[Message | str]) -> list[str]:
    """Return the warnings of a test run as texts in the active language.

    A warning that is a text is a message id, or was stored by version 0.1.0 in the language of who imported the run.
    """
    return [gettext(each) if isinstance(each, str) else text_of(each) for each in warnings]
