"""Recording participation, one event and thousands: counted once, rejected by line, never changed."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid5

import pytest
from django.utils import timezone as clock

from groups.errors import ParticipationRejected
from groups.models import CommunityMember, Member, MemberParticipation
from groups.services import participation
from groups.services.directory import remove_entry, restore_entry
from groups.services.erasure import erase
from groups.services.participation import MESSAGES, Rejected, ingest_participation, message_key, record_participation
from missionsite.common.sql_loader import read_sql
from tests.groups.chats import NOON, chatter, entry, event, people, stored
from tests.support.concurrency import crowd, execute_as_owner
from tests.support.database import row, rows

pytestmark = pytest.mark.django_db


def as_stored(events: list[dict]) -> list[tuple]:
    return sorted(
        (
            (e["member_id"], e["event_type"], e["platform"], e["room_id"], e.get("event_metadata"), e["occurred_at"])
            for e in events
        ),
        key=str,
    )


# --- One event and thousands -----------------------------------------------------------------------


@pytest.mark.seed("003 AC4")
def test_record_stores_event_unchanged():
    (member,) = people(1)
    given = event(
        member, event_type="VOICE", platform="discord", event_metadata={"minutes": 12, "channel": "Sala 1 ☕"}
    )
    made = record_participation(**given)
    assert stored() == as_stored([given])
    assert (made.member_id, made.event_metadata, made.occurred_at) == (member, given["event_metadata"], NOON)


def test_missing_time_defaults_to_now():
    (member,) = people(1)
    before = clock.now()
    made = record_participation(member_id=member, event_type="JOIN", platform="kick", room_id="r")
    assert before <= made.occurred_at <= clock.now()
    assert made.event_metadata is None


def test_ingest_stores_thousands_of_events_unchanged():
    given = chatter(people(50), 5_000)
    result = ingest_participation(events=iter(given))
    assert (result.recorded, result.repeated, result.rejected) == (5_000, 0, [])
    assert stored() == as_stored(given)


def test_special_characters_pass_through_copy():
    (member,) = people(1)
    room = "backslashes \\t \\n \\N \\\\. \" ' ü ☕ \U0001f389"
    details = {"a\tb": ["\\N", "\\u0000", None, 1.5, {"deep": True}], "☕": "\\", "minutes": "no voice event"}
    given = [event(member, room_id=room, event_metadata=details), event(member, room_id="\\.", event_metadata={})]
    assert ingest_participation(events=given).recorded == 2
    assert stored() == as_stored(given)


def test_time_offsets_are_respected():
    (member,) = people(1)
    same = [
        "2026-03-01T18:30:00Z",
        "2026-03-01T15:30:00-03:00",
        datetime(2026, 3, 2, 3, tzinfo=timezone(timedelta(hours=8.5))),
    ]
    assert ingest_participation(events=[event(member, occurred_at=when) for when in same]).recorded == 3
    assert {one.occurred_at for one in MemberParticipation.objects.all()} == {datetime(2026, 3, 1, 18, 30, tzinfo=UTC)}


def test_empty_batch_does_nothing():
    result = ingest_participation(events=[])
    assert (result.recorded, result.repeated, result.rejected) == (0, 0, [])


# --- Counted once -----------------------------------------------------------------------------


def again(given: list[dict]) -> list[dict]:
    return given


def at_another_time(given: list[dict]) -> list[dict]:
    return [one | {"occurred_at": one["occurred_at"] - timedelta(days=40)} for one in given]


def without_a_time(given: list[dict]) -> list[dict]:
    return [{name: value for name, value in one.items() if name != "occurred_at"} for one in given]


def in_another_order(given: list[dict]) -> list[dict]:
    return random.Random(2).sample(given, len(given))


def as_something_else(given: list[dict]) -> list[dict]:
    return [one | {"event_type": "ACTION", "event_metadata": {"edited": True}} for one in given]


@pytest.mark.parametrize("replay", [again, at_another_time, without_a_time, in_another_order, as_something_else])
def test_repeated_batch_changes_nothing(replay):
    members = people(20)
    given = chatter(members, 600)
    ingest_participation(events=given)
    before = stored(), activity(members)
    result = ingest_participation(events=replay(given))
    assert (result.recorded, result.repeated, result.rejected) == (0, 600, [])
    assert (stored(), activity(members)) == before
    assert noted() == to_note(given), "a replay was noted for the highlights"


def activity(members: list[str]) -> dict:
    return dict(CommunityMember.objects.filter(member_id__in=members).values_list("member_id", "last_active_at"))


def noted() -> Counter:
    """Return the queued amounts by member, day and type."""
    amounts = Counter()
    for *what, amount in rows("SELECT member_id, day, event_type, amount FROM participation_changes"):
        amounts[tuple(what)] += amount
    return amounts


def to_note(given: list[dict]) -> Counter:
    amounts = Counter()
    for one in given:
        amount = one["event_metadata"]["minutes"] if one["event_type"] == "VOICE" else 1
        amounts[one["member_id"], one["occurred_at"].date(), one["event_type"]] += amount
    return amounts


def test_repeated_batch_counts_only_new_events():
    given = chatter(people(20), 600)
    ingest_participation(events=given[:200])
    result = ingest_participation(events=given)
    assert (result.recorded, result.repeated) == (400, 200)
    assert stored() == as_stored(given)


def test_duplicate_in_batch_is_counted_once():
    (member,) = people(1)
    result = ingest_participation(events=[event(member, message_id="7"), event(member, message_id=7)] * 50)
    assert (result.recorded, result.repeated) == (1, 99)


def test_repeated_message_is_counted_once():
    (member,) = people(1)
    assert record_participation(**event(member, message_id="7")).member_id == member
    assert record_participation(**event(member, message_id="7")) is None
    assert ingest_participation(events=[event(member, message_id="7")]).repeated == 1


def test_message_id_is_unique_per_room_and_platform():
    (member,) = people(1)
    others = [{}, {"room_id": "other"}, {"platform": "discord"}, {"room_id": "other", "platform": "discord"}]
    events = [event(member, message_id="7") | other for other in others]
    assert ingest_participation(events=events).recorded == 4
    assert ingest_participation(events=events).repeated == 4


def test_events_without_message_id_are_counted_each():
    (member,) = people(1)
    assert [ingest_participation(events=[event(member)] * 3).recorded for _time in range(2)] == [3, 3]


def test_message_key_contains_no_message_data():
    (member,) = people(1)
    made = record_participation(**event(member, room_id="room ☕", message_id="canary-4711"))
    digest = uuid5(MESSAGES, "telegram\x1froom ☕\x1fcanary-4711")
    assert made.pk == digest == UUID(message_key(platform="telegram", room_id="room ☕", message_id="canary-4711"))
    (kept,) = row("SELECT to_jsonb(p)::text FROM member_participation p")
    assert "canary" not in kept


def test_message_key_matches_uuid5():
    chance = random.Random(1)
    for _number in range(500):
        room, message = (
            "".join(chr(chance.randrange(1, 0xD800)) for _ in range(chance.randrange(1, 40))) for _ in range(2)
        )
        key = message_key(platform="github", room_id=room, message_id=message)
        assert UUID(key) == uuid5(MESSAGES, f"github\x1f{room}\x1f{message}")


def six_at_once(given: list[dict]) -> list:
    """Send the same events from six concurrent callers, in different orders and with different times."""

    def act(number):
        chance = random.Random(number)
        mine = [one | {"occurred_at": one["occurred_at"] - timedelta(hours=number)} for one in given]
        chance.shuffle(mine)
        return [ingest_participation(events=mine[at : at + 250]) for at in range(0, len(mine), 250)]

    with crowd(6) as callers:
        return callers.run(act)


@pytest.mark.seed("003 Ingest")
@pytest.mark.django_db(transaction=True)
def test_concurrent_ingests_count_once_without_deadlock():
    members = people(30)
    given = chatter(members, 1_500)
    results = six_at_once(given)
    assert [each for each in results if isinstance(each, Exception)] == []
    assert sum(batch.recorded for each in results for batch in each) == 1_500
    assert sum(batch.repeated for each in results for batch in each) == 5 * 1_500
    # The first caller's time is stored; the last activity is the latest stored time.
    latest = {}
    for member, *_rest, when in stored():
        latest[member] = max(when, latest.get(member, when))
    assert {member: when for member, when in activity(members).items() if when} == latest


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
def test_concurrent_ingests_without_ids_count_each():
    results = six_at_once(chatter(people(30), 500, named=False))
    assert sum(batch.recorded for each in results for batch in each) == 6 * 500


@pytest.mark.long
@pytest.mark.seed("003 Ingest")
@pytest.mark.django_db(transaction=True)
def test_concurrent_ingests_without_order_deadlock(monkeypatch):
    assert "ORDER BY id" in read_sql("groups/queries/record_participation")
    monkeypatch.setattr(
        participation, "read_sql", lambda name: read_sql(name).replace("ORDER BY id", "ORDER BY random()")
    )
    given = chatter(people(30), 1_500)
    for _round in range(10):
        failed = [str(each) for each in six_at_once(given) if isinstance(each, Exception)]
        if failed:
            assert all("deadlock" in words for words in failed)
            return
        execute_as_owner("TRUNCATE member_participation")
    pytest.fail("ten rounds without a deadlock")


# --- What is rejected --------------------------------------------------------------------------

KIND = "The event type must be one of MESSAGE, REACTION, VOICE, ACTION, JOIN, LEAVE."
PLATFORM = "The platform must be one of telegram, discord, twitch, kick, github, whatsapp."
MINUTES = "The minutes of a voice event must be a whole number from 0 to 1440."
TIME = "The time must look like 2026-03-01T18:30:00Z."
JSON = "The details cannot be written as JSON."
# Deeper than the JSON encoder allows.
NESTED = []
for _level in range(3_000):
    NESTED = [NESTED]
REJECTIONS = [
    ({"event_type": "SHOUT"}, KIND),
    ({"event_type": "message"}, KIND),
    ({"event_type": None}, KIND),
    ({"event_type": ["MESSAGE"]}, KIND),
    ({"platform": "irc"}, PLATFORM),
    ({"platform": {}}, PLATFORM),
    ({"member_id": None}, "The member's number is missing."),
    ({"member_id": ""}, "The member's number is missing."),
    ({"member_id": "#" + "9" * 20}, "The member's number is longer than 20 characters."),
    ({"member_id": "#999999999"}, "No one in the directory has the number #999999999."),
    ({"member_id": 247}, "No one in the directory has the number 247."),
    ({"member_id": "#\0"}, "The member's number contains a character that cannot be stored."),
    ({"room_id": None}, "The room is missing."),
    ({"room_id": " \t"}, "The room is missing."),
    ({"room_id": True}, "The room is missing."),
    ({"room_id": ["r"]}, "The room is missing."),
    ({"room_id": "r" * 256}, "The room is longer than 255 characters."),
    ({"room_id": "a\nb"}, "The room must not contain a line break or another control character."),
    ({"room_id": "a\0b"}, "The room contains a character that cannot be stored."),
    ({"room_id": "\ud800"}, "The room contains a character that cannot be stored."),
    ({"message_id": ""}, "The message id is missing."),
    ({"message_id": 1.5}, "The message id is missing."),
    ({"message_id": 10**6000}, "The message id is longer than 255 characters."),
    ({"message_id": "\udfff"}, "The message id contains a character that cannot be stored."),
    ({"event_metadata": "text"}, "The details must be an object."),
    ({"event_metadata": [1]}, "The details must be an object."),
    ({"event_metadata": {"a": float("nan")}}, JSON),
    ({"event_metadata": {"a": float("inf")}}, JSON),
    ({"event_metadata": {"a": object()}}, JSON),
    ({"event_metadata": {"a": 10**5000}}, JSON),
    ({"event_metadata": {(1, 2): 3}}, JSON),
    ({"event_metadata": {"a": "x" * 8000}}, "The details are longer than 8000 characters."),
    ({"event_metadata": {"a": NESTED}}, JSON),
    ({"event_metadata": {"a": "x\0"}}, "The details contain a character that cannot be stored."),
    ({"event_metadata": {"a\0": 1}}, "The details contain a character that cannot be stored."),
    ({"event_metadata": {"a": "\\\0"}}, "The details contain a character that cannot be stored."),
    ({"event_metadata": {"a": "\ud800"}}, "The details contain a character that cannot be stored."),
    *[
        ({"event_type": "VOICE", "event_metadata": {"minutes": minutes}}, MINUTES)
        for minutes in (-1, 1441, 1.5, 12.0, "12", True, [1], float("nan"), 10**30)
    ],
    ({"occurred_at": datetime(2026, 3, 1)}, "The time must have a time zone."),
    ({"occurred_at": "2026-03-01T18:30:00"}, "The time must have a time zone."),
    ({"occurred_at": "2026-03-01"}, "The time must have a time zone."),
    ({"occurred_at": "yesterday"}, TIME),
    ({"occurred_at": ""}, TIME),
    ({"occurred_at": "\ud800"}, TIME),
    ({"occurred_at": 1_772_000_000}, TIME),
    ({"occurred_at": "1999-12-31T23:59:59Z"}, "The time must not be before the year 2000."),
    ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "The time must not be before the year 2000."),
    ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "The time must not be in the future."),
    ({"occurred_at": clock.now() + timedelta(days=1)}, "The time must not be in the future."),
    ({"text": "hello"}, "Unknown fields of the event: text."),
    ({5: "hello", "id": "x"}, "Unknown fields of the event: 5, id."),
]
NO_EVENTS = [5, None, "MESSAGE", ["member_id", "#1"]]


@pytest.mark.seed("003 Ingest")
def test_invalid_lines_are_named_and_others_recorded():
    (member,) = people(1)
    lines, expected = [], []
    for changes, reason in REJECTIONS:
        lines += [event(member), event(member) | changes]
        expected.append(Rejected(len(lines), reason))
    for line in NO_EVENTS:
        lines += [event(member), line]
        expected.append(Rejected(len(lines), "An event must be an object."))
    result = ingest_participation(events=lines)
    assert result.rejected == expected
    assert (result.recorded, result.repeated) == (len(lines) // 2, 0)
    assert MemberParticipation.objects.count() == len(lines) // 2


def test_batch_of_invalid_lines_writes_nothing():
    result = ingest_participation(events=[event("#999999999"), 5])
    assert (result.recorded, len(result.rejected)) == (0, 2)
    assert not MemberParticipation.objects.exists()


@pytest.mark.parametrize(("changes", "reason"), [REJECTIONS[0], REJECTIONS[9], REJECTIONS[16], REJECTIONS[-3]])
def test_single_event_has_same_error_messages(changes, reason):
    (member,) = people(1)
    with pytest.raises(ParticipationRejected) as rejected:
        record_participation(**event(member) | changes)
    assert rejected.value.message == reason
    assert not MemberParticipation.objects.exists()


def test_longest_values_are_accepted():
    (member,) = people(1)
    edges = [
        {"room_id": "ü" * 255, "message_id": "m" * 255},
        {"message_id": -(10**254) + 1},
        {"event_metadata": {"a": "x" * (8_000 - len('{"a": ""}'))}},
        {"event_type": "VOICE", "event_metadata": {"minutes": 1440}},
        {"event_type": "VOICE", "event_metadata": {"minutes": 0}},
        {"event_type": "VOICE", "event_metadata": {"minutes": None}},
        {"event_type": "VOICE"},
        {"occurred_at": "2000-01-01T00:00:00Z"},
        {"occurred_at": clock.now() + timedelta(minutes=59)},
    ]
    result = ingest_participation(events=[event(member) | edge for edge in edges])
    assert (result.recorded, result.rejected) == (len(edges), [])


def test_unavailable_numbers_have_same_error():
    here, removed, erased = people(3)
    remove_entry(actor=Member.objects.system(), entry=entry(removed))
    erase(actor=Member.objects.system(), entry=entry(erased))
    result = ingest_participation(events=[event(number) for number in (removed, here, erased, "#999999999")])
    assert result.recorded == 1
    assert [(one.line, one.reason) for one in result.rejected] == [
        (1, f"No one in the directory has the number {removed}."),
        (3, f"No one in the directory has the number {erased}."),
        (4, "No one in the directory has the number #999999999."),
    ]
    assert activity([removed, erased]) == {removed: None, erased: None}
    restore_entry(actor=Member.objects.system(), entry=entry(removed))
    assert ingest_participation(events=[event(removed)]).recorded == 1


# --- Last active ------------------------------------------------------------------------------


def test_last_activity_only_moves_forward():
    one, other = people(2)
    for days, expected in [(5, 5), (9, 5), (5, 5), (1, 1), (3, 1)]:
        ingest_participation(events=[event(one, occurred_at=NOON - timedelta(days=days + more)) for more in (2, 0, 1)])
        assert activity([one, other]) == {one: NOON - timedelta(days=expected), other: None}


def test_activity_does_not_change_updated_at():
    (member,) = people(1)
    before = entry(member).updated_at, row("SELECT count(*) FROM community_members_history")
    record_participation(**event(member))
    assert (entry(member).updated_at, row("SELECT count(*) FROM community_members_history")) == before


@pytest.mark.django_db(transaction=True)
def test_latest_concurrent_activity_is_kept():
    (member,) = people(1)
    with crowd(6) as callers:
        for round_ in range(10):
            start = NOON - timedelta(days=20 - round_)
            results = callers.run(
                lambda number, start=start: record_participation(
                    **event(member, occurred_at=start + timedelta(hours=number))
                )
            )
            assert all(isinstance(result, MemberParticipation) for result in results)
            assert activity([member]) == {member: start + timedelta(hours=5)}
