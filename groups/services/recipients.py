"""Reading a pasted list of people to invite: one person per line, with whatever the line says of them."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.db.models.functions import Lower
from django.utils.translation import gettext

from groups.models import CommunityInvitation, Member
from groups.rules import TELEGRAM_NAME, InvitationStatus, normalize_username
from missionsite.common.constraints import ONE_LINE_ERROR, is_one_line

_LINK = re.compile(r"(?:https?://)?(?:www\.)?(?:t\.me|telegram\.me)/", re.IGNORECASE)
_NAMED_ADDRESS = re.compile(r"^(?P<name>[^<>]*)<(?P<email>[^<>\s]+)>\s*$")
_PHONE = re.compile(r"^\+?[\d\s().\-/]{6,}$")
# Headings of the columns that are read; other columns of a list with a heading are not.
_HEADINGS = {
    "name": "name",
    "nome": "name",
    "email": "email",
    "e-mail": "email",
    "mail": "email",
    "telegram": "telegram_username",
    "telegram name": "telegram_username",
    "telegram_name": "telegram_username",
    "telegram_username": "telegram_username",
}


@dataclass(frozen=True)
class Recipient:
    """The person an invitation is for, as far as known; all empty for anyone with the code."""

    name: str = ""
    email: str = ""
    telegram_username: str = ""

    def __bool__(self) -> bool:
        return bool(self.name or self.email or self.telegram_username)


@dataclass(frozen=True)
class LineError:
    line: int
    message: str

    def __str__(self) -> str:
        return gettext("Line %(line)d: %(message)s") % {"line": self.line, "message": self.message}


class _Unclear(Exception):
    """The line does not say whom to invite; the message says why."""


def read_recipients(text: str) -> tuple[list[Recipient], list[LineError]]:
    """Return the people of a list and the errors of its lines. A repeated line counts once.

    A line may be a name, an e-mail, a Telegram name or link, or several of them separated by comma, semicolon or tab. A
    single word of 4 to 32 letters and digits is a Telegram name. Below a heading, the columns say what a cell is.
    Errors also name addresses that have an account or a pending invitation.
    """
    found: dict[Recipient, int] = {}
    errors = []
    columns: list[str | None] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        cells = _cells(line)
        if not any(cells):
            continue
        if columns is None:
            columns = [_HEADINGS.get(cell.lower()) for cell in cells]
            if any(columns):
                continue
            columns = []
        try:
            if person := _recipient(_of_columns(columns, cells) if columns else cells):
                found.setdefault(person, number)
        except _Unclear as error:
            errors.append(LineError(number, str(error)))
    errors += _known(found)
    return list(found), sorted(errors, key=lambda error: error.line)


def check_recipient(recipient: Recipient) -> str:
    """Return what is wrong with the e-mail or Telegram name of a person; empty if nothing."""
    if recipient.email and not _is_email(recipient.email):
        return gettext("“%(text)s” is no e-mail address.") % {"text": recipient.email}
    name = recipient.telegram_username
    if name and not re.fullmatch(TELEGRAM_NAME, name):
        return gettext("“%(text)s” is no Telegram name, which has 4 to 32 letters, digits and underscores.") % {
            "text": name
        }
    if len(recipient.name) > 255:
        return gettext("The name is longer than 255 characters.")
    if not is_one_line(recipient.name):
        return str(ONE_LINE_ERROR)
    return ""


def _cells(line: str) -> list[str]:
    if address := _NAMED_ADDRESS.match(line):
        return [address["name"].strip().strip('"').strip(), address["email"]]
    separator = next((each for each in "\t;," if each in line), ",")
    try:
        (cells,) = csv.reader([line], delimiter=separator) or [[]]
    except (csv.Error, ValueError):
        cells = line.split(separator)
    return [cell.strip() for cell in cells]


def _of_columns(columns: list[str | None], cells: list[str]) -> list[str]:
    """Return the cells with a known heading; a Telegram name gets its @."""
    known = [(name, cell) for name, cell in zip(columns, cells, strict=False) if name and cell]
    return [
        f"@{normalize_username(cell)}" if name == "telegram_username" and not _LINK.match(cell) else cell
        for name, cell in known
    ]


def _recipient(cells: list[str]) -> Recipient:
    cells = [cell for cell in cells if cell]
    names: list[str] = []
    emails: list[str] = []
    telegram: list[str] = []
    for cell in cells:
        plain = cell.removeprefix("mailto:")
        if "\x00" in cell:
            raise _Unclear(gettext("It contains a character that cannot be stored."))
        if _PHONE.fullmatch(cell):
            raise _Unclear(
                gettext("“%(text)s” is a phone number. Enter an e-mail or a Telegram name.") % {"text": cell}
            )
        if link := _LINK.match(cell):
            telegram.append(normalize_username(cell[link.end() :].split("?")[0].strip("/")))
        elif cell.startswith("@"):
            telegram.append(normalize_username(cell))
        elif "@" in plain:
            emails.append(plain)
        elif len(cells) == 1 and re.fullmatch(TELEGRAM_NAME, cell):
            telegram.append(cell)
        else:
            names.append(cell)
    lone = len(names) > 1 and all(" " not in name for name in names) and not (emails or telegram)
    if lone or any(set(name) & set(",;") for name in names):
        raise _Unclear(
            gettext("Several names are in this line. Write one person per line, and @ before a Telegram name.")
        )
    if max(len(names) - 1, len(emails), len(telegram)) > 1:
        # First and last name may be in two cells.
        raise _Unclear(gettext("Several people are in this line. Write one person per line."))
    made = Recipient(
        name=" ".join(names),
        email=(emails or [""])[0],
        telegram_username=(telegram or [""])[0],
    )
    if error := check_recipient(made):
        raise _Unclear(error)
    return made


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= 255


def _known(found: dict[Recipient, int]) -> Iterator[LineError]:
    """Return errors for those who are members or have a pending invitation already, in two queries."""
    emails = {person.email.lower(): line for person, line in found.items() if person.email}
    if not emails:
        return
    # Who was removed or imported may register again with an invitation, and gets the old entry back.
    members = Member.objects.filter(is_active=True, community__deleted_at=None, community__isnull=False)
    members = members.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)
    for _pk, email in _by_email(members, "email", emails):
        yield LineError(emails[email], gettext("There is an account with this e-mail already."))
    pending = CommunityInvitation.objects.filter(status=InvitationStatus.PENDING)
    for _pk, email in _by_email(pending, "invited_email", emails):
        yield LineError(
            emails[email],
            gettext("This e-mail has a pending invitation already. Send that one again instead."),
        )


def _by_email(rows: QuerySet[Any, Any], path: str, emails: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Return key and e-mail, in lower case, of the rows with one of these addresses."""
    found = rows.annotate(lower_email=Lower(path)).filter(lower_email__in=list(emails))
    for key, email in found.values_list("pk", "lower_email"):
        yield str(key), email
