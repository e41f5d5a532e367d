"""Collects results within the limits of a report, for both report formats."""

from collections import Counter
from operator import itemgetter
from typing import Any, NoReturn

from django.utils.translation import gettext

from missiondeck.reports import values
from missiondeck.reports.messages import size_message
from missiondeck.reports.report import MIB, Limits, Report, ReportRejected
from missiondeck.reports.stream import format_size
from missiondeck.reports.values import Text, short
from missiondeck.reports.warnings import Warnings

PASSED, FAILED, ERROR, SKIPPED = "passed", "failed", "error", "skipped"
# UTF-8 bytes of all names, classes, suites and files together.
NAMES_BYTES = 64 * MIB


class Collector:
    """Collects results, warnings and logs."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.warnings = Warnings(limit=f"{limits.text:,}", texts_limit=size_message(limits.kept_bytes))
        self.results: list[dict] = []
        self._kept = 0
        self.names_bytes = 0
        # Class, suite and file of the last result, and their bytes.
        self._where = ("", "", "")
        self._where_size = 0
        # Results with an output, latest last. Their outputs are dropped when an error needs the space.
        self._with_output: list[dict] = []
        # As UTF-8: in a str, one rare character would make every character take four bytes.
        self._logs = bytearray()
        # Leaves space for the note about the cut.
        self._logs_remaining = max(0, limits.logs_bytes - 64)
        self._logs_beyond = 0

    # --- One result ---------------------------------------------------------------------------

    def add(
        self,
        *,
        name: str,
        status: str,
        duration: float | None = None,
        classname: str = "",
        suite: str = "",
        file: str = "",
        error: str = "",
        traceback: str = "",
        output: str = "",
        flaky: bool = False,
        retries: int = 0,
    ) -> None:
        """Add a result without empty values. Texts must be clean and within the limit of one text."""
        result = self.begin(name, status, duration, classname, suite, file)
        if flaky:
            result["flaky"] = True
        if retries:
            result["retries"] = retries
        self.keep(result, error=error, traceback=traceback, output=output)

    def begin(
        self, name: str, status: str, duration: float | None, classname: str, suite: str, file: str
    ) -> dict[str, Any]:
        """Add a result and return it. This runs for every test of a report, so it calls little."""
        if len(self.results) >= self.limits.cases:
            self._reject_number()
        result: dict[str, Any] = {"name": name, "status": status}
        if duration is not None:
            result["duration"] = duration
        if classname:
            result["classname"] = classname
        if suite:
            result["suite"] = suite
        if file:
            result["file"] = file
        # Mostly that of the test before.
        if self._where != (where := (classname, suite, file)):
            self._where = where
            self._where_size = sum(map(values.size_of, where))
        self.names_bytes += self._where_size + (len(name) if name.isascii() else values.size_of(name))
        if self.names_bytes > NAMES_BYTES:
            self._reject_names()
        self.results.append(result)
        return result

    def keep(self, result: dict[str, Any], *, error: str, traceback: str, output: str) -> None:
        """Add the texts of a result, while there is space for them."""
        if (error or traceback) and not self._keep(result, error=error, traceback=traceback):
            self.warnings.count("error_left_out")
        if output and not self._keep_output(result, output):
            self.warnings.count("output_left_out")

    def describe(self, index: int, *, classname: str) -> None:
        """Add the class to a result, which some formats state later."""
        if classname and "classname" not in (result := self.results[index]):
            self.names_bytes += values.size_of(classname)
            if self.names_bytes > NAMES_BYTES:
                self._reject_names()
            result["classname"] = classname

    def describe_error(self, result: dict, error: str) -> None:
        """Add an error to a result without one."""
        if "error" not in result and not self._keep(result, error=error):
            self.warnings.count("error_left_out")

    def name(self, text: str) -> str:
        """The name as it is stored. Warns if it is cut."""
        if len(text) <= values.NAME and text.isascii() and text.isprintable():
            # Needs no cleaning.
            return text.strip()
        self._warn_if_cleaned(text)
        stored = values.name(text)
        if len(text) > values.NAME and len(text.strip()) > values.NAME:
            self.warnings.count("name_cut", short(text))
        return stored

    def cut(self, text: Text) -> str:
        """The collected text. Warns if it is cut."""
        if not text:
            return ""
        if text.beyond:
            self.warnings.count("text_cut")
        if not text.clean():
            self.warnings.count("cleaned")
        return text.value()

    def _reject_number(self) -> NoReturn:
        raise ReportRejected(
            gettext("The report has more than %(cases)s tests. Split it into several runs.")
            % {"cases": f"{self.limits.cases:,}"}
        )

    @staticmethod
    def _reject_names() -> NoReturn:
        raise ReportRejected(
            gettext("The names in the report are more than %(names_bytes)s of text. Split it into several runs.")
            % {"names_bytes": format_size(NAMES_BYTES)}
        )

    def _warn_if_cleaned(self, text: str) -> None:
        """Warn if a text is not stored unchanged."""
        if not values.is_clean(text):
            self.warnings.count("cleaned")

    def _keep(self, result: dict, **texts: str) -> bool:
        """Store texts within the limit; drops outputs for them, latest first. Returns whether all were stored."""
        all_kept = True
        for key, text in texts.items():
            if not text:
                continue
            size = values.size_of(text)
            while self._kept + size > self.limits.kept_bytes and self._with_output:
                self._kept -= values.size_of(self._with_output.pop().pop("output"))
                self.warnings.count("output_left_out")
            if self._kept + size > self.limits.kept_bytes:
                all_kept = False
                continue
            result[key] = text
            self._kept += size
        return all_kept

    def _keep_output(self, result: dict, output: str) -> bool:
        size = values.size_of(output)
        if self._kept + size > self.limits.kept_bytes:
            return False
        result["output"] = output
        self._kept += size
        self._with_output.append(result)
        return True

    # --- Logs ---------------------------------------------------------------------------------

    @property
    def has_logs(self) -> bool:
        return bool(self._logs)

    def log(self, text: str) -> None:
        """Add output of a suite. Text beyond the limit is counted."""
        self._warn_if_cleaned(text)
        data = values.clean(text).encode()
        if len(data) > self._logs_remaining:
            # Cut at a whole character.
            kept = data[: self._logs_remaining].decode(errors="ignore")
            self._logs_beyond += len(text) - len(kept)
            # Nothing is added after a cut.
            data, self._logs_remaining = kept.encode(), 0
        self._logs += data
        self._logs_remaining = max(0, self._logs_remaining - len(data))

    # --- The whole report ---------------------------------------------------------------------

    def report(self, *, name: str, source: str, digest: str, duration: float, figures: dict | None = None) -> Report:
        """The collected report.

        duration: seconds. figures: further numbers of the summary. A report without results is a failed run.
        """
        if not self.results:
            self.warnings.add("no_tests")
        counted = Counter(map(itemgetter("status"), self.results))
        summary = {
            "passed": counted[PASSED],
            "failed": counted[FAILED],
            "errors": counted[ERROR],
            "skipped": counted[SKIPPED],
            "total": len(self.results),
            "duration": round(float(duration), 6),
            **(figures or {}),
        }
        if self._logs_beyond:
            # ASCII, as most logs: one other character would double the memory of the text.
            self._logs += f"\n... (cut here: {self._logs_beyond:,} more characters)\n".encode()
            self.warnings.add("logs_cut", logs_bytes=size_message(self.limits.logs_bytes))
        logs = self._logs.decode()
        self._logs.clear()
        return Report(name, source, digest, self.results, summary, logs, self.warnings.messages())
