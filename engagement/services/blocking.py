"""May a member be sent a message now? The rule is the SQL function engagement_block_reason; this is how it is used."""

from django.db.models import (
    BooleanField,
    DateTimeField,
    Expression,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Cast

from engagement.models import ANSWERS, EngagementMessage, MessageType, State
from groups.models import Member

# The reasons in the order in which they are looked for; the first one counts.
REASONS = (
    "locked",
    "banned",
    "suspended",
    "removed",
    "opted_out",
    "dormant",
    "returned",
    "not_approved",
    "announcement_cancelled",
)


def block_reason(
    *,
    message_type: Expression | F | Value,
    is_answer: Expression | Q | Value,
    person: str = "",
    entry: str = "community__",
    state: Expression | None = None,
    announcement_cancelled_at: Expression | F | None = None,
) -> Func:
    """The first reason against sending, as an expression; NULL for none.

    person, entry: the way from the rows of the query to the member and to their directory entry. state: the state to
    ask about; the member's own when left out.
    """
    return Func(
        Cast(message_type, TextField()),
        is_answer,
        F(f"{person}is_active"),
        F(f"{entry}status"),
        F(f"{entry}deleted_at"),
        F(f"{person}engagement_profile__reengagement_opt_out"),
        state or F(f"{person}engagement_state__state"),
        announcement_cancelled_at or Value(None, DateTimeField()),
        function="engagement_block_reason",
        output_field=TextField(),
    )


def block_text(reason: Expression) -> Func:
    """A reason as a sentence, as an expression."""
    return Func(reason, function="engagement_block_text", output_field=TextField())


def with_block_text(messages: QuerySet[EngagementMessage]) -> QuerySet[EngagementMessage]:
    """The messages with `block_text`: why each would be cancelled now instead of sent; None where it would not."""
    reason = block_reason(
        message_type=F("message_type"),
        is_answer=Q(message_type__in=ANSWERS),
        person="user__",
        entry="user__community__",
        announcement_cancelled_at=F("announcement__cancelled_at"),
    )
    # A subquery: counting and paging the messages do not join what it needs.
    same = EngagementMessage.objects.filter(pk=OuterRef("pk")).values_list(block_text(reason))
    return messages.annotate(block_text=Subquery(same))


def why_no_goodbye(member: Member) -> str:
    """Why a member who moved to `goodbye_sent` now would get no goodbye, as a sentence; empty where they would."""
    reason = block_reason(
        message_type=Value(MessageType.GOODBYE),
        is_answer=Value(False, BooleanField()),
        state=Value(State.GOODBYE_SENT, TextField()),
    )
    return Member.objects.filter(pk=member.pk).values_list(block_text(reason), flat=True).first() or ""
