"""The result of reading a test report, its limits, and its error."""

from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from missiondeck.reports.messages import MIB, Message, warning_texts
from missionsite.common.errors import DomainError


class ReportRejected(DomainError):
    """A test report cannot be read; `message` says why."""

    message = _("The test report cannot be read.")
    code = "report_rejected"
    field = "report"
    status = 422


@dataclass(frozen=True)
class Limits:
    """The size limits of a report. Above `file_bytes` or `cases` it is rejected; above the others it is cut."""

    file_bytes: int = 100 * MIB
    cases: int = 200_000
    # Characters of one error, traceback or output.
    text: int = 20_000
    # UTF-8 bytes of all errors, tracebacks and outputs together.
    kept_bytes: int = 24 * MIB
    # UTF-8 bytes of the output of suites.
    logs_bytes: int = 50 * MIB


@dataclass(frozen=True)
class Part:
    """The data of one report file besides its results. figures: further numbers of the summary."""

    name: str
    # The format, a value of RunSource.
    source: str
    seconds: float
    figures: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """A test report as it is stored. `results` and `summary` are described in README.md of this folder."""

    # Name of the root, else of the first suite, else "".
    name: str
    # The format, a value of RunSource.
    source: str
    # SHA-256 digest of the file's bytes, in hexadecimal digits; of several files, see digest_of.
    digest: str
    results: list[dict]
    summary: dict
    # The output of suites, each part below a line with the name of the suite.
    logs: str
    # About parts that were not understood; see messages.py.
    warnings: list[Message]

    @property
    def warning_texts(self) -> list[str]:
        """The warnings in the active language."""
        return warning_texts(self.warnings)
