"""What comes out of reading a test report, and the one rejection of it."""

from dataclasses import dataclass, field

from missionsite.common.errors import DomainError

MIB = 1024 * 1024


class ReportRejected(DomainError):
    """The test report cannot be read."""

    code = "report_rejected"
    field = "report"
    status = 422


@dataclass(frozen=True)
class Limits:
    """How large a report may be. Beyond `file_bytes` and `cases` it is rejected, beyond the others it is cut."""

    file_bytes: int = 100 * MIB
    cases: int = 200_000
    # Characters of one error, traceback or output.
    text: int = 20_000
    # UTF-8 bytes of all errors, tracebacks and outputs together.
    kept_bytes: int = 24 * MIB
    # UTF-8 bytes of what whole suites have printed.
    logs_bytes: int = 50 * MIB


@dataclass(frozen=True)
class Part:
    """What one file of a report brought beside its results. figures: further numbers of the summary."""

    name: str
    # "junit" or "json".
    source: str
    seconds: float
    figures: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """A test report as it is stored. README.md of this folder says what is in `results` and `summary`."""

    # Of the root, else of the first suite, else "".
    name: str
    # "junit" or "json".
    source: str
    # SHA-256 digest of the file's bytes, in hexadecimal digits; of several files, see digest_of.
    digest: str
    results: list[dict]
    summary: dict
    # What suites have printed, each part under a line with the suite's name.
    logs: str
    # Sentences for people.
    warnings: list[str]
