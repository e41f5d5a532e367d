"""Background work of this app. Every task may run twice without harm."""

from django.db import connection
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.contrib.django import app
from procrastinate.jobs import Job

from groups.services import verification
from groups.services.highlights import roll_up_highlights
from groups.services.invitations import expire_invitations

MERGED_AT_A_TIME = 10_000


@app.periodic(cron="*/5 * * * *")
@app.task(name="merge_mission_counters", queueing_lock="merge_mission_counters")
def merge_mission_counters(timestamp: int) -> int:
    """Merge what was counted since the last run into the groups' rows; returns how many slots."""
    merged = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT merge_mission_counters(%s)", [MERGED_AT_A_TIME])
            batch = cursor.fetchone()[0]
            merged += batch
            if batch < MERGED_AT_A_TIME:
                return merged


@app.periodic(cron="* * * * *")
@app.task(name="roll_up_highlights", queueing_lock="roll_up_highlights")
def roll_up(timestamp: int) -> int:
    """Add what members did since the last run to their days; returns how many notes were taken."""
    return roll_up_highlights()


@app.periodic(cron="*/10 * * * *")
@app.task(name="expire_invitations", queueing_lock="expire_invitations")
def expire(timestamp: int) -> int:
    """Mark invitations whose time is over; returns how many."""
    return expire_invitations()


class _RetryAtStatedTime(BaseRetryStrategy):
    """Runs a job again when its exception says so, at the time it says."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        return RetryDecision(retry_at=exception.at) if isinstance(exception, verification.RetryLater) else None


@app.task(name=verification.TASK, retry=_RetryAtStatedTime())
def verify_on_github(member_id: str) -> str:
    """Look a member's GitHub account up; returns what became of it. member_id: their number, nothing else of them."""
    return verification.verify_on_github(member_id=member_id)
