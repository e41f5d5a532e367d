"""Sweeps: time-based transitions and weekly reviews, one statement per batch.

Each batch is one transaction: after a crash the finished batches remain, and the next run continues. Locked rows are
skipped until the next sweep. A repeated or concurrent sweep changes nothing, because the states have changed and the
idempotency keys exist.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from engagement.rules import MessageType, State, TransitionTrigger
from engagement.selectors.addresses import goes_by_email, site_channels
from engagement.selectors.claims import database_now
from engagement.services.lifecycle import transition_context
from groups.models import Member
from missionsite.common.sql_loader import read_sql

BATCH = 5_000
# Local hour on Monday from which the review of the previous week is queued.
REVIEW_HOUR = 9


@dataclass(frozen=True)
class SweepProgress:
    """Result of a step so far. moved: number of members or weeks; queued: number of messages."""

    step: str
    moved: int
    queued: int


@dataclass(frozen=True)
class _Step:
    """name: shown in the output. count: statement of a dry run. move: statement of a batch."""

    name: str
    count: str
    move: str
    trigger: str = ""


OnBatch = Callable[[SweepProgress], None]


def sweep_daily(
    *, at: datetime | None = None, dry_run: bool = False, on_batch: OnBatch | None = None, batch: int = BATCH
) -> list[SweepProgress]:
    """Queue goodbyes and reminders; make members dormant whose time to reply to one of them has ended.

    at: used as the current time, by default the database's. dry_run: count only, change nothing.
    """
    return [_run(step, at or database_now(), dry_run, on_batch, batch) for step in (_GOODBYE, _EXPIRED, _REMIND, _DUE)]


def sweep_weekly(
    *, at: datetime | None = None, dry_run: bool = False, on_batch: OnBatch | None = None, batch: int = BATCH
) -> list[SweepProgress]:
    """On Monday in each member's time zone, queue the review of the previous ISO week for members who took part."""
    return [_run(_REVIEW, at or database_now(), dry_run, on_batch, batch)]


def _run(step: _Step, at: datetime, dry_run: bool, on_batch: OnBatch | None, batch: int) -> SweepProgress:
    values: dict[str, Any] = {
        "at": at,
        "most": batch,
        "quiet_since": at - settings.ENGAGEMENT_INACTIVE_AFTER,
        "inactive_after": settings.ENGAGEMENT_INACTIVE_AFTER,
        "inactive_at_most": settings.ENGAGEMENT_INACTIVE_AT_MOST,
        "review_hour": REVIEW_HOUR,
        "goodbye": MessageType.GOODBYE,
        "review": MessageType.WEEKLY_REVIEW,
        "reminder": MessageType.REMINDER,
        "by_email": goes_by_email(),
        "channels": site_channels(),
    }
    if dry_run:
        with connection.cursor() as cursor:
            cursor.execute(step.count, values)
            return SweepProgress(step.name, cursor.fetchone()[0], 0)
    actor = Member.objects.system()
    moved = queued = 0
    after_time, after_id = None, None
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            values |= {"after_time": after_time, "after_id": after_id}
            if step.trigger:
                with transition_context(step.trigger, actor=actor, at=at):
                    cursor.execute(step.move, values)
            else:
                cursor.execute(step.move, values)
            seen, more, messages, after_time, after_id = cursor.fetchone()
        moved, queued = moved + more, queued + messages
        if on_batch and seen:
            on_batch(SweepProgress(step.name, moved, queued))
        if seen < batch:
            return SweepProgress(step.name, moved, queued)


def _sql(name: str, **parts: str) -> str:
    """Return a query of this app. parts: constant SQL that replaces the names in braces."""
    return read_sql(f"engagement/queries/{name}").format(**parts)


_INACTIVE = _sql("inactive_members")
_TO_REVIEW = _sql("members_to_review")
_GOODBYE = _Step(
    "goodbye sent",
    f"SELECT count(*) {_INACTIVE} AND b.may_be_sent",
    _sql("send_goodbyes", inactive_members=_INACTIVE),
    TransitionTrigger.INACTIVITY_14D,
)


def _become_dormant(*, name: str, state: State, due_at: str, trigger: str) -> _Step:
    """Return the step that makes members dormant whose date in the column `due_at` has passed."""
    return _Step(
        name,
        f"SELECT count(*) FROM user_engagement_states WHERE state = '{state}' AND {due_at} <= %(at)s",  # noqa: S608
        _sql("make_dormant", state=state, due_at=due_at),
        trigger,
    )


_EXPIRED = _become_dormant(
    name="goodbye unanswered",
    state=State.GOODBYE_SENT,
    due_at="goodbye_expires_at",
    trigger=TransitionTrigger.GOODBYE_TIMEOUT,
)
_REMIND = _Step(
    "reminder queued",
    f"SELECT count(*) FROM user_engagement_states WHERE state = '{State.REMIND_LATER}' AND remind_at <= %(at)s"  # noqa: S608
    " AND reminder_queued_at IS NULL",
    _sql("queue_reminders"),
)
_DUE = _become_dormant(
    name="reminder unanswered",
    state=State.REMIND_LATER,
    due_at="reminder_expires_at",
    trigger=TransitionTrigger.REMINDER_DUE,
)
_REVIEW = _Step(
    "weekly review",
    f"SELECT count(*) FROM ({_TO_REVIEW}) AS reviewed",  # noqa: S608 (a constant)
    _sql("queue_reviews", members_to_review=_TO_REVIEW),
)
