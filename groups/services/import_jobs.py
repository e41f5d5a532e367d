"""Imports in the background: with progress, cancelling, a report, and an approval above a number of rows."""

import io
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from groups.errors import ImportCancelled, JobNotWaiting
from groups.models import Member, PeopleJob, PeopleJobKind, PeopleJobStatus
from groups.services.import_files import NOTHING_CHOSEN, ImportChoices, ImportReport
from groups.services.imports import import_members
from groups.services.membership_files import import_memberships
from groups.services.people_jobs import end_job, queue_job
from missionsite.common import documents
from missionsite.common.audit.events import audit
from missionsite.common.errors import DomainError
from missionsite.common.transactions import service

FOLDER = "imports"
# How long reports, and files of jobs that nobody approved, are stored.
STORED = timedelta(days=7)
# What imports the file of a job, by its kind.
IMPORTS: Mapping[str, Callable[..., ImportReport]] = {
    PeopleJobKind.IMPORT_MEMBERS: import_members,
    PeopleJobKind.IMPORT_MEMBERSHIPS: import_memberships,
}


@service
def start_import(
    *,
    actor: Member,
    content: bytes,
    name: str,
    choices: ImportChoices = NOTHING_CHOSEN,
    skip_bad: bool = False,
    kind: PeopleJobKind = PeopleJobKind.IMPORT_MEMBERS,
) -> PeopleJob:
    """Store a file and queue the job that imports it. name: of the file. kind: a key of IMPORTS."""
    key = uuid4()
    documents.write(f"{FOLDER}/{key}", content)
    work = {
        "encoding": choices.encoding,
        "columns": dict(choices.columns),
        "roles": dict(choices.roles),
        "skip_bad": skip_bad,
    }
    job = PeopleJob.objects.create(
        pk=key,
        kind=kind,
        file_name="".join(each if each.isprintable() else " " for each in name)[-200:],
        work=work,
        total=content.count(b"\n"),
        started_by=actor,
    )
    queue_job(job)
    audit("people_job.started", actor=actor, job=str(job.pk), kind=job.kind, file=job.file_name)
    return job


@service
def approve_job(*, actor: Member, job: PeopleJob) -> PeopleJob:
    """Let a large import go on. Raises JobNotWaiting, and ConstraintViolated for whoever started it."""
    current = PeopleJob.objects.select_for_update(of=("self",)).get(pk=job.pk)
    if current.status != PeopleJobStatus.TO_APPROVE:
        raise JobNotWaiting
    current.approved_by, current.status = actor, PeopleJobStatus.QUEUED
    current.save(update_fields=["approved_by", "status"])
    queue_job(current)
    audit("people_job.approved", actor=actor, job=str(job.pk), kind=job.kind, file=job.file_name)
    return current


def run_import(job: PeopleJob) -> str:
    """Check a file and import it, or let it wait for an approval; returns the outcome."""
    errors = io.BytesIO()
    try:
        report = _import(job, errors)
    except ImportCancelled:
        status, fields = PeopleJobStatus.CANCELLED, {}
    except DomainError as error:
        status, fields = PeopleJobStatus.FAILED, {"message": str(error.message)}
    except Exception:
        _end(job, PeopleJobStatus.FAILED, message=gettext("The import stopped with an error. Nothing was written."))
        raise
    else:
        if report is None:
            return "to_approve"
        status, fields = _outcome(report)
    if report_text := errors.getvalue():
        documents.write(report_name(job), report_text)
    _end(job, status, **fields)
    return str(status)


def report_name(job: PeopleJob) -> str:
    """Return the name of the document with the errors of an import."""
    return f"{FOLDER}/{job.pk}.csv"


def prune_import_files(*, at: datetime | None = None) -> int:
    """Delete reports and files that are older than STORED. Returns their number."""
    oldest = (at or timezone.now()) - STORED
    old = [name for name in documents.names(FOLDER) if documents.modified_at(name) < oldest]
    for name in old:
        documents.delete(name)
    return len(old)


def _import(job: PeopleJob, errors: io.BytesIO) -> ImportReport | None:
    """Import the file of a job. None if it has too many rows to be imported without an approval."""
    run = IMPORTS[job.kind]
    content = documents.read(f"{FOLDER}/{job.pk}", at_most=settings.IMPORT_BYTES)
    choices = ImportChoices(encoding=job.work["encoding"], columns=job.work["columns"], roles=job.work["roles"])
    common: dict[str, Any] = {"actor": job.started_by, "choices": choices, "skip_bad": job.work["skip_bad"]}
    with closing(_Reporter(job)) as reporter:
        if settings.IMPORT_APPROVAL_ABOVE and job.approved_by_id is None:
            checked = run(file=io.BytesIO(content), dry_run=True, progress=reporter.note, **common)
            changed = checked.added + checked.updated
            if changed > settings.IMPORT_APPROVAL_ABOVE:
                PeopleJob.objects.filter(pk=job.pk).update(
                    status=PeopleJobStatus.TO_APPROVE, needs_approval=True, results=_counts(checked)
                )
                return None
        return run(file=io.BytesIO(content), errors_to=errors, progress=reporter.note, name=job.file_name, **common)


class _Reporter:
    """Records the progress of an import on a connection of its own: the import is one transaction."""

    def __init__(self, job: PeopleJob) -> None:
        self._job = job
        self._thread = ThreadPoolExecutor(max_workers=1)

    def note(self, step: str, lines: int) -> None:
        """Record the number of lines. Raises ImportCancelled."""
        if step != "done" and self._run(lambda: self._record(lines)):
            raise ImportCancelled

    def close(self) -> None:
        # Looked up in the thread, whose connection it is.
        self._run(lambda: connection.close())
        self._thread.shutdown()

    def _record(self, lines: int) -> bool:
        mine = PeopleJob.objects.filter(pk=self._job.pk)
        mine.update(done=lines)
        return mine.filter(cancel_requested=True).exists()

    def _run(self, function: Callable[[], Any]) -> Any:
        return self._thread.submit(function).result()


def _counts(report: ImportReport) -> dict[str, int]:
    names = ("added", "updated", "unchanged", "rejected")
    return {name: number for name in names if (number := getattr(report, name))}


def _outcome(report: ImportReport) -> tuple[PeopleJobStatus, dict[str, Any]]:
    fields: dict[str, Any] = {"results": _counts(report), "total": report.lines, "done": report.lines}
    if report.written:
        return PeopleJobStatus.DONE, fields
    message = ngettext(
        "%(count)d error. Nothing was imported. Correct the file, or skip lines with errors.",
        "%(count)d errors. Nothing was imported. Correct the file, or skip lines with errors.",
        report.error_count,
    ) % {"count": report.error_count}
    return PeopleJobStatus.FAILED, fields | {"message": message}


def _end(job: PeopleJob, status: PeopleJobStatus, **fields: Any) -> None:
    end_job(job, status, **fields)
    documents.delete(f"{FOLDER}/{job.pk}")
