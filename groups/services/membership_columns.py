"""Which column of an imported list of memberships is which, and the times in its cells."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext

from groups.services.import_columns import plain
from missionsite.common.csvfiles import FileUnreadable, HeadingUnknown, quoted

MEMBERSHIP_COLUMNS = (
    "member_id",
    "email",
    "mission_id",
    "mission",
    "number",
    "role",
    "role_until",
    "status",
    "joined_at",
    "left_at",
)
# Columns of the export that an import does not read.
_EXPORTED_ONLY = frozenset(["name"])
_HEADINGS = {
    "member_id": "member id|stable id|member stable id|id de membro|mitgliedsnummer|numero de membro",
    "email": "email|e mail|email address|e mail address|member email|correo|correo electronico",
    "mission_id": "mission id|group id|mission stable id|id da missao|colony id|id de la mision",
    "mission": "mission|group|mission name|colony|missao|mision|gruppe|groupe|gruppo",
    "number": "number|membership number|numero da participacao",
    "role": "role|papel|funcao|rol|rolle|ruolo",
    "role_until": "role until|until|papel ate|funcao ate|rolle bis",
    "status": "status|state|situacao|estado",
    "joined_at": "joined at|joined|joined on|join date|member since|since|entrou em|entrada|beitritt|eintritt|desde",
    "left_at": "left at|left|left on|leave date|saiu em|saida|austritt|salida",
}
_BY_HEADING = {heading: column for column, headings in _HEADINGS.items() for heading in headings.split("|")}
_DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", re.ASCII)


class MembershipColumns(NamedTuple):
    """The place of each column in a row, and each heading with its column; empty if it is not imported."""

    places: dict[str, int]
    columns: list[tuple[str, str]]

    @property
    def ignored(self) -> list[str]:
        return [heading for heading, column in self.columns if heading and not column and heading not in _EXPORTED_ONLY]


def known_membership_headings(cells: Sequence[str]) -> int:
    """Return how many cells of a row are headings that an import of memberships knows."""
    return sum(1 for cell in cells if len(cell) < 80 and plain(cell) in _BY_HEADING)


def map_membership_columns(header: Sequence[str], *, chosen: Mapping[str, str], line: int) -> MembershipColumns:
    """Find the columns of a file. chosen: by heading, the column it is imported as, or "" to leave it out.

    Raises FileUnreadable if two columns are imported as the same one, or nothing names the member or the mission.
    """
    places: dict[str, int] = {}
    columns: list[tuple[str, str]] = []
    for place, heading in enumerate(header):
        column = chosen[heading] if heading in chosen else _BY_HEADING.get(plain(heading), "")
        if column in places:
            raise FileUnreadable(
                gettext("The columns %(first)s and %(second)s are both read as %(column)s. Leave one of them out.")
                % {"first": quoted(header[places[column]]), "second": quoted(heading), "column": column}
            )
        if column:
            places[column] = place
        columns.append((heading, column))
    if not ({"member_id", "email"} & places.keys() and {"mission_id", "mission"} & places.keys()):
        raise HeadingUnknown(
            header,
            gettext(
                "The header on line %(line)s must have a column for the member (member_id or email) and one for the"
                " mission (mission_id or mission). Choose which columns they are."
            )
            % {"line": line},
        )
    return MembershipColumns(places, columns)


class Time(NamedTuple):
    """A time of a cell, and how exactly it is given."""

    at: datetime
    exact_to: timedelta

    def fits(self, stored: datetime) -> bool:
        """Whether a stored time is this one, as exactly as the cell gives it."""
        return timedelta(0) <= stored - self.at < self.exact_to


def read_time(text: str) -> Time:
    """Read 2026-03-01, 01.03.2026 or a time of ISO 8601, without a zone in the current one. Raises ValueError."""
    if match := _DAY_FIRST.fullmatch(text):
        text = f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}"
    if (day := parse_date(text)) is not None:
        return Time(timezone.make_aware(datetime.combine(day, time.min)), timedelta(days=1))
    at = parse_datetime(text)
    if at is None:
        raise ValueError(text)
    if timezone.is_naive(at):
        at = timezone.make_aware(at)
    # Spreadsheets store times to a thousandth of a second.
    exact_to = timedelta(milliseconds=1)
    if not at.microsecond:
        exact_to = timedelta(seconds=1) if at.second else timedelta(minutes=1)
    return Time(at, exact_to)
