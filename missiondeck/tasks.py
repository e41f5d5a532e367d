"""Periodic tasks of this app. Each task is idempotent."""

from procrastinate.contrib.django import app

from groups.models import Member
from missiondeck.services.deliveries import send_due_deliveries
from missiondeck.services.evidence_checks import REPOSITORY_TASK, check_due_evidence, check_repository
from missiondeck.services.notices import process_notices, record_deadline_notices
from missiondeck.services.runs import give_up_stale_runs
from missionsite.common.audit.context import in_changeset


@app.periodic(cron="25 * * * *")
@app.task(name="give_up_stale_test_runs", queueing_lock="give_up_stale_test_runs", lock="give_up_stale_test_runs")
@in_changeset
def give_up_stale_test_runs(timestamp: int) -> int:
    """Give up test runs that never ended; return their number."""
    return give_up_stale_runs(actor=Member.objects.system())


@app.periodic(cron="* * * * *")
@app.task(name="check_deck_evidence", queueing_lock="check_deck_evidence", lock="check_deck_evidence")
@in_changeset
def check_deck_evidence(timestamp: int) -> int:
    """Check pull requests and addresses that are evidence, if their last check is old; returns how many."""
    return check_due_evidence()


@app.task(name=REPOSITORY_TASK)
@in_changeset
def check_deck_repository(repository: str) -> int:
    """Check the pull requests of a repository that are evidence, after GitHub reported a change; returns how many."""
    return check_repository(repository=repository)


@app.periodic(cron="* * * * *")
@app.task(name="send_deck_notices", queueing_lock="send_deck_notices")
@in_changeset
def send_deck_notices(timestamp: int) -> int:
    """Tell people and other systems what happened in client missions; returns the number of notices."""
    record_deadline_notices()
    number = process_notices()
    send_due_deliveries()
    return number
