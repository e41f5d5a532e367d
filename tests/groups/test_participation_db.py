"""Rules of participation that the database enforces: counted columns, constraints, erasing, indexes."""

import threading
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from psycopg.types.json import Jsonb

from groups.errors import MessageAlreadyRecorded, ParticipationCounted
from groups.models import Member, MemberParticipation
from groups.services.erasure import erase
from groups.services.highlights import roll_up_highlights
from groups.services.participation import ingest_participation, record_participation
from missionsite.common.errors import from_database
from tests import database
from tests.groups.chats import NOON, chatter, entry, event, people, stored
from tests.support.concurrency import crowd, execute_as_owner
from tests.support.database import assert_rejects_alone, own_connection, row, rows

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "change",
    [
        "id = gen_random_uuid()",
        "member_id = (SELECT member_id FROM community_members WHERE member_id <> p.member_id LIMIT 1)",
        "event_type = 'ACTION'",
        "occurred_at = occurred_at + interval '1 second'",
        "event_metadata = '{\"minutes\": 13}'",
        "event_metadata = NULL",
        "event_metadata = event_metadata - 'minutes', room_id = 'erased'",
    ],
)
def test_counted_columns_cannot_be_changed(change):
    member, _other = people(2)
    record_participation(**event(member, event_type="VOICE", event_metadata={"minutes": 12, "channel": "c"}))
    before = stored()
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        rows(f"UPDATE member_participation p SET {change}")
    assert isinstance(from_database(rejected.value), ParticipationCounted)
    assert stored() == before


def test_room_and_details_may_be_emptied():
    member, _other = people(2)
    record_participation(**event(member, event_type="VOICE", event_metadata={"minutes": 12, "channel": "canary"}))
    record_participation(**event(member, event_metadata={"text": "canary"}))
    rows("""UPDATE member_participation SET room_id = 'erased', event_metadata =
            CASE WHEN event_type = 'VOICE' THEN event_metadata - 'channel' END""")
    assert [(room, details) for _m, _k, _p, room, details, _t in stored()] == [
        ("erased", None),
        ("erased", {"minutes": 12}),
    ]


def test_erase_empties_rooms_and_keeps_counts():
    one, other = people(2)
    details = {"minutes": 12, "canary": "canary"}
    for member in (one, other):
        record_participation(**event(member, event_type="VOICE", room_id="canary", event_metadata=details))
        record_participation(**event(member, room_id="canary", event_metadata={"text": "canary"}))
    roll_up_highlights()
    before = rows("SELECT * FROM member_daily_highlights ORDER BY id")
    erase(actor=Member.objects.system(), entry=entry(one))
    kept = [(kind, room, data) for member, kind, _p, room, data, _t in stored() if member == one]
    assert kept == [("MESSAGE", "erased", None), ("VOICE", "erased", {"minutes": 12})]
    assert [data for member, *_rest, data, _t in stored() if member == other] == [{"text": "canary"}, details]
    assert rows("SELECT * FROM member_daily_highlights ORDER BY id") == before


@pytest.mark.django_db(transaction=True)
def test_concurrent_event_and_erase_leave_no_data():
    (member,) = people(1)
    with crowd(1) as callers, own_connection() as watcher, transaction.atomic():
        (pid,) = callers.run(lambda _number: row("SELECT pg_backend_pid()")[0])
        erase(actor=Member.objects.system(), entry=entry(member))
        late = threading.Thread(
            target=callers.run,
            args=[lambda _number: ingest_participation(events=[event(member, room_id="canary")])],
        )
        late.start()
        until_it_waits(watcher, pid, late)
        transaction.on_commit(late.join)
    assert not MemberParticipation.objects.filter(room_id="canary").exists()


def until_it_waits(watcher, pid: int, thread: threading.Thread) -> None:
    """Return when this backend waits for a lock, or its thread has ended."""
    waits = "SELECT true FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
    while thread.is_alive() and not watcher.execute(waits, [pid]).fetchone():
        thread.join(0.02)


INSERT = """INSERT INTO member_participation (member_id, event_type, platform, room_id, event_metadata, occurred_at)
            VALUES (%(member_id)s, %(event_type)s, %(platform)s, %(room_id)s, %(event_metadata)s, %(occurred_at)s)"""


@pytest.mark.parametrize(
    ("changes", "by"),
    [
        ({"event_type": "SHOUT"}, "member_participation_type_known"),
        ({"platform": "irc"}, "member_participation_platform_known"),
        *[
            ({"event_type": "VOICE", "event_metadata": metadata}, "member_participation_minutes_fit")
            for metadata in (
                '{"minutes": -1}',
                '{"minutes": 1441}',
                '{"minutes": 1.5}',
                '{"minutes": "12"}',
                '{"minutes": [1]}',
            )
        ],
        ({"occurred_at": "1999-12-31T23:59:59Z"}, "member_participation_time_fits"),
        ({"occurred_at": "2200-01-01T00:00:00Z"}, "member_participation_occurred_at_not_in_future"),
        ({"occurred_at": "infinity"}, "member_participation_occurred_at_not_in_future"),
    ],
)
def test_database_rejects_invalid_rows(changes, by):
    (member,) = people(1)
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        rows(INSERT, {"event_metadata": None} | event(member) | changes)
    assert rejected.value.__cause__.diag.constraint_name == by
    assert from_database(rejected.value).message


@pytest.mark.parametrize("moment", ["2200-01-01Z", "infinity"])
def test_limit_of_times_rejects_the_far_future_alone(moment):
    assert_rejects_alone(
        "member_participation_time_fits",
        f"""INSERT INTO community_members (telegram_id, name, primary_role) VALUES ('late', 'Ana', 'other');
            INSERT INTO member_participation (member_id, event_type, platform, room_id, occurred_at)
            SELECT member_id, 'MESSAGE', 'telegram', 'room', '{moment}' FROM community_members
            WHERE telegram_id = 'late'""",
        prepare="ALTER TABLE member_participation DROP CONSTRAINT member_participation_occurred_at_not_in_future",
    )


def test_message_is_recorded_once():
    (member,) = people(1)
    made = record_participation(**event(member, message_id="7"))
    again = "INSERT INTO member_participation SELECT (jsonb_populate_record(p, %s)).* FROM member_participation p"
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        rows(again, [Jsonb({})])
    assert type(from_database(rejected.value)) is MessageAlreadyRecorded
    rows(again, [Jsonb({"id": str(uuid4())})])
    assert MemberParticipation.objects.exclude(pk=made.pk).count() == 1


@pytest.mark.parametrize("name", ["member_id", "event_type", "platform", "room_id", "occurred_at"])
def test_required_columns_are_not_null(name):
    (member,) = people(1)
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        rows(INSERT, {"event_metadata": None} | event(member) | {name: None})
    assert (rejected.value.__cause__.diag.sqlstate, rejected.value.__cause__.diag.column_name) == ("23502", name)


def test_unknown_member_is_rejected():
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        rows(INSERT + "; SET CONSTRAINTS ALL IMMEDIATE", {"event_metadata": None} | event("#999999999"))
    assert rejected.value.__cause__.diag.sqlstate == "23503"
    day = "INSERT INTO member_daily_highlights (member_id, highlight_date) VALUES ('#999999999', '2026-03-01')"
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        execute_as_owner(day)


@pytest.mark.deletes("community_members")
def test_member_with_participation_cannot_be_deleted():
    (member,) = people(1)
    record_participation(**event(member))
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        rows("DELETE FROM community_members WHERE member_id = %s; SET CONSTRAINTS ALL IMMEDIATE", [member])
    assert rejected.value.__cause__.diag.sqlstate in ("23503", "23001")


# --- Indexes ----------------------------------------------------------------------------------


class TestIndexes:
    """The index that each query uses over 50,000 events of 2,000 members in a year."""

    PEOPLE = 2_000
    EVENTS = 50_000

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def year(cls, django_db_setup, django_db_blocker):
        tables = "member_participation, member_daily_highlights, community_members"
        empty = f"TRUNCATE {tables}, community_invitations, member_relationships CASCADE"
        with django_db_blocker.unblock():
            execute_as_owner(empty)
            members = people(cls.PEOPLE)
            assert ingest_participation(events=chatter(members, cls.EVENTS, days=365)).recorded == cls.EVENTS
            while roll_up_highlights():
                pass
            execute_as_owner("VACUUM ANALYZE member_participation")
            execute_as_owner("VACUUM ANALYZE member_daily_highlights")
            yield members
            # Also the system member, who records the activity, and the temporary table of this connection.
            connection.close()
            database.restore()

    @pytest.mark.seed("003 Integration 3")
    @pytest.mark.parametrize(
        ("index", "question"),
        [
            ("participation_member_id_idx", "SELECT * FROM member_participation WHERE member_id = %(member)s"),
            ("participation_event_type_idx", "SELECT * FROM member_participation WHERE event_type = 'LEAVE'"),
            ("participation_platform_idx", "SELECT * FROM member_participation WHERE platform = 'kick'"),
            (
                "participation_occurred_at_idx",
                """SELECT * FROM member_participation
                   WHERE occurred_at >= %(day)s AND occurred_at < %(day)s + interval '1 day'""",
            ),
            ("participation_occurred_at_idx", "SELECT * FROM member_participation ORDER BY occurred_at DESC LIMIT 50"),
            (
                "highlight_member_date_idx",
                """SELECT * FROM member_daily_highlights
                   WHERE member_id = %(member)s AND highlight_date >= %(day)s::date""",
            ),
            (
                "daily_highlights_newest",
                "SELECT * FROM member_daily_highlights ORDER BY highlight_date DESC, id DESC LIMIT 50",
            ),
        ],
    )
    def test_query_uses_its_index(self, year, index, question):
        values = {"member": year[200], "day": NOON - timedelta(days=40)}
        assert rows(question, values), "a question without an answer shows nothing"
        plan = "\n".join(line for (line,) in rows(f"EXPLAIN {question}", values))
        assert index in plan
        assert "Seq Scan" not in plan
