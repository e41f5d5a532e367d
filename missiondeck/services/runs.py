"""Test runs: start, finish, give up, and import from reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Func, JSONField, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from groups.models import Member
from missiondeck.errors import LogsTooLarge, NoReportReceived, ReportAlreadyImported, RunFinished
from missiondeck.models import DeckMission, RunOutcome, RunSource, RunStatus, TestRun, TestRunPart
from missiondeck.reports import (
    BinaryFile,
    Limits,
    Report,
    decode_logs,
    digest_of_parts,
    message,
    read_report,
    warning_texts,
)
from missiondeck.rules import LOGS_BYTES
from missiondeck.selectors.runs import light_runs
from missionsite.common.audit.events import audit
from missionsite.common.errors import ConstraintViolated, violated
from missionsite.common.transactions import service

# The warning of a run that was given up: a message id.
GIVEN_UP = gettext_noop("Marked as failed: no report was received.")
_KEY_UNIQUE = "test_runs_key_unique"
_CI_RUN_UNIQUE = "test_runs_ci_run_unique"
# Stored warnings of a run of many parts.
_MOST_WARNINGS = 100


@dataclass(frozen=True)
class CiRun:
    """How CI identifies a run, and which part of it a report is.

    Reports with the same commit, branch, build_url, job, attempt and environment are one run; without a commit and a
    build URL each report is a run of its own. job: the suite. shard, shards: the number of the part, and how many
    there are. started_at, committed_at: when the tests started and when the commit was made.
    """

    commit: str = ""
    branch: str = ""
    build_url: str = ""
    job: str = ""
    attempt: int = 1
    environment: str = ""
    shard: int | None = None
    shards: int | None = None
    started_at: datetime | None = None
    committed_at: datetime | None = None

    @property
    def is_identified(self) -> bool:
        return bool(self.commit or self.build_url)

    @property
    def identity(self) -> dict[str, Any]:
        names = ("commit", "branch", "build_url", "job", "attempt", "environment")
        return {name: getattr(self, name) for name in names}

    @property
    def times(self) -> dict[str, datetime | None]:
        return {"started_at": self.started_at, "committed_at": self.committed_at}


_BY_HAND = CiRun()


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
    ci: CiRun = _BY_HAND,
    progress: Callable[[int], None] | None = None,
) -> ImportResult:
    """Import a test report as a finished run, or as a part of a run of CI.

    ci: the run of CI that the report belongs to. It is added to the run with the same identity. The run is finished
    when all announced shards were received; a run that start_run() began without a number of shards is finished by
    finish_run(). The same report under the same shard number or key is a retry. Raises RunFinished for a run that was
    given up.

    file: JUnit XML or JSON. more: further files of the same run, such as shards. logs: the complete output of the tool,
    added to the logs in the report. progress: called with the number of bytes read so far.
    key: identifies the run: the same report under the same key is a retry, under another key a new run. Without a key a
    report is a retry while the latest run of the mission has the same bytes, otherwise a new run.
    Raises ReportRejected, LogsTooLarge, ConstraintViolated (run_key_taken, run_key_invalid); then nothing is stored.
    """
    report, text = _read([file, *more], logs, progress)
    if ci.is_identified:
        return _import_part(actor=actor, mission=mission, report=report, logs=text, ci=ci, key=key)
    if (earlier := _find_imported(mission, report.digest, key)) is not None:
        return ImportResult(earlier, is_new=False)
    try:
        run = _store(actor=actor, mission=mission, report=report, logs=text, key=key, ci=ci)
        return ImportResult(run, is_new=True)
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
def _store(*, actor: Member, mission: DeckMission, report: Report, logs: str, key: str, ci: CiRun) -> TestRun:
    run = TestRun.objects.create(
        mission=mission,
        name=report.name[:255],
        created_by=actor,
        import_key=key,
        **ci.identity,
        **ci.times,
        **_fields_of(report, logs),
    )
    _audit("imported", actor=actor, run=run)
    return light_runs().get(pk=run.pk)


def _find_imported(mission: DeckMission, digest: str, key: str) -> TestRun | None:
    """The run of an earlier import of the same report, or None. Raises ConstraintViolated (run_key_taken)."""
    if not key:
        # By arrival, as in admit_test_run().
        latest = light_runs().filter(mission=mission).order_by("-created_at", "-pk").first()
        return latest if latest and latest.digest == digest else None
    found = light_runs().filter(mission=mission, import_key=key).first()
    if found and found.digest != digest:
        raise violated(_KEY_UNIQUE)
    return found


# --- Runs of CI -------------------------------------------------------------------------------------


def _import_part(
    *, actor: Member, mission: DeckMission, report: Report, logs: str, ci: CiRun, key: str
) -> ImportResult:
    label = str(ci.shard) if ci.shard is not None else key
    try:
        return _add_part(actor=actor, mission=mission, report=report, logs=logs, ci=ci, label=label)
    except ConstraintViolated as error:
        if error.constraint != _CI_RUN_UNIQUE:
            raise
        # A concurrent part created the run.
        return _add_part(actor=actor, mission=mission, report=report, logs=logs, ci=ci, label=label)


@service
def _add_part(*, actor: Member, mission: DeckMission, report: Report, logs: str, ci: CiRun, label: str) -> ImportResult:
    run = light_runs().select_for_update(of=["self"]).filter(mission=mission, **ci.identity).first()
    is_begun = run is not None and run.status == RunStatus.RUNNING and run.shards is None
    if run is None:
        run = TestRun.objects.create(
            mission=mission,
            status=RunStatus.RUNNING,
            name=report.name[:255],
            source=RunSource(report.source),
            created_by=actor,
            **ci.identity,
        )
    elif run.received.filter(label=label, digest=report.digest).exists():
        return ImportResult(run, is_new=False)
    _merge(run, report, logs, ci, label, finish=not is_begun)
    _audit("imported", actor=actor, run=run)
    return ImportResult(light_runs().get(pk=run.pk), is_new=True)


def _merge(run: TestRun, report: Report, logs: str, ci: CiRun, label: str, *, finish: bool) -> None:
    """Add a part to a locked run. finish: finish the run if all announced shards were received."""
    if run.is_given_up:
        raise RunFinished
    TestRunPart.objects.create(run=run, label=label, digest=report.digest)
    received = list(run.received.order_by("created_at", "pk").values_list("label", "digest"))
    labels = [each for each, _digest in received if each]
    parts = len(set(labels)) + len(received) - len(labels)
    shards = max((number for number in (run.shards, ci.shards) if number), default=None)
    results = report.results
    if not results:
        # A part that did not run: without this error the others could pass.
        results = [_error_result(report.name or label, gettext_noop("This report file contains no tests."))]
    summary = _sum_of(run.summary, _summary_of(report.summary, results))
    warnings = [*run.warnings, *report.warnings]
    fields: dict[str, Any] = {
        "name": run.name or report.name[:255],
        "digest": digest_of_parts([digest for _label, digest in received]),
        "parts": parts,
        "shards": shards,
        "started_at": min(filter(None, (run.started_at, ci.started_at)), default=None),
        "committed_at": run.committed_at or ci.committed_at,
        "finished_at": None,
    }
    if logs:
        if label or len(received) > 1:
            logs = f"=== {label or report.name} ===\n{logs}"
        if _logs_size(run) + len(logs.encode()) + 1 > LOGS_BYTES:
            # A failed part must not be rejected for its output.
            warnings.append(message("part_logs_left_out", name=label or report.name))
        else:
            fields["logs"] = logs if not run.parts else _Appended(Coalesce("logs", Value("")), Value(f"\n{logs}"))
    is_complete = finish and (shards is None or parts >= shards)
    _save_results(run, results, summary, warnings[:_MOST_WARNINGS], is_finished=is_complete, **fields)


def _save_results(
    run: TestRun, results: list[dict], summary: dict, warnings: list, *, is_finished: bool, **fields: Any
) -> None:
    """Append results to a run; a finished one gets the status that follows from them all."""
    all_results = _Appended(
        Coalesce("results", Value([], JSONField())), Value(results, JSONField()), output_field=JSONField()
    )
    status = RunOutcome(Value(summary, JSONField()), all_results) if is_finished else RunStatus.RUNNING
    TestRun.objects.filter(pk=run.pk).update(
        status=status, summary=summary, results=all_results, warnings=warnings, **fields
    )


class _Appended(Func):
    """Two JSON lists, or two texts, one after the other."""

    template = "(%(expressions)s)"
    arg_joiner = " || "


def _logs_size(run: TestRun) -> int:
    size = Func(F("logs"), function="octet_length")
    return TestRun.objects.filter(pk=run.pk).values_list(size, flat=True).get() or 0


def _error_result(name: str, error: str) -> dict:
    return {"name": name or gettext_noop("Report"), "status": "error", "error": error}


def _summary_of(summary: dict, results: list[dict]) -> dict:
    """The summary of a part; errors that were added for it are counted."""
    added = len(results) - summary.get("total", 0)
    return _sum_of(summary, {"errors": added, "total": added}) if added else summary


def _sum_of(first: dict | None, second: dict) -> dict:
    """The sum of two summaries, by key."""
    first = first or {}
    keys = [*first, *(key for key in second if key not in first)]
    total = {key: first.get(key, 0) + second.get(key, 0) for key in keys}
    if "duration" in total:
        total["duration"] = round(total["duration"], 6)
    return total


# --- Begun and finished -----------------------------------------------------------------------------


@service
def start_run(*, actor: Member, mission: DeckMission, name: str = "", ci: CiRun = _BY_HAND) -> TestRun:
    """Create a running test run, or return the running run of CI with this identity.

    Raises ConstraintViolated (ci_run_taken) if that one is finished.
    """
    if ci.is_identified and (found := light_runs().filter(mission=mission, **ci.identity).first()):
        if found.status != RunStatus.RUNNING:
            raise violated(_CI_RUN_UNIQUE)
        return found
    run = TestRun.objects.create(
        mission=mission,
        status=RunStatus.RUNNING,
        name=name[:255],
        created_by=actor,
        shards=ci.shards,
        **ci.identity,
        **ci.times,
    )
    _audit("started", actor=actor, run=run)
    return light_runs().get(pk=run.pk)


def finish_run(
    *,
    actor: Member,
    run: TestRun,
    file: BinaryFile | None = None,
    more: Sequence[BinaryFile] = (),
    logs: BinaryFile | None = None,
) -> TestRun:
    """Finish a running run with its report, even if another run has the same bytes.

    file, more, logs: as in import_report; a run of CI that has received parts needs no further file. If announced
    shards are missing, the run has failed. Raises RunFinished, ReportRejected, LogsTooLarge, NoReportReceived.
    """
    report, text = _read([file, *more], logs) if file else (None, "")
    return _finish(actor=actor, run=run, report=report, logs=text)


@service
def _finish(*, actor: Member, run: TestRun, report: Report | None, logs: str) -> TestRun:
    current = light_runs().select_for_update(of=["self"]).get(pk=run.pk)
    if current.status != RunStatus.RUNNING:
        raise RunFinished
    if current.is_ci_run:
        _finish_ci_run(current, report, logs)
    elif report is None:
        raise NoReportReceived
    else:
        TestRun.objects.filter(pk=run.pk).update(name=current.name or report.name[:255], **_fields_of(report, logs))
    _audit("finished", actor=actor, run=run)
    return light_runs().get(pk=run.pk)


def _finish_ci_run(run: TestRun, report: Report | None, logs: str) -> None:
    if report is not None and not run.received.filter(label="", digest=report.digest).exists():
        _merge(run, report, logs, _BY_HAND, "", finish=True)
        run.refresh_from_db(fields=["status", "summary", "warnings", "parts", "shards"])
    if not run.parts:
        raise NoReportReceived
    if run.status == RunStatus.RUNNING:
        missing = [_missing_shards(run)] if run.shards and run.parts < run.shards else []
        summary = _sum_of(run.summary, {"errors": len(missing), "total": len(missing)})
        _save_results(run, missing, summary, run.warnings, is_finished=True)


def _missing_shards(run: TestRun) -> dict:
    """The error of a run that ends before all of its parts were received."""
    if run.shards:
        error = gettext_noop("%(parts)s of %(shards)s shards were received.") % {
            "parts": run.parts,
            "shards": run.shards,
        }
    else:
        error = gettext_noop("The run was given up before it was finished.")
    return _error_result(gettext_noop("Missing reports"), error)


@service
def give_up_run(*, actor: Member, run: TestRun) -> TestRun:
    """Mark a running run as failed, with a warning; received parts are kept. Raises RunFinished."""
    current = light_runs().select_for_update(of=["self"]).get(pk=run.pk)
    if current.status != RunStatus.RUNNING:
        raise RunFinished
    if current.parts:
        summary = _sum_of(current.summary, {"errors": 1, "total": 1})
        warnings = [*current.warnings, GIVEN_UP]
        _save_results(current, [_missing_shards(current)], summary, warnings, is_finished=True, is_given_up=True)
    else:
        TestRun.objects.filter(pk=run.pk).update(
            status=RunStatus.FAILED, results=[], warnings=[GIVEN_UP], is_given_up=True
        )
    _audit("given_up", actor=actor, run=run)
    return light_runs().get(pk=run.pk)


def give_up_stale_runs(*, actor: Member, at: datetime | None = None) -> int:
    """Give up the runs that have been running for DECK_RUN_HOURS; returns their number."""
    before = (at or timezone.now()) - timedelta(hours=settings.DECK_RUN_HOURS)
    number = 0
    for run in light_runs().select_related("mission").filter(status=RunStatus.RUNNING, created_at__lt=before):
        try:
            give_up_run(actor=actor, run=run)
            number += 1
        except RunFinished:
            # It was finished in the meantime.
            continue
    return number


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
    """The text of a log file; see reports/logs.py. Raises LogsTooLarge."""
    if file is None:
        return ""
    data = file.read(settings.DECK_LOGS_BYTES + 1)
    if len(data) > settings.DECK_LOGS_BYTES:
        raise LogsTooLarge(
            gettext("Logs can be at most %(limit)s MB.") % {"limit": settings.DECK_LOGS_BYTES // 1024 // 1024},
            field="logs",
        )
    return decode_logs(data)
