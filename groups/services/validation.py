"""Validations of the mission schema on the live database, in transactions that are rolled back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import DatabaseError, IntegrityError, connection, transaction

from groups.models import Group, Member, Membership


@dataclass(frozen=True)
class Outcome:
    """The result of one validation. detail: a count, or the failure."""

    name: str
    passed: bool
    detail: str


class _Failed(Exception):
    """A validation failed. The message is the detail."""


def validate_missions() -> Iterator[Outcome]:
    """Run each validation in a transaction that is rolled back; yields one Outcome each."""
    for check in CHECKS:
        name = (check.__doc__ or "").strip().splitlines()[0].rstrip(".")
        try:
            with transaction.atomic():
                detail = check()
                transaction.set_rollback(True)
        except _Failed as failure:
            yield Outcome(name, False, str(failure))
        except DatabaseError as error:
            yield Outcome(name, False, str(error).strip().splitlines()[0])
        else:
            yield Outcome(name, True, detail)


def every_group_has_a_stable_id() -> str:
    """Every group has a stable ID."""
    total, missing = _row("SELECT count(*), count(*) FILTER (WHERE stable_id IS NULL) FROM groups")
    _reject_if(missing, f"{missing} groups have none")
    return f"{total} groups"


def no_stable_id_twice() -> str:
    """No stable ID is given twice."""
    twice = _column("SELECT stable_id FROM groups GROUP BY stable_id HAVING count(*) > 1 ORDER BY 1 LIMIT 20")
    _reject_if(twice, f"given twice: {', '.join(twice)}")
    return "all different"


def one_active_membership_per_group() -> str:
    """A second active membership is rejected."""
    member, mission = _trial()
    Membership.objects.create(member=member, group=mission)
    try:
        with transaction.atomic():
            Membership.objects.create(member=member, group=mission)
    except IntegrityError:
        return "rejected by idx_memberships_active_unique"
    raise _Failed("a member got a second active membership in the same mission")


def rejoining_works() -> str:
    """A member who left may join again."""
    member, mission = _trial()
    membership = Membership.objects.create(member=member, group=mission)
    membership.status, membership.left_at = Membership.Status.LEFT, membership.joined_at
    membership.save(update_fields=["status", "left_at"])
    Membership.objects.create(member=member, group=mission)
    memberships = Membership.objects.filter(member=member, group=mission).count()
    _reject_if(memberships != 2, f"{memberships} memberships instead of 2")
    return "both memberships are kept"


def active_missions_answer() -> str:
    """get_active_missions lists every active mission."""
    member, _mission = _trial()
    listed = _row("SELECT count(*) FROM get_active_missions(%s, 0)", [member.pk])[0]
    active = Group.objects.missions().active().count()
    _reject_if(listed != active, f"{listed} listed, {active} active")
    return f"{listed} missions"


def mission_members_answer() -> str:
    """get_mission_members lists every active member of a mission."""
    member, mission = _trial()
    Membership.objects.create(member=member, group=mission)
    listed = _column("SELECT member_id FROM get_mission_members(%s)", [mission.pk])
    active = Membership.objects.active().filter(group=mission).count()
    _reject_if(member.pk not in listed or len(listed) != active, f"{len(listed)} listed, {active} active")
    return f"{len(listed)} members"


def counts_are_right() -> str:
    """The counters of members and open tasks match the rows."""
    drifted = _column("SELECT group_id FROM mission_counter_drift() LIMIT 20")
    _reject_if(drifted, f"drifted: {', '.join(map(str, drifted))}")
    return "no drift"


CHECKS: list[Callable[[], str]] = [
    every_group_has_a_stable_id,
    no_stable_id_twice,
    one_active_membership_per_group,
    rejoining_works,
    active_missions_answer,
    mission_members_answer,
    counts_are_right,
]


def _trial() -> tuple[Member, Group]:
    """Return a member and an active mission they do not belong to; created if there are none.

    Existing rows are preferred: creating one uses up a stable ID, even if it is rolled back.
    """
    mission = Group.objects.missions().active().order_by("stable_id").first()
    if mission is None:
        colony = Group.objects.create(name="Validation", type=Group.Type.COLONY, min_trust_score=None)
        mission = Group.objects.create(name="Validation", parent_group=colony)
    outsider = Member.objects.exclude(memberships__group=mission).order_by("member_id").first()
    return outsider or Member.objects.create_user("validation@invalid", display_name="Validation"), mission


def _reject_if(wrong: object, detail: str) -> None:
    if wrong:
        raise _Failed(detail)


def _row(sql: str, parameters: list | None = None) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()


def _column(sql: str, parameters: list | None = None) -> list:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [value for (value,) in cursor.fetchall()]
