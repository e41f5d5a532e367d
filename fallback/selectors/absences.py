"""Who is absent, and who stands in."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from fallback.models import MemberAbsence
from groups.models import Member


def deputies_of(member: Member) -> QuerySet[Member]:
    """The active members who act for a member now."""
    return Member.objects.filter(pk__in=RawSQL("SELECT deputies_of_member(%s)", [member.pk]), is_active=True).order_by(
        "pk"
    )


def absences_of(member: Member, at: datetime) -> QuerySet[MemberAbsence]:
    """The absences of a member, and those in which the member is deputy, that have not ended."""
    rows = MemberAbsence.objects.filter(Q(member=member) | Q(deputy=member), ends_at__gt=at)
    return rows.select_related("member", "deputy").order_by("starts_at", "id")


def all_absences(at: datetime) -> QuerySet[MemberAbsence]:
    """All absences that have not ended."""
    return MemberAbsence.objects.filter(ends_at__gt=at).select_related("member", "deputy").order_by("starts_at", "id")
