"""Reads of active missions for one member, and of the members of a mission."""

from collections.abc import Sequence
from datetime import date

from django.db import connection
from django.db.models import BigIntegerField, F, Func, Q, Value
from django.db.models.functions import Greatest

from groups.models import Group, Member
from groups.selectors.eligibility import missing_points
from groups.selectors.membership_dates import members_on

_COLUMNS = (
    "id",
    "stable_id",
    "name",
    "description",
    "min_trust_score",
    "member_count",
    "task_count",
    "is_member",
    "is_eligible",
)
_ACTIVE = f"SELECT {', '.join(_COLUMNS)} FROM active_missions(%s, %s)"  # noqa: S608  (constant names)


def _rows(member: Member, conditions: list[str], values: list, at_most: int) -> list[dict]:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_ACTIVE}{where} ORDER BY min_trust_score, name, id LIMIT %s",
            [member.pk, member.trust_score, *values, at_most],
        )
        found = [dict(zip(_COLUMNS, row, strict=True)) for row in cursor.fetchall()]
    # Not a column of the functions: their signatures are fixed.
    free = Greatest(Func(F("pk"), function="free_places", output_field=BigIntegerField()), Value(0))
    joining = {
        pk: {"join_policy": policy, "max_members": most, "free_places": None if most is None else places}
        for pk, policy, most, places in Group.objects.filter(pk__in=[row["id"] for row in found])
        .annotate(places=free)
        .values_list("pk", "join_policy", "max_members", "places")
    }
    # Without one that was archived meanwhile, which the member role no longer sees.
    return [
        {**row, "missing_points": missing_points(member, row["min_trust_score"]), **joining[row["id"]]}
        for row in found
        if row["id"] in joining
    ]


def get_active_mission(member: Member, **by: object) -> dict | None:
    """Return one active mission by `id` or `stable_id`, as `member` sees it."""
    ((column, value),) = by.items()
    return next(iter(_rows(member, ["id = %s" if column == "id" else "stable_id = %s"], [value], 1)), None)


def list_active_missions(
    member: Member, *, at_most: int, prefix: str | None = None, eligible: bool | None = None, after: Sequence | None
) -> list[dict]:
    """Return up to `at_most` active missions in the order of get_active_missions, as `member` sees them.

    prefix: the beginning of the name, in any case. eligible: only those the member's score allows, or only the others.
    after: (min_trust_score, name, id) of the last row before the page.

    Missions without a threshold sort last. They are read by a second query, so that each query scans one range of the
    index idx_groups_active_missions, also for deep pages.
    """
    conditions, values = [], []
    if prefix:
        escaped = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        conditions.append("lower(name) LIKE lower(%s)")
        values.append(f"{escaped}%")
    rows = []
    if after is None or after[0] is not None:
        bounds, limits = ["min_trust_score IS NOT NULL"], []
        if eligible is not None:
            bounds.append("min_trust_score <= %s" if eligible else "min_trust_score > %s")
            limits.append(member.trust_score)
        if after is not None:
            bounds.append("(min_trust_score, name, id) > (%s, %s, %s::uuid)")
            limits += after
            after = None
        rows = _rows(member, conditions + bounds, values + limits, at_most)
    if len(rows) < at_most and eligible is not False:
        bounds, limits = ["min_trust_score IS NULL"], []
        if after is not None:
            bounds.append("(name, id) > (%s, %s::uuid)")
            limits += after[1:]
        rows += _rows(member, conditions + bounds, values + limits, at_most - len(rows))
    return rows


def list_members(
    mission: Group, *, at_most: int, after: Sequence | None, with_email: bool = False, on: date | None = None
) -> list[dict]:
    """Return up to `at_most` members of a mission, in the order of get_mission_members.

    on: those at the end of a day; the current ones by default.

    after: (joined_at, id) of the last row before the page. with_email: add the e-mail, which the member
    role cannot read.
    """
    memberships = members_on(mission.memberships.all(), on) if on else mission.memberships.active()
    if after is not None:
        joined_at, last = after
        memberships = memberships.filter(Q(joined_at__gt=joined_at) | Q(joined_at=joined_at, id__gt=last))
    columns = {"member_stable_id": F("member__member_id"), "display_name": F("member__display_name")}
    if with_email:
        columns["email"] = F("member__email")
    rows = memberships.order_by("joined_at", "id").values("id", "member_id", "role", "joined_at", **columns)
    return [{"email": None, **row} for row in rows[:at_most]]
