"""Background jobs of this app. Every job can run twice without harm."""

from django.db import connection
from procrastinate import RetryDecision
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from groups.github import GitHubRejected
from groups.models import Member, PeopleJobKind
from groups.selectors.places import missions_to_offer
from groups.services import import_jobs, invitation_mail, own_data_jobs, passwords, people_jobs, returns, verification
from groups.services.duplicates import find_duplicates
from groups.services.highlights import roll_up_highlights
from groups.services.invitations import expire_invitations
from groups.services.memberships import end_role_terms
from groups.services.waiting_list import offer_places
from missionsite.common.audit.context import in_changeset
from missionsite.common.worker.retries import Retries

SLOTS_PER_MERGE = 10_000


@app.periodic(cron="*/5 * * * *")
@app.task(name="merge_mission_counters", queueing_lock="merge_mission_counters")
@in_changeset
def merge_mission_counters(timestamp: int) -> int:
    """Merge the counters into the groups' rows; returns the number of merged slots."""
    merged = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT merge_mission_counters(%s)", [SLOTS_PER_MERGE])
            batch = cursor.fetchone()[0]
            merged += batch
            if batch < SLOTS_PER_MERGE:
                return merged


@app.periodic(cron="* * * * *")
@app.task(name="roll_up_highlights", queueing_lock="roll_up_highlights")
@in_changeset
def roll_up(timestamp: int) -> int:
    """Add new participation to the daily highlights; returns the number of processed changes."""
    return roll_up_highlights()


@app.periodic(cron="*/10 * * * *")
@app.task(name="expire_invitations", queueing_lock="expire_invitations")
@in_changeset
def expire(timestamp: int) -> int:
    """Mark overdue invitations as expired; returns how many."""
    return expire_invitations(actor=Member.objects.system())


@app.periodic(cron="* * * * *")
@app.task(name="offer_places", queueing_lock="offer_places")
@in_changeset
def offer_free_places(timestamp: int) -> int:
    """End expired offers, and offer free places to waiting lists; returns the number of offers."""
    actor = Member.objects.system()
    return sum(offer_places(actor=actor, mission=mission) for mission in missions_to_offer())


@app.periodic(cron="* * * * *")
@app.task(name="end_role_terms", queueing_lock="end_role_terms")
@in_changeset
def end_terms(timestamp: int) -> int:
    """End the roles whose term is over; returns how many."""
    return end_role_terms(actor=Member.objects.system())


class _RetryAtStatedTime(Retries):
    """Retries a job at the time its RetryLater exception carries, and never after GitHub rejected the site itself."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, verification.RetryLater):
            return RetryDecision(retry_at=exception.at)
        if isinstance(exception, GitHubRejected):
            return None
        return super().get_retry_decision(exception=exception, job=job)


@app.task(name=verification.TASK, retry=_RetryAtStatedTime())
@in_changeset
def verify_on_github(member_id: str) -> str:
    """Check a member's GitHub account; returns the outcome. member_id: their number, the job's only argument."""
    return verification.verify_on_github(actor=Member.objects.system(), member_id=member_id)


@app.periodic(cron="30 3 * * *")
@app.task(name="find_duplicates", queueing_lock="find_duplicates")
@in_changeset
def find_duplicates_task(timestamp: int) -> int:
    """Search for people who may be the same; returns the number of pairs to decide."""
    return find_duplicates(actor=Member.objects.system())


@app.task(name=invitation_mail.TASK, retry=Retries())
@in_changeset
def send_invitation(invitation_id: str, actor_id: str) -> str:
    """Send an invitation with a new code; returns the outcome. The arguments contain no code."""
    return invitation_mail.send_with_new_code(actor=Member.objects.get(pk=actor_id), invitation_id=invitation_id)


@app.task(name=returns.TASK, retry=Retries())
@in_changeset
def send_return_mail(return_id: str) -> str:
    """Send a returning person the link to their old entry; returns the outcome."""
    return returns.send_return_mail(return_id=return_id)


@app.task(name=passwords.TASK, retry=Retries())
@in_changeset
def send_password_link(member_id: str, language: str) -> str:
    """Send a member a link to set a password; returns the outcome."""
    return passwords.send_password_link(member_id=member_id, language=language)


@app.task(name=people_jobs.TASK, retry=Retries())
@in_changeset
def run_people_job(job_id: str) -> str:
    """Run a job on many people, or go on with it; returns the outcome."""
    job = people_jobs.begin_job(job_id)
    if job is None:
        return "ended"
    if job.kind in import_jobs.IMPORTS:
        return import_jobs.run_import(job)
    if job.kind == PeopleJobKind.OWN_DATA:
        return own_data_jobs.run_own_data(job)
    return people_jobs.run_password_links(job)


@app.periodic(cron="40 * * * *")
@app.task(name="prune_own_data", queueing_lock="prune_own_data")
def prune_own_data(timestamp: int) -> int:
    """Delete the downloads of own data whose time is over; returns their number."""
    return own_data_jobs.prune_own_data()


@app.periodic(cron="50 3 * * *")
@app.task(name="prune_import_files", queueing_lock="prune_import_files")
def prune_import_files(timestamp: int) -> int:
    """Delete old reports and files of imports; returns their number."""
    return import_jobs.prune_import_files()
