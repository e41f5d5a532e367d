"""Downloads of a member's own data: a job makes a zip, which the member downloads for some days."""

import io
from datetime import datetime, timedelta
from typing import IO, Any
from uuid import UUID

from django.utils import timezone

from groups.errors import DownloadGone
from groups.models import Member, PeopleJob, PeopleJobKind, PeopleJobStatus
from groups.models.people_jobs import ENDED
from groups.services.people_jobs import end_job, queue_job
from missionsite.common import documents
from missionsite.common.audit.events import audit
from missionsite.common.own_data import export_own_data, exported_sources
from missionsite.common.transactions import service

FOLDER = "own-data"
# How long the zip is kept after the job; its largest size in bytes.
KEPT = timedelta(days=3)
LARGEST = 1_000_000_000


class _CancelRequested(Exception):
    """The member does not want the download any more."""


@service
def start_own_data(*, actor: Member) -> PeopleJob:
    """Queue a job that collects everything stored about a member; return the one that is active, if there is one."""
    Member.objects.lock(actor.pk)
    active = _jobs_of(actor).exclude(status__in=ENDED).first()
    if active is not None:
        return active
    job = PeopleJob.objects.create(kind=PeopleJobKind.OWN_DATA, total=len(exported_sources()), started_by=actor)
    queue_job(job)
    audit("people_job.started", actor=actor, job=str(job.pk), kind=job.kind, rows=job.total)
    return job


def run_own_data(job: PeopleJob) -> str:
    """Make the zip of a job, from the beginning; returns the outcome."""
    mine = PeopleJob.objects.filter(pk=job.pk)

    def note(done: int) -> None:
        mine.update(done=done)
        if mine.filter(cancel_requested=True).exists():
            raise _CancelRequested

    try:
        with export_own_data(job.started_by, on_source=note) as file:
            documents.write(_name(job), file.read())
        note(job.total)
    except _CancelRequested:
        documents.delete(_name(job))
        end_job(job, PeopleJobStatus.CANCELLED)
        return "cancelled"
    end_job(job, PeopleJobStatus.DONE)
    return "done"


def latest_own_data(member: Member) -> PeopleJob | None:
    """Return the newest job of a member that is active, or whose zip is still there."""
    found = _jobs_of(member).first()
    return found if found and (found.is_active or kept_until(found)) else None


def kept_until(job: PeopleJob, *, at: datetime | None = None) -> datetime | None:
    """Return until when the zip of a job can be downloaded; None if there is none."""
    if job.status != PeopleJobStatus.DONE or job.ended_at is None:
        return None
    until = job.ended_at + KEPT
    return until if until > (at or timezone.now()) else None


def open_own_data(*, member: Member, job_id: UUID) -> IO[bytes]:
    """Return the zip of a member's own job. Raises DownloadGone, the same for another member's and an unknown one."""
    job = _jobs_of(member).filter(pk=job_id).first()
    if job is None or kept_until(job) is None:
        raise DownloadGone
    try:
        return io.BytesIO(documents.read(_name(job), at_most=LARGEST))
    except documents.NoSuchDocument:
        raise DownloadGone from None


def prune_own_data(*, at: datetime | None = None) -> int:
    """Delete the zips whose time is over; returns their number."""
    oldest = (at or timezone.now()) - KEPT
    old = [name for name in documents.names(FOLDER) if documents.modified_at(name) < oldest]
    for name in old:
        documents.delete(name)
    return len(old)


def forget_own_data(member_id: UUID) -> None:
    """Delete the zips of an erased member."""
    for job in PeopleJob.objects.filter(kind=PeopleJobKind.OWN_DATA, started_by=member_id):
        documents.delete(_name(job))


def _jobs_of(member: Member) -> Any:
    return PeopleJob.objects.filter(kind=PeopleJobKind.OWN_DATA, started_by=member)


def _name(job: PeopleJob) -> str:
    return f"{FOLDER}/{job.pk}.zip"
