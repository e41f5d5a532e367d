"""Recording participation of members on platforms, one event or thousands at a time."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha1
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.errors import MinutesDoNotFit, ParticipationRejected
from groups.models import MemberParticipation
from groups.models.participation import ParticipationType, Platform
from groups.rules import EARLIEST_PARTICIPATION, MAX_CLOCK_SKEW, MAX_METADATA_CHARACTERS, MINUTES_A_DAY
from groups.signals import participation_recorded
from missionsite.common.activity import report_activity
from missionsite.common.constraints import is_one_line
from missionsite.common.sql_loader import read_sql
from missionsite.common.transactions import service

# Namespace of the ids of platform messages; must not change, or repeated messages would be counted again.
MESSAGES = UUID("5d0f6c1e-6f0b-4f43-9f6a-7f3a1f0c2b9d")

_VARIANTS = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
# A NUL in JSON text, which jsonb cannot store; after an odd number of backslashes it is an escape.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_TYPES = frozenset(ParticipationType.values)
_PLATFORMS = frozenset(Platform.values)
_DETAILS_NOT_STORABLE = _("The details contain a character that cannot be stored.")
_FIELD_LABELS = {"member_id": _("member's number"), "room_id": _("room"), "message_id": _("message id")}
_FIELDS = frozenset({"member_id", "event_type", "platform", "room_id", "event_metadata", "occurred_at", "message_id"})


@dataclass(frozen=True)
class Rejected:
    """A rejected event. line: its position in the batch, from 1."""

    line: int
    reason: str


@dataclass(frozen=True)
class Ingested:
    """The result of a batch. repeated: platform messages that were recorded before."""

    recorded: int
    repeated: int
    rejected: list[Rejected] = field(default_factory=list)


class _Rejection(Exception):
    """An event is invalid. The message is the reason."""


@service
def record_participation(
    *,
    member_id: str,
    event_type: str,
    platform: str,
    room_id: str,
    message_id: str | None = None,
    event_metadata: Mapping | None = None,
    occurred_at: datetime | None = None,
) -> MemberParticipation | None:
    """Record one event; returns None if this platform message was recorded before.

    member_id: the number, #247. occurred_at: aware; now by default. Raises ParticipationRejected.
    """
    event = {
        "member_id": member_id,
        "event_type": event_type,
        "platform": platform,
        "room_id": room_id,
        "message_id": message_id,
        "event_metadata": event_metadata,
        "occurred_at": occurred_at,
    }
    rows, rejected, accounts = _read([event])
    if rejected:
        raise ParticipationRejected(rejected[0].reason)
    return MemberParticipation.objects.get(pk=rows[0][0]) if _write(rows, accounts) else None


@service
def ingest_participation(*, events: Iterable[Mapping]) -> Ingested:
    """Record many events; invalid ones are reported and do not stop the others.

    events: mappings with member_id, event_type, platform, room_id, and optionally message_id (a repeated one has no
    effect), event_metadata (VOICE: {"minutes": 12}) and occurred_at (aware, or ISO 8601 with an offset; now by
    default). Updates the last activity of each member.
    """
    rows, rejected, accounts = _read(events)
    recorded = _write(rows, accounts) if rows else 0
    return Ingested(recorded=recorded, repeated=len(rows) - recorded, rejected=rejected)


def message_key(*, platform: str, room_id: str, message_id: str) -> str:
    """Return the id of a platform message: a digest, so that no personal identifier is stored.

    The room is part of it: Telegram numbers the messages of each chat from 1. Equal to uuid.uuid5, in a third of its
    time. Source: RFC 9562, section 5.5.
    """
    name = f"{platform}\x1f{room_id}\x1f{message_id}".encode()
    digest = sha1(MESSAGES.bytes + name, usedforsecurity=False).hexdigest()
    return f"{digest[:12]}5{digest[13:16]}{_VARIANTS[digest[16]]}{digest[17:32]}"


# --- Reading ----------------------------------------------------------------------------------


def _read(events: Iterable[Mapping]) -> tuple[list[tuple], list[Rejected], dict[str, UUID | None]]:
    """Return rows in the order of the staging table, rejected events in line order, and accounts by number."""
    now = timezone.now()
    read, rejected = [], []
    for line, event in enumerate(events, start=1):
        try:
            read.append((line, _values_of(event, now)))
        except _Rejection as rejection:
            rejected.append(Rejected(line, str(rejection)))
    numbers = {row[1] for _line, row in read}
    known = _present(numbers)
    rows = []
    for line, row in read:
        if row[1] in known:
            rows.append(row)
        else:
            rejected.append(
                Rejected(line, gettext("No one in the directory has the number %(number)s.") % {"number": row[1]})
            )
    return rows, sorted(rejected, key=lambda one: one.line), known


def _present(numbers: Iterable[str]) -> dict[str, UUID | None]:
    """Return the accounts of the numbers that are in the directory, and lock their entries.

    A concurrent erasure waits for the lock and then also erases the rows written here.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT member_id, person_id FROM community_members WHERE member_id = ANY(%s) AND deleted_at IS NULL"
            " ORDER BY member_id FOR KEY SHARE",
            [list(numbers)],
        )
        return dict(cursor.fetchall())


def _values_of(event: Mapping, now: datetime) -> tuple:
    if not isinstance(event, Mapping):
        raise _Rejection(gettext("An event must be an object."))
    if not event.keys() <= _FIELDS:
        unknown = event.keys() - _FIELDS
        raise _Rejection(
            gettext("Unknown fields of the event: %(fields)s.") % {"fields": ", ".join(sorted(map(str, unknown)))}
        )
    kind, platform = event.get("event_type"), event.get("platform")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise _Rejection(
            gettext("The event type must be one of %(types)s.") % {"types": ", ".join(ParticipationType.values)}
        )
    if not isinstance(platform, str) or platform not in _PLATFORMS:
        raise _Rejection(
            gettext("The platform must be one of %(platforms)s.") % {"platforms": ", ".join(Platform.values)}
        )
    number = _text(event, "member_id", 20)
    room = _text(event, "room_id", 255)
    if not is_one_line(room):
        raise _Rejection(gettext("The room must not contain a line break or another control character."))
    message = event.get("message_id")
    if message is None:
        key = str(uuid4())
    else:
        key = message_key(platform=platform, room_id=room, message_id=_text(event, "message_id", 255))
    metadata = event.get("event_metadata")
    return (
        key,
        number,
        kind,
        platform,
        room,
        None if metadata is None else _metadata(kind, metadata),
        _parse_time(event.get("occurred_at"), now),
    )


def _text(event: Mapping, name: str, longest: int) -> str:
    value = event.get(name)
    # Some platforms send the message id as a JSON number.
    if type(value) is int:
        value = str(value) if value.bit_length() < 1_000 else "9" * (longest + 1)
    if not isinstance(value, str) or not value or value.isspace():
        raise _Rejection(gettext("The %(field)s is missing.") % {"field": _FIELD_LABELS[name]})
    if len(value) > longest:
        raise _Rejection(
            gettext("The %(field)s is longer than %(longest)d characters.")
            % {"field": _FIELD_LABELS[name], "longest": longest}
        )
    # Printable ASCII, the usual case, can always be stored.
    if not (value.isascii() and value.isprintable()):
        _check_storable(
            value, gettext("The %(field)s contains a character that cannot be stored.") % {"field": _FIELD_LABELS[name]}
        )
    return value


def _check_storable(value: str, reason: str | Promise) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _Rejection(str(reason)) from None
    if "\0" in value:
        raise _Rejection(str(reason))


def _metadata(kind: str, metadata: Mapping) -> str:
    if not isinstance(metadata, Mapping):
        raise _Rejection(gettext("The details must be an object."))
    minutes = metadata.get("minutes") if kind == ParticipationType.VOICE else None
    if minutes is not None and not (type(minutes) is int and 0 <= minutes <= MINUTES_A_DAY):
        raise _Rejection(str(MinutesDoNotFit.message))
    try:
        text = json.dumps(metadata, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise _Rejection(gettext("The details cannot be written as JSON.")) from None
    if len(text) > MAX_METADATA_CHARACTERS:
        raise _Rejection(
            gettext("The details are longer than %(longest)d characters.") % {"longest": MAX_METADATA_CHARACTERS}
        )
    if _NUL.search(text):
        raise _Rejection(str(_DETAILS_NOT_STORABLE))
    _check_storable(text, _DETAILS_NOT_STORABLE)
    return text


def _parse_time(value: datetime | str | None, now: datetime) -> datetime:
    if value is None:
        return now
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise _Rejection(gettext("The time must look like 2026-03-01T18:30:00Z.")) from None
    if not isinstance(value, datetime):
        raise _Rejection(gettext("The time must look like 2026-03-01T18:30:00Z."))
    if value.utcoffset() is None:
        raise _Rejection(gettext("The time must have a time zone."))
    if value < EARLIEST_PARTICIPATION:
        raise _Rejection(
            gettext("The time must not be before the year %(year)d.") % {"year": EARLIEST_PARTICIPATION.year}
        )
    if value > now + MAX_CLOCK_SKEW:
        raise _Rejection(gettext("The time must not be in the future."))
    return value


# --- Writing ----------------------------------------------------------------------------------


def _write(rows: list[tuple], accounts: Mapping[str, UUID | None]) -> int:
    """Insert new rows; returns their number. accounts: by number."""
    with connection.cursor() as cursor:
        cursor.execute(read_sql("groups/queries/stage_participation"))
        with connection.wrap_database_errors, cursor.copy("COPY staged_participation FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(read_sql("groups/queries/record_participation"))
        recorded = cursor.fetchall()
    seen = {account: at for number, _count, at, _spoke in recorded if (account := accounts[number])}
    spoke = {accounts[number] for number, _count, _at, has_spoken in recorded if has_spoken and accounts[number]}
    report_activity(seen, took_part=True)
    participation_recorded.send(sender=MemberParticipation, seen=seen, spoke=spoke)
    return sum(count for _number, count, _at, _spoke in recorded)
