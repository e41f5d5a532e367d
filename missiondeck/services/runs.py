"""Test runs: start, finish, give up, and import from reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import JSONField, Value
from django.utils.translation import gettext, gettext_noop

from groups.models import Member
from missiondeck.errors import LogsTooLarge, ReportAlreadyImported, RunFinished
from missiondeck.models import DeckMission, RunOutcome, RunSource, RunStatus, TestRun
from missiondeck.reports import BinaryFile, Limits, Report, clean_text, read_report, warning_texts
from missiondeck.selectors.runs import latest_run, light_runs
from missionsite.common.audit.events import audit
from missionsite.common.errors import ConstraintViolated, violated
from missionsite.common.transactions import service

# The warning of a run that was given up: a message id.
GIVEN_UP = gettext_noop("Marked as failed: no report was received.")
_KEY_UNIQUE = "test_runs_key_unique"


@dataclass(frozen=True)
class ImportResult:
    """The result of an import. is_new: False for a retry; `run` is then the run of the first import."""

    run: TestRun
    is_new: bool

    @property
    def warnings(self) -> list[str]:
        """In the active language."""
        return warning_texts(self.run.warnings)


def import_report(
    *,
    actor: Member,
    mission: DeckMission,
    file: BinaryFile,
    more: Sequence[BinaryFile] = (),
    logs: BinaryFile | None = None,
    key: str = "",
    progress: Callable[[int], None] | None = None,
) -> ImportResult:
    """Import a test report as a finished run.

    file: JUnit XML or JSON. more: further files of the same run, such as shards. logs: the complete output of the tool,
    added to the logs in the report. progress: called with the number of bytes read so far.
    key: identifies the run: the same report under the same key is a retry, under another key a new run. Without a key a
    report is a retry while the latest run of the mission has the same bytes, otherwise a new run.
    Raises ReportRejected, LogsTooLarge, ConstraintViolated (run_key_taken, run_key_invalid); then nothing is stored.
    """
    report, text = _read([file, *more], logs, progress)
    if (earlier := _find_imported(mission, report.digest, key)) is not None:
        return ImportResult(earlier, is_new=False)
    try:
        return ImportResult(_store(actor=actor, mission=mission, report=report, logs=text, key=key), is_new=True)
    except ConstraintViolated as error:
        if error.constraint != _KEY_UNIQUE:
            raise
        # A concurrent retry was stored first.
        if (earlier := _find_imported(mission, report.digest, key)) is None:
            raise
    except ReportAlreadyImported:
        # As above, but another run may be the latest by now.
        if (earlier := light_runs().filter(mission=mission, digest=report.digest).first()) is None:
            raise
    return ImportResult(earlier, is_new=False)


@service
def _store(*, actor: Member, mission: DeckMission, report: Report, logs: str, key: str) -> TestRun:
    run = TestRun.objects.create(
        mission=mission, name=report.name[:255], created_by=actor, import_key=key, **_fields_of(report, logs)
    )
    _audit("imported", actor=actor, run=run)
    return light_runs().get(pk=run.pk)


def _find_imported(mission: DeckMission, digest: str, key: str) -> TestRun | None:
    """The run of an earlier import of the same report, or None. Raises ConstraintViolated (run_key_taken)."""
    if not key:
        latest = latest_run(mission)
        return latest if latest and latest.digest == digest else None
    found = light_runs().filter(mission=mission, import_key=key).first()
    if found and found.digest != digest:
        raise violated(_KEY_UNIQUE)
    return found


@service
def start_run(*, actor: Member, mission: DeckMission, name: str = "") -> TestRun:
    """Create a running test run."""
    run = TestRun.objects.create(mission=mission, status=RunStatus.RUNNING, name=name[:255], created_by=actor)
    _audit("started", actor=actor, run=run)
    return light_runs().get(pk=run.pk)


def finish_run(
    *, actor: Member, run: TestRun, file: BinaryFile, more: Sequence[BinaryFile] = (), logs: BinaryFile | None = None
) -> TestRun:
    """Finish a running run with its report, even if another run has the same bytes.

    file, more, logs: as in import_report. Raises RunFinished, ReportRejected, LogsTooLarge.
    """
    report, text = _read([file, *more], logs)
    return _finish(actor=actor, run=run, report=report, logs=text)


@service
def _finish(*, actor: Member, run: TestRun, report: Report, logs: str) -> TestRun:
    TestRun.objects.filter(pk=run.pk).update(name=run.name or report.name[:255], **_fields_of(report, logs))
    _audit("finished", actor=actor, run=run)
    return light_runs().get(pk=run.pk)


@service
def give_up_run(*, actor: Member, run: TestRun) -> TestRun:
    """Mark a running run as failed, without results and with a warning. Raises RunFinished."""
    running = TestRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING)
    if not running.update(status=RunStatus.FAILED, results=[], warnings=[GIVEN_UP]):
        raise RunFinished
    _audit("given_up", actor=actor, run=run)
    return light_runs().get(pk=run.pk)


def _audit(participle: str, *, actor: Member, run: TestRun) -> None:
    audit(f"test_run.{participle}", actor=actor, client_mission=run.mission.number, run=str(run.pk))


def _fields_of(report: Report, logs: str) -> dict:
    """The field values of a finished run from its report."""
    return {
        "status": outcome_of(report.summary, report.results),
        "summary": report.summary,
        "results": report.results,
        "logs": logs or None,
        "source": RunSource(report.source),
        "digest": report.digest,
        "warnings": report.warnings,
    }


def _read(
    files: list[BinaryFile], logs: BinaryFile | None, progress: Callable[[int], None] | None = None
) -> tuple[Report, str]:
    """Read a report; returns it with its logs followed by those of the tool."""
    limits = Limits(file_bytes=settings.DECK_REPORT_BYTES, logs_bytes=settings.DECK_LOGS_BYTES)
    report = read_report(files[0], more=files[1:], limits=limits, progress=progress)
    return report, "\n".join(each for each in (report.logs, _read_logs(logs)) if each)


def outcome_of(summary: dict | None, results: list[dict]) -> RunOutcome:
    """The status of a finished run, as an expression that the database computes while it stores the run.

    Only the statuses of the results count, so that the results are sent once.
    """
    statuses = [{"status": status} for status in sorted({result["status"] for result in results})]
    return RunOutcome(Value(summary, JSONField()), Value(statuses, JSONField()))


def _read_logs(file: BinaryFile | None) -> str:
    """Decode a log file: colour sequences are removed, other control characters and invalid UTF-8 are replaced.

    Raises LogsTooLarge.
    """
    if file is None:
        return ""
    data = file.read(settings.DECK_LOGS_BYTES + 1)
    if len(data) > settings.DECK_LOGS_BYTES:
        raise LogsTooLarge(
            gettext("Logs can be at most %(limit)s MB.") % {"limit": settings.DECK_LOGS_BYTES // 1024 // 1024},
            field="logs",
        )
    return clean_text(data.decode("utf-8", errors="replace").replace("\r\n", "\n"))
