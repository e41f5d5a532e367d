"""Import of memberships from a CSV file or a spreadsheet, in the format of their export."""

import codecs
import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import BinaryIO
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.models import Group, Member, Membership
from groups.rules import DEFAULT_ROLE, MembershipStatus
from groups.services.import_columns import plain
from groups.services.import_files import (
    NOTHING_CHOSEN,
    PREVIEWED,
    ImportChoices,
    ImportReport,
    LineError,
    RowChange,
    open_table,
)
from groups.services.import_mappings import columns_for, find_mapping, remember_mapping
from groups.services.import_values import CLEAR, FORMULA, clean_text, is_formula
from groups.services.imports import lock_imports, remembered_note
from groups.services.membership_columns import (
    MembershipColumns,
    Time,
    known_membership_headings,
    map_membership_columns,
    read_time,
)
from groups.services.memberships import add_past_membership, change_role, join_mission, leave_mission
from missionsite.common.audit.events import audit
from missionsite.common.csvfiles import Row, quoted
from missionsite.common.errors import DomainError
from missionsite.common.transactions import service

# Rows that are matched with one query each for members, missions and memberships.
BATCH = 1_000
# Marks the shape of a heading of memberships among those of members.
SHAPE = ("memberships",)
_STATUSES = {
    MembershipStatus.ACTIVE: "active|ativo|ativa|activo|activa|aktiv",
    MembershipStatus.LEFT: "left|ended|former|saiu|baja|ausgetreten",
}
_BY_STATUS = {name: status for status, names in _STATUSES.items() for name in names.split("|")}
_COLUMN_OF_FIELD = {"member": "member_id", "group": "mission_id"}

TIME_INVALID = _("Write a time as 2026-03-01 or 2026-03-01T18:30+00:00, not “%(value)s”.")
MEMBER_UNKNOWN = _("There is no member “%(value)s”.")
MISSION_UNKNOWN = _("There is no mission or colony “%(value)s”.")
MISSION_AMBIGUOUS = _("Several missions have the name “%(value)s”. Enter the stable ID as mission_id.")
ENDED = _("This membership has ended. To add another one, leave “number” empty and enter the joining date.")
TWICE = _("This membership is already on line %(line)d.")
OVERLAPS = _("The member was in the mission at that time already: membership %(number)d.")
DATE_FIXED = _("The joining and leaving dates of a membership cannot be changed by an import.")


class _Wrong(Exception):
    """A value of a row is wrong."""

    def __init__(self, column: str, sentence: str) -> None:
        self.column, self.sentence = column, sentence


@dataclass
class _Counts:
    lines: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0


@service
def import_memberships(
    *,
    actor: Member,
    file: BinaryIO,
    dry_run: bool = False,
    skip_bad: bool = False,
    errors_to: BinaryIO | None = None,
    errors_kept: int = 100,
    progress: Callable[[str, int], None] | None = None,
    choices: ImportChoices = NOTHING_CHOSEN,
    name: str = "",
) -> ImportReport:
    """Add, change and end the memberships of a file: all of them or, if a line has an error, none.

    A membership is found by member (stable ID or e-mail), mission (stable ID or name) and its number among theirs, else
    by its joining date, else it is the active one; otherwise it is a new one. An empty cell changes nothing. A role
    and its end change, and a leaving date or the status "left" ends the membership; dates do not change. Every change
    is made by the service that the pages use, so a check is the import itself, taken back.

    The arguments and errors are those of groups.services.imports.import_members.
    """
    report_progress = progress or (lambda step, lines: None)
    with connection.cursor() as cursor:
        if not dry_run:
            lock_imports(cursor)
    table = open_table(file, choices, known=known_membership_headings, shape=SHAPE)
    remembered = None if choices.columns else find_mapping([*SHAPE, *table.header])
    if remembered:
        choices = replace(choices, columns=columns_for(table.header, remembered))
    columns = map_membership_columns(table.header, chosen=choices.columns, line=table.header_line)
    run = _Import(actor, columns, errors_kept, errors_to)
    rows = table.rows()
    while batch := list(islice(rows, BATCH)):
        run.take(batch)
        report_progress("reading", run.counts.lines)
    counts = run.counts
    written = not dry_run and (skip_bad or not run.error_count)
    if written:
        if choices.columns and not remembered:
            header = [*SHAPE, *table.header]
            remember_mapping(actor=actor, header=header, columns=dict(choices.columns), roles={})
        if counts.added or counts.updated:
            audit(
                "membership.imported",
                actor=actor,
                file=name[-200:],
                lines=counts.lines,
                added=counts.added,
                updated=counts.updated,
            )
    else:
        transaction.set_rollback(True)
    report_progress("done", counts.lines)
    notes = list(table.notes)
    if columns.ignored:
        notes.append(gettext("Columns not imported: %(names)s") % {"names": ", ".join(map(quoted, columns.ignored))})
    return ImportReport(
        lines=counts.lines,
        added=counts.added,
        updated=counts.updated,
        unchanged=counts.unchanged,
        rejected=counts.rejected,
        error_count=run.error_count,
        written=written,
        errors=run.errors,
        warning_count=run.warning_count,
        warnings=run.warnings,
        notes=[*notes, *remembered_note(remembered)],
        columns=columns.columns,
        preview=[] if written else run.preview,
    )


@dataclass
class _Wanted:
    """The values of a row; empty ones are None."""

    line: int
    member: Member
    mission: Group
    number: int | None
    role: str | None
    role_until: Time | None
    clears_until: bool
    status: str | None
    joined_at: Time | None
    left_at: Time | None


class _Import:
    """The rows applied so far."""

    def __init__(self, actor: Member, columns: MembershipColumns, errors_kept: int, errors_to: BinaryIO | None) -> None:
        self._actor, self._columns, self._kept = actor, columns, errors_kept
        self.counts = _Counts()
        self.errors: list[LineError] = []
        self.warnings: list[LineError] = []
        self.error_count = self.warning_count = 0
        self.preview: list[RowChange] = []
        self._lines: dict[UUID, int] = {}
        self._writer = None
        if errors_to is not None:
            self._writer = csv.writer(codecs.getwriter("utf-8")(errors_to))
            self._writer.writerow(["line", "column", "error"])

    def take(self, rows: list[Row]) -> None:
        """Apply some rows, which are matched together."""
        values = [dict(self._values(row)) for row in rows]
        found = _Found(values)
        for row, cells in zip(rows, values, strict=True):
            self.counts.lines += 1
            if row.error:
                self._reject(row.line, row.column, row.error)
                continue
            try:
                with transaction.atomic():
                    self._apply(row.line, cells, found)
            except _Wrong as wrong:
                self._reject(row.line, wrong.column, wrong.sentence)
            except DomainError as error:
                field = error.field or ""
                self._reject(row.line, _COLUMN_OF_FIELD.get(field, field), str(error.message))

    def _values(self, row: Row) -> Iterator[tuple[str, str]]:
        def warn(column: str, sentence: str) -> None:
            self._warn(row.line, column, sentence)

        for column, place in self._columns.places.items():
            yield column, clean_text(row.values[place], column, warn) if row.values else ""

    def _reject(self, line: int, column: str, sentence: str) -> None:
        self.counts.rejected += 1
        self.error_count += 1
        if len(self.errors) < self._kept:
            self.errors.append(LineError(line, column, sentence))
        if self._writer:
            self._writer.writerow([line, column, sentence])

    def _warn(self, line: int, column: str, sentence: str) -> None:
        self.warning_count += 1
        if len(self.warnings) < self._kept:
            self.warnings.append(LineError(line, column, sentence))

    def _apply(self, line: int, cells: dict[str, str], found: "_Found") -> None:
        wanted = _read(line, cells, found)
        member = wanted.member
        if cells.get("member_id") and cells.get("email", "").lower() not in ("", member.email.lower()):
            self._warn(line, "email", gettext("Not imported: members are changed by an import of members."))
        periods = found.periods(member, wanted.mission)
        current = _match(wanted, periods)
        if current is None and (kept := _kept(member)) != member:
            wanted.member = member = kept
            periods = found.periods(kept, wanted.mission)
            current = _match(wanted, periods)
        if current is None:
            changes = self._add(wanted, periods)
            self.counts.added += 1
        else:
            if earlier := self._lines.get(current.pk):
                raise _Wrong("number", str(TWICE) % {"line": earlier})
            changes = self._change(wanted, current)
            self._lines[current.pk] = line
            self.counts.updated += bool(changes)
            self.counts.unchanged += not changes
        if changes and len(self.preview) < PREVIEWED:
            shown = gettext("%(member)s in %(group)s") % {"member": member.display_name, "group": wanted.mission.name}
            self.preview.append(RowChange(line, current is None, shown, member.member_id, changes))

    def _add(self, wanted: _Wanted, periods: list[Membership]) -> list[tuple[str, str | None, str | None]]:
        role, joined = wanted.role or DEFAULT_ROLE, wanted.joined_at and wanted.joined_at.at
        left = wanted.left_at and wanted.left_at.at
        ended = left is not None or wanted.status == MembershipStatus.LEFT
        if ended and (joined is None or left is None or wanted.status == MembershipStatus.ACTIVE):
            raise _Wrong("left_at", gettext("An ended membership needs its joining and leaving dates."))
        begins = joined or timezone.now()
        for number, period in enumerate(periods, 1):
            if (left is None or period.joined_at < left) and (period.left_at is None or period.left_at > begins):
                raise _Wrong("joined_at" if joined else "mission_id", str(OVERLAPS) % {"number": number})
        if joined and left:
            made = add_past_membership(
                actor=self._actor,
                member=wanted.member,
                mission=wanted.mission,
                role=role,
                joined_at=joined,
                left_at=left,
            )
        else:
            made = join_mission(
                actor=self._actor, member=wanted.member, mission=wanted.mission, role=role, joined_at=joined
            )
            if wanted.role_until:
                change_role(actor=self._actor, membership=made, role=role, until=wanted.role_until.at)
        self._lines[made.pk] = wanted.line
        made.refresh_from_db(fields=["joined_at"])
        periods.append(made)
        periods.sort(key=lambda period: (period.joined_at, period.pk))
        return [("role", None, role), ("joined_at", None, _shown(made.joined_at)), ("left_at", None, _shown(left))]

    def _change(self, wanted: _Wanted, current: Membership) -> list[tuple[str, str | None, str | None]]:
        changes: list[tuple[str, str | None, str | None]] = []
        if wanted.joined_at and not wanted.joined_at.fits(current.joined_at):
            raise _Wrong("joined_at", str(DATE_FIXED))
        if not current.is_active:
            if wanted.status == MembershipStatus.ACTIVE:
                raise _Wrong("status", str(ENDED))
            if wanted.left_at and current.left_at and not wanted.left_at.fits(current.left_at):
                raise _Wrong("left_at", str(DATE_FIXED))
        role, until = wanted.role or current.role, current.role_until
        if wanted.clears_until:
            until = None
        elif wanted.role_until and not (until and wanted.role_until.fits(until)):
            until = wanted.role_until.at
        if role == DEFAULT_ROLE:
            until = None
        if (role, until) != (current.role, current.role_until):
            if role != current.role:
                changes.append(("role", current.role, role))
            if until != current.role_until:
                changes.append(("role_until", _shown(current.role_until), _shown(until)))
            change_role(actor=self._actor, membership=current, role=role, until=until)
        if current.is_active and (wanted.left_at or wanted.status == MembershipStatus.LEFT):
            ended = leave_mission(
                actor=self._actor,
                member=wanted.member,
                mission=wanted.mission,
                left_at=wanted.left_at and wanted.left_at.at,
            )
            changes.append(("left_at", None, _shown(ended.left_at)))
            current.status, current.left_at = ended.status, ended.left_at
        return changes


def _shown(at: datetime | None) -> str | None:
    return timezone.localtime(at).isoformat(sep=" ", timespec="minutes") if at else None


def _read(line: int, cells: Mapping[str, str], found: "_Found") -> _Wanted:
    """Return the values of a row. Raises _Wrong."""

    def time_of(column: str) -> Time | None:
        text = cells.get(column, "")
        if not text or (text == CLEAR and column == "role_until"):
            return None
        try:
            return read_time(text)
        except ValueError:
            raise _Wrong(column, str(TIME_INVALID) % {"value": text[:40]}) from None

    for column, text in cells.items():
        if is_formula(text):
            raise _Wrong(column, str(FORMULA))
    number = cells.get("number", "")
    if number and not (number.isascii() and number.isdigit() and int(number[:9]) > 0 and len(number) < 9):
        raise _Wrong("number", gettext("The number of a membership is a whole number from 1."))
    status = _BY_STATUS.get(plain(cells.get("status", "")))
    if cells.get("status") and status is None:
        raise _Wrong(
            "status", gettext("The status is “active” or “left”, not “%(value)s”.") % {"value": cells["status"][:40]}
        )
    left_at = time_of("left_at")
    if left_at and left_at.at > timezone.now():
        raise _Wrong("left_at", gettext("The leaving date must not be in the future."))
    return _Wanted(
        line=line,
        member=found.member(cells),
        mission=found.mission(cells),
        number=int(number) if number else None,
        role=cells.get("role") or None,
        role_until=time_of("role_until"),
        clears_until=cells.get("role_until") == CLEAR,
        status=status,
        joined_at=time_of("joined_at"),
        left_at=left_at,
    )


def _match(wanted: _Wanted, periods: list[Membership]) -> Membership | None:
    """Return the membership that a row is about; None for a new one."""
    if wanted.number and wanted.number <= len(periods):
        return periods[wanted.number - 1]
    if wanted.joined_at:
        return next((period for period in periods if wanted.joined_at.fits(period.joined_at)), None)
    if wanted.number:
        return None
    return next((period for period in periods if period.is_active), None)


class _Found:
    """The members, missions and memberships that some rows name, in four queries."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        ids = {cells.get("member_id", "").upper() for cells in rows} - {""}
        emails = {cells.get("email", "").lower() for cells in rows if not cells.get("member_id")} - {""}
        members = list(Member.objects.filter(member_id__in=ids).select_related("merged_into")) if ids else []
        self._by_id = {member.member_id: member for member in members}
        with_email = Member.objects.alias(email_lower=Lower("email")).filter(email_lower__in=emails)
        by_email = list(with_email.select_related("merged_into")) if emails else []
        self._by_email = {member.email.lower(): member for member in by_email}
        self._by_name: dict[str, list[Group]] = {}
        group_ids = {cells.get("mission_id", "").upper() for cells in rows} - {""}
        names = {cells.get("mission", "") for cells in rows if not cells.get("mission_id")} - {""}
        groups = Group.objects.filter(stable_id__in=group_ids) | Group.objects.filter(name__in=names)
        self._groups = {group.stable_id: group for group in groups}
        for group in self._groups.values():
            self._by_name.setdefault(group.name, []).append(group)
        self._periods: dict[tuple[UUID, UUID], list[Membership]] = {}
        named = (*self._by_id.values(), *self._by_email.values())
        people = {member.pk for member in named} | {_kept(member).pk for member in named}
        periods = Membership.objects.filter(member__in=people, group__in=[g.pk for g in self._groups.values()])
        for period in periods.order_by("joined_at", "id"):
            self._periods.setdefault((period.member_id, period.group_id), []).append(period)

    def member(self, cells: Mapping[str, str]) -> Member:
        """Return the member of a row. Raises _Wrong."""
        named, email = cells.get("member_id", ""), cells.get("email", "")
        if not (named or email):
            raise _Wrong("member_id", gettext("Enter the stable ID or the e-mail of the member."))
        member = self._by_id.get(named.upper()) if named else self._by_email.get(email.lower())
        if member is None:
            raise _Wrong("member_id" if named else "email", str(MEMBER_UNKNOWN) % {"value": (named or email)[:80]})
        return member

    def mission(self, cells: Mapping[str, str]) -> Group:
        """Return the mission of a row. Raises _Wrong."""
        named, name = cells.get("mission_id", ""), cells.get("mission", "")
        if not (named or name):
            raise _Wrong("mission_id", gettext("Enter the stable ID or the name of the mission."))
        if named:
            found = [self._groups[named.upper()]] if named.upper() in self._groups else []
        else:
            found = self._by_name.get(name, [])
        if len(found) > 1:
            raise _Wrong("mission", str(MISSION_AMBIGUOUS) % {"value": name[:80]})
        if not found:
            raise _Wrong("mission_id" if named else "mission", str(MISSION_UNKNOWN) % {"value": (named or name)[:80]})
        return found[0]

    def periods(self, member: Member, mission: Group) -> list[Membership]:
        """Return the memberships of a member in a mission, by their number."""
        return self._periods.setdefault((member.pk, mission.pk), [])


def _kept(member: Member) -> Member:
    """Return whom a member was merged into, or the member."""
    while member.merged_into:
        member = member.merged_into
    return member
