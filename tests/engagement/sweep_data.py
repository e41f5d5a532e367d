"""Members for tests of sweeps, and the rows that sweeps change."""

from datetime import UTC, datetime, timedelta

from django.db import transaction

from engagement.models import UserEngagementState
from engagement.services.lifecycle import OWN, transition_context
from groups.models import Member
from tests.support.database import row, rows

# A Wednesday, noon.
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@transaction.atomic
def make_members(quiet=0, unanswered=0, reminded=0, active=0, *, at=NOW):
    """Create members in each state with a few statements; `quiet` ones are due for a goodbye at `at`, and so on.

    Active members took part the day before.
    """
    total = quiet + unanswered + reminded + active
    made = [
        key
        for (key,) in rows(
            """INSERT INTO members (email, display_name) SELECT 'sweep' || gen_random_uuid() || '@example.org', 'S'
               FROM generate_series(1, %s) RETURNING id""",
            [total],
        )
    ]
    rows(
        """INSERT INTO user_engagement_states (user_id, last_activity_at)
           SELECT unnest(%s::uuid[]), %s - interval '15 days'""",
        [made, at],
    )
    away, later = made[quiet : quiet + unanswered], made[quiet + unanswered : quiet + unanswered + reminded]
    begun = at - 3 * DAY
    if away or later:
        with transition_context("inactivity_14d", actor=Member.objects.system(), at=begun):
            UserEngagementState.objects.filter(user__in=away + later).update(
                state="goodbye_sent", goodbye_sent_at=begun, goodbye_expires_at=begun + 2 * DAY
            )
    if later:
        with transition_context("goodbye_response_2", actor=OWN, at=begun + DAY):
            UserEngagementState.objects.filter(user__in=later).update(
                state="remind_later",
                goodbye_sent_at=None,
                goodbye_expires_at=None,
                remind_at=at - 2 * DAY,
                reminder_queued_at=at - 2 * DAY,
                reminder_expires_at=at - timedelta(hours=1),
            )
    last = at - DAY
    UserEngagementState.objects.filter(user__in=made[total - active :]).update(
        last_activity_at=last, took_part_week=last.date() - last.weekday() * DAY
    )
    return made


def states():
    """Return {state: number of members}."""
    return dict(rows("SELECT state, count(*) FROM user_engagement_states GROUP BY state"))


def stored():
    """Return the rows that sweeps change, without IDs and creation times, to compare two runs."""
    return [
        rows(
            """SELECT user_id, state, last_activity_at, goodbye_sent_at, goodbye_expires_at, remind_at
               FROM user_engagement_states ORDER BY 1"""
        ),
        rows(
            """SELECT user_id, from_state, trigger, to_state, metadata, created_at FROM engagement_state_transitions
               ORDER BY user_id, created_at, from_state"""
        ),
        rows(
            """SELECT user_id, message_type, idempotency_key, scheduled_for, status, destination, message_params
               FROM engagement_message_queue ORDER BY idempotency_key"""
        ),
    ]


def count_inconsistencies():
    """Count inconsistencies: goodbyes without message or the reverse, duplicates, gaps in the log."""
    return row(
        """
        WITH gone AS (
            SELECT user_id, count(*) AS n FROM engagement_state_transitions WHERE trigger = 'inactivity_14d' GROUP BY 1
        ), queued AS (
            SELECT user_id, count(*) AS n FROM engagement_message_queue WHERE message_type = 'goodbye' GROUP BY 1
        ), steps AS (
            SELECT user_id, from_state,
                   lag(to_state, 1, 'active') OVER (PARTITION BY user_id ORDER BY created_at, id) AS was
            FROM engagement_state_transitions
        ), last AS (
            SELECT DISTINCT ON (user_id) user_id, to_state FROM engagement_state_transitions
            ORDER BY user_id, created_at DESC, id DESC
        )
        SELECT (SELECT count(*) FROM gone FULL JOIN queued USING (user_id) WHERE gone.n IS DISTINCT FROM queued.n),
               (SELECT count(*) FROM steps WHERE from_state <> was),
               (SELECT count(*) FROM user_engagement_states s LEFT JOIN last USING (user_id)
                WHERE s.state <> coalesce(last.to_state, 'active'))
        """
    )
