"""Membership events as JSON lines with stable IDs, and replaying them into a database without memberships."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.errors import ReplayRejected
from groups.models import Group, Member, Membership
from groups.rules import DEFAULT_ROLE, GroupStatus, GroupType, MembershipStatus
from missionsite.common.audit.events import audit
from missionsite.common.sql_loader import read_sql
from missionsite.common.transactions import service

# Rows that one INSERT writes.
BATCH = 5_000
# The domain of members whose e-mail the file does not have. Source: RFC 2606.
NO_EMAIL = "replayed.invalid"
_REQUIRED = {
    "group.created": ("group", "kind", "name"),
    "group.archived": ("group",),
    "member.created": ("member",),
    "membership.created": ("at", "member", "group", "number", "role"),
    "membership.role_changed": ("at", "member", "group", "number", "role"),
    "membership.ended": ("at", "member", "group", "number"),
}


def export_membership_events(*, names: bool = True) -> Iterator[str]:
    """Yield the lines of all groups, members and memberships, read as a stream. names: with names and e-mails."""
    sql = read_sql("groups/queries/export_membership_events")
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(f"COPY ({sql}) TO STDOUT", {"names": names}) as copy,
    ):
        for (line,) in copy.rows():
            yield line


@service
def replay_membership_events(*, actor: Member, lines: Iterable[str]) -> int:
    """Create the groups, members and memberships of exported lines, all or nothing. Returns the number of memberships.

    Groups and members that are there already, by stable ID, stay as they are. One event records the replay.
    Raises ReplayRejected, which names the line, and the errors of the constraints.
    """
    if Membership.objects.exists():
        raise ReplayRejected(gettext("There are memberships already. Replay into a database without any."))
    replay = _Replay(actor)
    for number, line in enumerate(lines, start=1):
        if line.strip():
            replay.read(number, line)
    replay.write()
    audit("membership.replayed", actor=actor, lines=replay.lines, added=len(replay.memberships))
    return len(replay.memberships)


class _Replay:
    """The state that the lines read so far lead to."""

    def __init__(self, actor: Member) -> None:
        self.actor = actor
        self.lines = 0
        self.groups = {group.stable_id: group for group in Group.objects.all()}
        self.members = dict(Member.objects.values_list("member_id", "pk"))
        self.new_members: list[Member] = []
        self.archived: list[str] = []
        self.memberships: dict[tuple[str, str, int], Membership] = {}

    def read(self, number: int, line: str) -> None:
        """Apply one line. Raises ReplayRejected."""
        self.lines += 1
        try:
            event = json.loads(line)
        except ValueError:
            raise self._rejected(number, _("it is not JSON")) from None
        kind = event.get("type") if isinstance(event, dict) else None
        if kind not in _REQUIRED:
            raise self._rejected(number, _("its type is not known"))
        if missing := [name for name in _REQUIRED[kind] if event.get(name) in (None, "")]:
            raise self._rejected(number, gettext("“%(name)s” is missing") % {"name": missing[0]})
        match kind:
            case "group.created":
                self._add_group(number, event)
            case "group.archived":
                self.archived.append(self._group(number, event).stable_id)
            case "member.created":
                self._add_member(event)
            case _:
                self._change_membership(number, kind, event)

    def write(self) -> None:
        """Write memberships, then archive: an archived group takes no active membership."""
        Membership.objects.bulk_create(self.memberships.values(), batch_size=BATCH)
        Group.objects.filter(stable_id__in=self.archived, status=GroupStatus.ACTIVE, type=GroupType.MISSION).update(
            status=GroupStatus.ARCHIVED
        )
        Group.objects.filter(stable_id__in=self.archived, status=GroupStatus.ACTIVE).update(status=GroupStatus.ARCHIVED)

    def _add_group(self, number: int, event: dict[str, Any]) -> None:
        stable_id = str(event["group"])
        if stable_id in self.groups:
            return
        if event["kind"] not in GroupType.values:
            raise self._rejected(number, _("its kind is neither colony nor mission"))
        colony = self._group(number, {"group": event.get("colony")}) if event.get("colony") else None
        self.groups[stable_id] = Group.objects.create(
            stable_id=stable_id,
            type=event["kind"],
            name=event["name"],
            description=event.get("description") or "",
            parent_group=colony,
            min_trust_score=event.get("min_trust_score"),
        )

    def _add_member(self, event: dict[str, Any]) -> None:
        stable_id = str(event["member"])
        if stable_id in self.members:
            return
        made = Member.objects.create(
            member_id=stable_id,
            email=event.get("email") or f"{stable_id.lower()}@{NO_EMAIL}",
            display_name=event.get("name") or stable_id,
            trust_score=event.get("trust_score") or 0,
        )
        self.members[stable_id] = made.pk

    def _change_membership(self, number: int, kind: str, event: dict[str, Any]) -> None:
        group, at = self._group(number, event), self._time(number, event)
        if (member := self.members.get(str(event["member"]))) is None:
            raise self._rejected(number, gettext("there is no member %(id)s") % {"id": event["member"]})
        key = (str(event["member"]), group.stable_id, int(event["number"]))
        current = self.memberships.get(key)
        if (current is None) != (kind == "membership.created"):
            raise self._rejected(number, _("this membership began twice, or has not begun"))
        if current is None:
            role = str(event["role"]) or DEFAULT_ROLE
            self.memberships[key] = Membership(member_id=member, group=group, role=role, joined_at=at)
        elif kind == "membership.role_changed":
            current.role = str(event["role"])
        elif current.left_at:
            raise self._rejected(number, _("this membership ended before"))
        else:
            current.left_at, current.status = at, MembershipStatus.LEFT

    def _group(self, number: int, event: dict[str, Any]) -> Group:
        if group := self.groups.get(str(event["group"])):
            return group
        raise self._rejected(number, gettext("there is no group %(id)s") % {"id": event["group"]})

    def _time(self, number: int, event: dict[str, Any]) -> datetime:
        try:
            at = parse_datetime(str(event["at"]))
            int(event["number"])
        except (ValueError, TypeError):
            at = None
        if at is None or timezone.is_naive(at):
            raise self._rejected(number, _("its time or number is not valid"))
        return at

    @staticmethod
    def _rejected(number: int, why: Any) -> ReplayRejected:
        return ReplayRejected(gettext("Line %(line)d: %(why)s.") % {"line": number, "why": why})
