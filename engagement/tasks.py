"""Periodic tasks of this app. Each task is idempotent."""

import time

from django.conf import settings
from procrastinate.contrib.django import app

from engagement.services.mailbox import read_mailbox
from engagement.services.sender_pool import SenderPool
from engagement.services.sequences import advance_sequences
from engagement.services.sweeps import sweep_daily, sweep_weekly
from engagement.services.unassigned import RETENTION_RULE
from groups.models import Member
from missionsite.common.audit.context import in_changeset
from missionsite.common.retention import apply_rules

# The task runs every minute.
SENDING_SECONDS = 50


@app.periodic(cron="5 * * * *")
@app.task(name="sweep_engagement", queueing_lock="sweep_engagement", lock="sweep_engagement")
@in_changeset
def sweep(timestamp: int) -> int:
    """Run the daily sweep every hour, so that no transition is up to a day late. Return the number of transitions."""
    return sum(step.moved for step in sweep_daily())


@app.periodic(cron="10 * * * *")
@app.task(name="advance_sequences", queueing_lock="advance_sequences", lock="advance_sequences")
@in_changeset
def advance(timestamp: int) -> int:
    """Queue the due steps of sequences; return the number of messages."""
    return advance_sequences()


@app.periodic(cron="15 * * * *")
@app.task(name="review_weeks", queueing_lock="review_weeks", lock="review_weeks")
@in_changeset
def review(timestamp: int) -> int:
    """Queue weekly reviews; every hour, because Monday starts at a different hour in each time zone."""
    return sum(step.queued for step in sweep_weekly())


@app.periodic(cron="* * * * *")
@app.task(name="send_messages", queueing_lock="send_messages")
@in_changeset
def send_messages(timestamp: int) -> int:
    """Send due messages, in parallel to any `manage.py send_messages`; return how many were sent."""
    pool = SenderPool.open()
    try:
        return pool.drain(until=time.monotonic() + SENDING_SECONDS).sent
    finally:
        pool.close()


@app.periodic(cron="* * * * *")
@app.task(name="fetch_mail", queueing_lock="fetch_mail", lock="fetch_mail")
@in_changeset
def fetch_mail(timestamp: int) -> int:
    """Read the new messages of the mailbox, if there is one; return how many."""
    return read_mailbox() if settings.ENGAGEMENT_MAILBOX else 0


@app.periodic(cron="25 3 * * *")
@app.task(name="delete_unassigned_messages", queueing_lock="delete_unassigned_messages")
@in_changeset
def delete_unassigned(timestamp: int) -> int:
    """Delete old messages without a member; return how many."""
    return sum(apply_rules([RETENTION_RULE], actor=Member.objects.system()).values())
