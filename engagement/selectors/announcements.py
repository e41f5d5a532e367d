"""The audience of an announcement: who receives it, and why others are skipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, QuerySet, TextField, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from engagement.rules import MessageType, Topic
from engagement.selectors.blocking import block_reason, unreachable
from groups.models import CommunityMember

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

# Labels of the reasons for skipping an entry: no account, or one of rules.BLOCK_REASONS.
SKIP_REASONS = {
    "no_account": _("No account (not registered)"),
    "locked": _("Account locked"),
    "banned": _("Banned"),
    "suspended": _("Suspended"),
    "removed": _("Removed from the directory"),
    "suppressed": _("Address suppressed after a bounce or a complaint"),
    "unreachable": _("No verified address on a channel"),
    "not_approved": _("Not approved yet"),
    "opted_out": _("Opted out"),
    "muted": _("Does not want this topic"),
    "dormant": _("Dormant"),
}


class WithReason(TypedDict):
    """What with_reason() adds to an entry."""

    reason: str


@dataclass(frozen=True)
class Audience:
    """Number of members an announcement reaches, and of those it skips, by reason."""

    recipients: int
    skipped: dict[str, int]

    @property
    def total(self) -> int:
        return self.recipients + sum(self.skipped.values())


def with_reason(
    entries: QuerySet[CommunityMember], *, topic: str = Topic.NEWS
) -> QuerySet[WithAnnotations[CommunityMember, WithReason]]:
    """Annotate the entries with `reason`: why they are skipped; empty for recipients."""
    blocked = block_reason(
        message_type=Value(MessageType.ANNOUNCEMENT),
        is_transactional=Value(False),
        person="person__",
        entry="",
        topic=Value(topic),
        reached=unreachable("person__", is_for_group=True),
    )
    return entries.annotate(
        reason=Case(
            When(person=None, then=Value("no_account")),
            default=Coalesce(blocked, Value("")),
            output_field=TextField(),
        )
    )


def audience_of(entries: QuerySet[CommunityMember], *, topic: str = Topic.NEWS) -> Audience:
    """Count the recipients and skipped entries of an announcement, in one statement."""
    reasons = with_reason(entries.order_by(), topic=topic).values("reason")
    try:
        sql, params = reasons.query.sql_with_params()
    except EmptyResultSet:
        # The filters exclude every row.
        return Audience(0, {})
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT reason, count(*) FROM ({sql}) AS each GROUP BY reason", params)  # noqa: S608
        counts = dict(cursor.fetchall())
    return Audience(counts.pop("", 0), counts)
