"""The health of the community: how many of those who joined remain active, and the people behind each number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from groups.models import CommunityInvitation, CommunityMember, Membership
from groups.rules import CommunityStatus

# Days after which people of a cohort are looked at: 1, 3, 6 and 12 months.
AFTER = (30, 91, 182, 365)
# Cohorts shown, and days that the other figures cover.
MONTHS = 13
DAYS = 365
# People who invited others, shown.
INVITERS = 15
STEPS = ("registered", "approved", "active", "mission")


class Cohort(NamedTuple):
    """People who joined in a month. kept: of those active at least each of AFTER days later; None if too early."""

    month: date
    size: int
    kept: tuple[int | None, ...]


class Path(NamedTuple):
    """From an invitation to a mission, in the last DAYS days. invited: people that invitations allow."""

    invited: int
    registered: int
    approved: int
    active: int
    mission: int


class Inviter(NamedTuple):
    """How many people someone brought in the last DAYS days, and how many of them were active in the last 30 days."""

    key: UUID
    name: str
    brought: int
    kept: int


@dataclass(frozen=True)
class Figure:
    """The people behind a number: `month.2026-03`, `month.2026-03.91`, `path.approved`, `by.<key>`, `by.<key>.kept`."""

    kind: str
    name: str
    detail: str = ""

    @classmethod
    def parse(cls, text: str) -> Figure | None:
        """The figure that a parameter names; None if it names none."""
        parts = text.split(".")
        figure = cls(*parts) if 2 <= len(parts) <= 3 else None
        return figure if figure and figure._is_valid() else None

    def _is_valid(self) -> bool:
        try:
            match self.kind:
                case "month":
                    date.fromisoformat(f"{self.name}-01")
                    return len(self.name) == 7 and self.detail in ("", *map(str, AFTER))
                case "path":
                    return self.name in STEPS and not self.detail
                case "by":
                    UUID(self.name)
                    return self.detail in ("", "kept")
        except ValueError:
            pass
        return False

    def __str__(self) -> str:
        return ".".join(part for part in (self.kind, self.name, self.detail) if part)


def people_of(figure: Figure, queryset: QuerySet[CommunityMember]) -> QuerySet[CommunityMember]:
    """The people behind a number. queryset: of the directory, also with removed entries."""
    if figure.kind == "month":
        first = date.fromisoformat(f"{figure.name}-01")
        found = queryset.filter(_joined(), created_at__gte=_start(first), created_at__lt=_start(_next_month(first)))
        return found.filter(_kept(int(figure.detail))) if figure.detail else found
    if figure.kind == "path":
        return queryset.filter(_registered(), _step(figure.name))
    found = queryset.filter(_registered(), _joined(), invited_by__pk=figure.name)
    return found.filter(_active_now()) if figure.detail else found


def cohorts(today: date) -> list[Cohort]:
    """The cohorts of the last MONTHS months, newest first."""
    first = today.replace(day=1)
    months = [first]
    while len(months) < MONTHS:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    kept = {f"kept_{days}": Count("pk", filter=_kept(days)) for days in AFTER}
    rows = (
        CommunityMember.objects.filter(_joined(), created_at__gte=_start(months[-1]))
        .annotate(month=TruncMonth("created_at"))
        .values("month")
        .annotate(size=Count("pk"), **kept)
    )
    found: dict[date, Any] = {timezone.localdate(row["month"]): row for row in rows}
    return [_cohort(month, found.get(month, {}), today) for month in months]


def _cohort(month: date, row: Mapping[str, Any], today: date) -> Cohort:
    last = _next_month(month) - timedelta(days=1)
    kept = tuple(row.get(f"kept_{days}", 0) if last + timedelta(days=days) < today else None for days in AFTER)
    return Cohort(month, row.get("size", 0), kept)


def path() -> Path:
    """How many people each step reached, of those invited and registered in the last DAYS days."""
    invited = CommunityInvitation.objects.filter(created_at__gte=_since()).aggregate(sum=Sum("max_uses"))["sum"] or 0
    steps = {step: Count("pk", filter=_step(step)) for step in STEPS}
    return Path(invited, **CommunityMember.objects.filter(_registered()).aggregate(**steps))


def inviters() -> list[Inviter]:
    """The people who brought most others."""
    rows = (
        CommunityMember.objects.filter(_registered(), _joined(), invited_by__isnull=False)
        .values("invited_by__pk", "invited_by__name")
        .annotate(brought=Count("pk"), kept=Count("pk", filter=_active_now()))
        .order_by("-brought", "invited_by__name", "invited_by__pk")[:INVITERS]
    )
    return [Inviter(row["invited_by__pk"], row["invited_by__name"], row["brought"], row["kept"]) for row in rows]


def _joined() -> Q:
    """Whose registration was approved, also if they were removed later; people who were merged count once."""
    return Q(merged_into=None) & ~Q(status__in=[CommunityStatus.NOT_MEMBER, CommunityStatus.PENDING])


def _registered() -> Q:
    return Q(merged_into=None, created_at__gte=_since()) & ~Q(status=CommunityStatus.NOT_MEMBER)


def _step(step: str) -> Q:
    match step:
        case "approved":
            return _joined()
        case "active":
            return Q(last_active_at__isnull=False)
        case "mission":
            return Q(Exists(Membership.objects.filter(member=OuterRef("person"))))
    return Q()


def _kept(days: int) -> Q:
    return Q(last_active_at__gte=F("created_at") + timedelta(days=days))


def _active_now() -> Q:
    return Q(last_active_at__gte=timezone.now() - timedelta(days=30))


def _since() -> datetime:
    return _start(timezone.localdate() - timedelta(days=DAYS))


def _start(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day))


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)
