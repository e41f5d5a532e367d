"""Generated participation, and its daily sums computed in Python."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

from django.conf import settings

from groups.models import CommunityMember, MemberDailyHighlight, MemberParticipation
from groups.services.highlights import roll_up_highlights
from groups.services.participation import ingest_participation
from tests.support.database import row, rows

# Whole past days, so that the tests do not depend on the time of day.
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
KINDS = {"MESSAGE": 70, "REACTION": 20, "VOICE": 5, "ACTION": 3, "JOIN": 1.5, "LEAVE": 0.5}
PLATFORMS = {"telegram": 80, "discord": 15, "github": 3, "twitch": 1.5, "kick": 0.5}


def people(number: int) -> list[str]:
    """Create active entries without an account; returns their numbers."""
    return [
        found
        for (found,) in rows(
            """INSERT INTO community_members (telegram_id, name, primary_role, status)
               SELECT gen_random_uuid(), 'Someone', 'other', 'active' FROM generate_series(1, %s)
               RETURNING member_id""",
            [number],
        )
    ]


def event(member: str, **changes) -> dict:
    """A message on Telegram without a message id."""
    return {
        "member_id": member,
        "event_type": "MESSAGE",
        "platform": "telegram",
        "room_id": "-1001234567890",
        "occurred_at": NOON,
    } | changes


def chatter(members: list[str], size: int, *, days: int = 30, seed: int = 1, named: bool = True) -> list[dict]:
    """Generate events with a realistic distribution: few active members, mostly Telegram messages.

    seed: the same one gives the same events. named: with message ids; without, each event counts whenever it is sent.
    """
    chance = random.Random(seed)
    weights = [1 / rank for rank in range(1, len(members) + 1)]
    events = []
    for number, member in enumerate(chance.choices(members, weights, k=size)):
        kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
        one = event(
            member,
            event_type=kind,
            platform=chance.choices(list(PLATFORMS), list(PLATFORMS.values()))[0],
            room_id=f"-100{chance.randrange(20)}",
            occurred_at=NOON - timedelta(seconds=chance.randrange(days * 86_400)),
        )
        if kind == "VOICE":
            one["event_metadata"] = {"minutes": chance.randrange(90)}
        if named:
            one["message_id"] = f"{seed}-{number}"
        events.append(one)
    return events


def recounted(*, points: dict | None = None, cap: int | None = None) -> dict:
    """Compute (member, day) → (messages, reactions, voice minutes, points) from single events."""
    points = settings.PARTICIPATION_POINTS if points is None else points
    cap = settings.PARTICIPATION_POINTS_PER_DAY if cap is None else cap
    amounts = Counter()
    for one in MemberParticipation.objects.order_by():
        amount = (one.event_metadata or {}).get("minutes", 0) if one.event_type == "VOICE" else 1
        amounts[one.member_id, one.occurred_at.astimezone(UTC).date(), one.event_type] += amount
    return {
        (member, day): (
            amounts[member, day, "MESSAGE"],
            amounts[member, day, "REACTION"],
            amounts[member, day, "VOICE"],
            min(cap, sum(amounts[member, day, kind] * points.get(kind, 0) for kind in KINDS)),
        )
        for member, day in {key[:2] for key in amounts}
    }


def in_the_table() -> dict:
    """Return the highlights in the form of `recounted`."""
    return {
        (one.member_id, one.highlight_date): (
            one.message_count,
            one.reaction_count,
            one.voice_minutes,
            one.reputation_earned,
        )
        for one in MemberDailyHighlight.objects.order_by()
    }


def every_row() -> list[tuple]:
    """Return the highlights with keys and creation times, to check that a row was not replaced."""
    return list(MemberDailyHighlight.objects.order_by("id").values_list())


def notes() -> int:
    """Return the number of queued changes."""
    return row("SELECT count(*) FROM participation_changes")[0]


def roll_up_all(**options) -> int:
    """Roll up until the queue is empty; returns the number of changes."""
    taken = 0
    while batch := roll_up_highlights(**options):
        taken += batch
    return taken


def ingest(events: list[dict]) -> None:
    assert ingest_participation(events=events).recorded == len(events)


def talk(size: int = 2_000, *, days: int = 20, seed: int = 1) -> list[str]:
    """Ingest events of 40 members in batches of 100; returns the numbers."""
    members = people(40)
    events = chatter(members, size, days=days, seed=seed)
    for at in range(0, size, 100):
        ingest(events[at : at + 100])
    return members


def entry(number: str) -> CommunityMember:
    return CommunityMember.objects.get(member_id=number)


def stored() -> list[tuple]:
    """Return every event without its key, sorted."""
    return sorted(
        MemberParticipation.objects.order_by().values_list(
            "member_id", "event_type", "platform", "room_id", "event_metadata", "occurred_at"
        ),
        key=str,
    )
