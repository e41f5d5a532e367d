"""Jobs on many people: starting, running, cancelling."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.postgres.functions import TransactionNow
from django.db.models import F, QuerySet
from procrastinate.contrib.django import app

from groups.errors import JobEnded, MailNotSent, NoOneToMail, TooManyPeople
from groups.models import Member, PeopleJob, PeopleJobKind, PeopleJobStatus
from groups.models.members import SYSTEM_MEMBER_ID
from groups.rules import MAX_PASSWORD_LINKS
from groups.services.passwords import mail_password_link
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service

TASK = "run_people_job"


def without_password(members: QuerySet[Member]) -> QuerySet[Member]:
    """Of some members, the active ones who cannot log in by password; members of staff are left out."""
    found = members.filter(is_active=True, is_staff=False, password__startswith=UNUSABLE_PASSWORD_PREFIX)
    return found.filter(merged_into=None).exclude(pk=SYSTEM_MEMBER_ID)


@service
def start_password_links(*, actor: Member, members: QuerySet[Member]) -> PeopleJob:
    """Queue a job that mails those without a password a link to set one. Raises NoOneToMail, TooManyPeople."""
    keys = [str(key) for key in without_password(members).order_by("pk").values_list("pk", flat=True)]
    if not keys:
        raise NoOneToMail
    if len(keys) > MAX_PASSWORD_LINKS:
        raise TooManyPeople(most=MAX_PASSWORD_LINKS)
    job = PeopleJob.objects.create(
        kind=PeopleJobKind.PASSWORD_LINKS, work={"members": keys}, total=len(keys), started_by=actor
    )
    queue_job(job)
    audit("people_job.started", actor=actor, job=str(job.pk), kind=job.kind, rows=job.total)
    return job


def queue_job(job: PeopleJob) -> None:
    app.configure_task(TASK, allow_unknown=False, lock=f"{TASK}:{job.pk}").defer(job_id=str(job.pk))


@service
def cancel_job(*, actor: Member, job: PeopleJob) -> PeopleJob:
    """Cancel a job: at once if it is waiting, and soon if it is running. Raises JobEnded."""
    current = PeopleJob.objects.select_for_update(of=("self",)).get(pk=job.pk)
    if not current.is_active:
        raise JobEnded
    if current.status == PeopleJobStatus.RUNNING:
        current.cancel_requested = True
        current.save(update_fields=["cancel_requested"])
    else:
        end_job(current, PeopleJobStatus.CANCELLED)
    audit("people_job.cancelled", actor=actor, job=str(job.pk), kind=job.kind)
    return current


def begin_job(job_id: str) -> PeopleJob | None:
    """Mark a queued job as running, and return it; None if it has ended or waits. A killed job goes on."""
    states = (PeopleJobStatus.QUEUED, PeopleJobStatus.RUNNING)
    started = PeopleJob.objects.filter(pk=job_id, status__in=states).update(status=PeopleJobStatus.RUNNING)
    return PeopleJob.objects.select_related("started_by").get(pk=job_id) if started else None


def end_job(job: PeopleJob, status: PeopleJobStatus, **fields: Any) -> None:
    PeopleJob.objects.filter(pk=job.pk).update(status=status, ended_at=TransactionNow(), work={}, **fields)
    job.refresh_from_db()


def run_password_links(job: PeopleJob) -> str:
    """Mail each member of a job, from where it was; returns the outcome. A member whose mail fails is counted."""
    left: Iterable[str] = job.work["members"][job.done :]
    for key in left:
        if PeopleJob.objects.filter(pk=job.pk, cancel_requested=True).exists():
            end_job(job, PeopleJobStatus.CANCELLED)
            return "cancelled"
        outcome = _mail_one(job, key)
        results = job.results | {outcome: job.results.get(outcome, 0) + 1}
        PeopleJob.objects.filter(pk=job.pk).update(done=F("done") + 1, results=results)
        job.results = results
    end_job(job, PeopleJobStatus.DONE)
    return "done"


def _mail_one(job: PeopleJob, key: str) -> str:
    # Read again: they may have set a password meanwhile.
    member = without_password(Member.objects.filter(pk=key)).first()
    if member is None:
        return "skipped"
    try:
        mail_password_link(actor=job.started_by, member=member)
    except MailNotSent:
        return "failed"
    return "sent"
