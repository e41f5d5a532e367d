"""Reads of the directory: entries, invitations, the invitation tree and the heat map."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import connection
from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from groups.models import CommunityInvitation, CommunityMember, Member, MemberDailyHighlight
from groups.rules import CommunityStatus
from groups.selectors.directory_search import DIRECTORY
from groups.selectors.people import numbers_of
from missionsite.common.sql_loader import read_sql

# The largest tree a page shows.
MAX_NODES = 500
# The depth of the tree: the default of invitation_tree.
MAX_DEPTH = 20
WEEKS = 53
# The lowest sums of messages, reactions and voice minutes for the colours of the heat map.
LEVELS = (1, 5, 15, 40)


@dataclass
class Node:
    """An entry in an invitation tree, with the entries it invited."""

    entry: CommunityMember
    depth: int
    invited: list[Node] = field(default_factory=list)

    @property
    def count(self) -> int:
        """The number of all descendants."""
        return len(self.invited) + sum(node.count for node in self.invited)


@dataclass(frozen=True)
class Tree:
    """An invitation tree. above: the chain of inviters of the root, the oldest first. more: whether it is truncated."""

    root: Node
    above: list[CommunityMember]
    more: bool


def get_invitation_tree(entry: CommunityMember) -> Tree:
    """Return the entries a member invited, directly and indirectly, and the chain of inviters; in three queries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT member_id, invited_by, depth FROM invitation_tree(%s) LIMIT %s",
            [entry.member_id, MAX_NODES + 1],
        )
        rows = cursor.fetchall()
        cursor.execute(read_sql("groups/queries/inviter_chain"), [entry.member_id])
        line = cursor.fetchone()[0]
    more = len(rows) > MAX_NODES or any(depth == MAX_DEPTH for _member, _inviter, depth in rows)
    rows = rows[:MAX_NODES]
    people = CommunityMember.objects.in_bulk({row[0] for row in rows} | set(line), field_name="member_id")
    nodes: dict[str, Node] = {}
    for member_id, invited_by, depth in rows:
        nodes[member_id] = Node(people[member_id], depth)
        if depth:
            nodes[invited_by].invited.append(nodes[member_id])
    return Tree(nodes[entry.member_id], [people[each] for each in reversed(line[1:])], more)


@dataclass(frozen=True)
class Day:
    """One day of the heat map. level: 0 (no activity) to 4."""

    on: date
    messages: int
    reactions: int
    voice_minutes: int
    points: int

    @property
    def total(self) -> int:
        return self.messages + self.reactions + self.voice_minutes

    @property
    def level(self) -> int:
        return sum(self.total >= least for least in LEVELS) or int(self.points > 0)


def heat_map(entry: CommunityMember, *, today: date | None = None) -> list[list[Day | None]]:
    """Return the last 53 weeks of a member, each from Monday to Sunday; future days are None. Days are in UTC."""
    today = today or timezone.now().date()
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    # A merged entry keeps its days; those of one date are added up.
    rows = (
        MemberDailyHighlight.objects.filter(member__member_id__in=numbers_of(entry), highlight_date__gte=first)
        .order_by()
        .values_list("highlight_date")
        .annotate(Sum("message_count"), Sum("reaction_count"), Sum("voice_minutes"), Sum("reputation_earned"))
    )
    known = {row[0]: Day(*row) for row in rows}
    weeks = []
    for week in range(WEEKS):
        days = [first + timedelta(weeks=week, days=weekday) for weekday in range(7)]
        weeks.append([known.get(day, Day(day, 0, 0, 0, 0)) if day <= today else None for day in days])
    return weeks


def count_pending_entries() -> int:
    """Return the number of pending registrations."""
    return CommunityMember.objects.present().filter(status=CommunityStatus.PENDING).count()


def may_see_directory(person: Member) -> bool:
    """Whether a member may see the directory: only its active members may."""
    return CommunityMember.objects.active().filter(person=person.pk).exists()


def find_entries(
    *,
    q: str | None = None,
    role: str | None = None,
    tier: str | None = None,
    country: str | None = None,
    verified: bool | None = None,
    status: str | None = None,
    min_score: int | None = None,
    max_score: int | None = None,
    after: list | None = None,
    at_most: int,
) -> list[CommunityMember]:
    """Return entries that were not removed, newest first, in one query, or two with q.

    q: a number, or the beginning of any name. after: creation time and id of the last row before the page.
    """
    rows = CommunityMember.objects.present()
    exact = {
        "primary_role": role,
        "reputation_tier": tier,
        "github_verified": verified,
        "status": status,
        "reputation_score__gte": min_score,
        "reputation_score__lte": max_score,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value is not None})
    if country:
        rows = rows.filter(country__iexact=country)
    if q and q.strip():
        rows = rows.filter(pk__in=DIRECTORY.find(CommunityMember.objects.present(), q).ids)
    return _page(rows, "pk", after, at_most)


def find_invitations(
    *, created_by: str | None, status: str | None = None, after: list | None = None, at_most: int
) -> list[CommunityInvitation]:
    """Return invitations, newest first. created_by: the number of one member; all if None."""
    rows = CommunityInvitation.objects.all()
    if created_by:
        rows = rows.filter(created_by__member_id=created_by)
    if status:
        rows = rows.filter(status=status)
    return _page(rows, "invitation_id", after, at_most)


def _page(rows: QuerySet, key: str, after: list | None, at_most: int) -> list:
    """Return the next rows of a list ordered from newest to oldest."""
    if after:
        made, pk = datetime.fromisoformat(after[0]), after[1]
        rows = rows.filter(Q(created_at__lt=made) | Q(created_at=made, **{f"{key}__lt": pk}))
    return list(rows.order_by("-created_at", f"-{key}")[:at_most])
