"""Django expressions for the SQL function engagement_block_reason: whether a member may be sent a message now."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from django.db.models import (
    BooleanField,
    Case,
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
    When,
)
from django.db.models.functions import Cast

from engagement.models import EngagementMessage
from engagement.rules import BLOCK_REASONS, TRANSACTIONAL_TYPES, Destination, MessageType, State
from engagement.selectors.addresses import is_suppressed, is_unreachable
from groups.models import Member

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class WithBlockReason(TypedDict):
    """What with_block_reason() adds to a message."""

    block_reason: str | None


def block_reason(
    *,
    message_type: Expression | F | Value,
    is_transactional: Expression | Q | Value,
    person: str = "",
    entry: str = "community__",
    state: Expression | None = None,
    announcement_cancelled_at: Expression | F | None = None,
    chat: OuterRef | None = None,
    topic: F | Value | None = None,
    reached: Expression | None = None,
) -> Func:
    """Return an expression for the first reason against sending; NULL if there is none.

    person, entry: lookup prefixes from the rows of the query to the member and to their directory entry. state: by
    default the member's current state. chat: the address of a message's chat, by default that of the member's chat.
    topic: of the message. reached: is_unreachable() of a message, by default of one to the member's own address.
    """
    muted: Q | Value = Value(False, BooleanField())
    if topic is not None:
        muted = Q(**{f"{person}engagement_profile__muted_topics__contains": [topic]})
    return Func(
        Cast(message_type, TextField()),
        is_transactional,
        F(f"{person}is_active"),
        F(f"{entry}status"),
        F(f"{entry}deleted_at"),
        F(f"{person}engagement_profile__reengagement_opt_out"),
        state or F(f"{person}engagement_state__state"),
        announcement_cancelled_at or Value(None, DateTimeField()),
        is_suppressed(person=person, chat=chat),
        muted,
        reached or unreachable(person),
        function="engagement_block_reason",
        output_field=TextField(),
    )


def unreachable(person: str, *, is_for_group: bool = False) -> Expression:
    """Return is_unreachable() of a new message. is_for_group: it may go to the group chat."""
    profile = f"{person}engagement_profile__"
    destination = F(f"{profile}preferred_destination") if is_for_group else Value(Destination.INDIVIDUAL)
    chat = F(f"{profile}group_jid") if is_for_group else Value("")
    return is_unreachable(person=person, destination=destination, chat=chat, tried=Value(""))


def with_block_reason(
    messages: QuerySet[EngagementMessage],
) -> QuerySet[WithAnnotations[EngagementMessage, WithBlockReason]]:
    """Annotate messages with `block_reason`: why each would be cancelled instead of sent; None if it would be sent."""
    reason = block_reason(
        message_type=F("message_type"),
        is_transactional=Q(message_type__in=TRANSACTIONAL_TYPES),
        person="user__",
        entry="user__community__",
        announcement_cancelled_at=F("announcement__cancelled_at"),
        chat=OuterRef("destination_jid"),
        topic=F("topic"),
        reached=is_unreachable(
            person="user_id",
            destination=F("destination"),
            chat=F("destination_jid"),
            tried=Case(When(attempted_at=None, then=Value("", TextField())), default=F("channel")),
        ),
    )
    # A subquery, so that counting and paging need no joins.
    same = EngagementMessage.objects.filter(pk=OuterRef("pk")).values_list(reason)
    return messages.annotate(block_reason=Subquery(same))


def format_block_reason(reason: str | None) -> str:
    """Return the text of a reason in the language of the page; empty without one."""
    return str(BLOCK_REASONS[reason]) if reason else ""


def why_not_written(member: Member) -> str:
    """Return the text why a personal message to a member would not be sent; empty if it would."""
    reason = block_reason(
        message_type=Value(MessageType.PERSONAL),
        is_transactional=Value(False, BooleanField()),
        chat=OuterRef("engagement_profile__individual_jid"),
    )
    return format_block_reason(Member.objects.filter(pk=member.pk).values_list(reason, flat=True).first())


def no_goodbye_reason(person: str) -> Func:
    """Return an expression for the reason why a member who moved to `goodbye_sent` now would get no goodbye."""
    return block_reason(
        message_type=Value(MessageType.GOODBYE),
        is_transactional=Value(False, BooleanField()),
        person=person,
        entry=f"{person}community__",
        state=Value(State.GOODBYE_SENT, TextField()),
        chat=OuterRef(f"{person}engagement_profile__individual_jid"),
    )


def why_no_goodbye(member: Member) -> str:
    """Return the text why a member who moved to `goodbye_sent` now would get no goodbye; empty if they would."""
    reason = no_goodbye_reason("")
    return format_block_reason(Member.objects.filter(pk=member.pk).values_list(reason, flat=True).first())
