"""Who is about to get a goodbye: when, and why not."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import (
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    Func,
    OuterRef,
    QuerySet,
    Subquery,
    Value,
)

from engagement.models import UserEngagementState
from engagement.rules import State
from engagement.selectors.blocking import no_goodbye_reason


def goodbye_at() -> ExpressionWrapper:
    """Return an expression: when a state's member gets the next goodbye if they stay quiet."""
    wait = Func(
        F("unanswered_goodbyes"),
        Value(settings.ENGAGEMENT_INACTIVE_AFTER),
        Value(settings.ENGAGEMENT_INACTIVE_AT_MOST),
        function="wait_before_goodbye",
        output_field=DurationField(),
    )
    return ExpressionWrapper(F("last_activity_at") + wait, output_field=DateTimeField())


def no_goodbye_of_state() -> Subquery:
    """Return an expression: why the member of a state would get no goodbye; NULL if they would."""
    # A subquery, so that counting and paging need no joins.
    same = UserEngagementState.objects.filter(pk=OuterRef("pk")).order_by()
    return Subquery(same.values_list(no_goodbye_reason("user__"))[:1])


def at_risk(states: QuerySet, *, within: timedelta, at: datetime) -> QuerySet:
    """Return the active members whose goodbye is due within a time, also those who get none."""
    # The shortest wait, by the index on the last activity.
    latest = at + within - settings.ENGAGEMENT_INACTIVE_AFTER
    rows = states.filter(state=State.ACTIVE, last_activity_at__lte=latest)
    return rows.alias(goodbye_due_at=goodbye_at()).filter(goodbye_due_at__lte=at + within)
