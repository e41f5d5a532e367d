"""Daily highlights match participation: rolled up once, twice, late, in parts, or rebuilt."""

import random
from datetime import date, timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from procrastinate.contrib.django import app

from groups import tasks
from groups.errors import DaysReversed, PointsRejected
from groups.models import MemberDailyHighlight, MemberParticipation
from groups.services.highlights import rebuild_highlights, roll_up_highlights
from missionsite.common.errors import NotAllowed, from_database
from tests.common.test_worker import running_worker, until
from tests.groups.chats import NOON, event, every_row, in_the_table, ingest, notes, people, recounted, roll_up_all, talk
from tests.support.concurrency import execute_as_owner
from tests.support.database import rows

pytestmark = pytest.mark.django_db
DAY = NOON.date()


# --- Roll-up ------------------------------------------------------------------------


def test_highlights_match_counting():
    talk()
    assert roll_up_all() > 1_000
    assert in_the_table() == recounted()
    points = [day[3] for day in in_the_table().values()]
    assert settings.PARTICIPATION_POINTS_PER_DAY in points, "the cap was reached nowhere"
    assert any(0 < each < settings.PARTICIPATION_POINTS_PER_DAY for each in points)


def test_second_roll_up_changes_nothing():
    talk()
    roll_up_all()
    before = every_row()
    assert roll_up_highlights() == 0
    assert every_row() == before


def test_roll_up_without_events_does_nothing():
    assert roll_up_highlights() == 0
    assert rebuild_highlights() == 0
    assert every_row() == []


def test_late_events_change_only_their_days():
    members = talk()
    roll_up_all()
    before = {(found[1], found[2]): found for found in every_row()}
    late = [event(members[3], occurred_at=NOON - timedelta(days=back)) for back in (0, 5, 5, 300)]
    ingest(late)
    assert roll_up_all() > 0
    assert in_the_table() == recounted()
    after = {(found[1], found[2]): found for found in every_row()}
    touched = {key for key in after if after[key] != before.get(key)}
    assert touched == {(members[3], DAY - timedelta(days=back)) for back in (0, 5, 300)}
    assert all(after[key][0] == before[key][0] for key in before), "a day kept its row"


@pytest.mark.parametrize("zone", ["UTC", "America/Sao_Paulo", "Pacific/Kiritimati"])
def test_day_begins_at_midnight_utc(zone):
    (member,) = people(1)
    midnight = NOON.replace(hour=0)
    rows(f"SET LOCAL TIME ZONE '{zone}'")
    ingest([event(member, occurred_at=midnight - timedelta(microseconds=1)), event(member, occurred_at=midnight)])
    roll_up_all()
    assert set(in_the_table()) == {(member, DAY - timedelta(days=1)), (member, DAY)}
    assert rebuild_highlights() == 0


def test_every_insert_path_is_counted():
    (member,) = people(1)
    rows(
        """INSERT INTO member_participation (member_id, event_type, platform, room_id, event_metadata, occurred_at)
           SELECT %s, 'VOICE', 'discord', 'r', '{"minutes": 3}', %s FROM generate_series(1, 5)""",
        [member, NOON],
    )
    values = {"member_id": member, "platform": "kick", "room_id": "r", "occurred_at": NOON}
    MemberParticipation.objects.create(event_type="REACTION", **values)
    MemberParticipation.objects.bulk_create(MemberParticipation(event_type="MESSAGE", **values) for _ in range(4))
    roll_up_all()
    assert in_the_table() == recounted() == {(member, DAY): (4, 1, 15, 20)}


def test_rolled_back_events_are_not_counted():
    (member,) = people(1)
    with transaction.atomic():
        ingest([event(member)])
        assert notes() == 1
        transaction.set_rollback(True)
    assert (notes(), roll_up_highlights(), in_the_table()) == (0, 0, {})


@pytest.mark.parametrize("at_most", [1, 7, 300, 100_000])
def test_roll_up_takes_at_most_the_limit(at_most):
    talk(300)
    waiting, runs = notes(), []
    while batch := roll_up_highlights(at_most=at_most):
        runs.append(batch)
        assert notes() == waiting - sum(runs)
    full, rest = divmod(waiting, at_most)
    assert runs == [at_most] * full + [rest] * bool(rest)
    assert in_the_table() == recounted()


# --- Points -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_daily_cap_is_exact_over_several_runs(seed):
    chance = random.Random(seed)
    (member,) = people(1)
    cap = chance.randrange(20, 90)
    points = {"MESSAGE": 3, "REACTION": 1, "VOICE": 1, "ACTION": 7}
    total = 0
    for part in range(12):
        given = [event(member, event_type=chance.choice(list(points))) for _ in range(chance.randrange(1, 5))]
        for one in given:
            if one["event_type"] == "VOICE":
                one["event_metadata"] = {"minutes": chance.randrange(9)}
            total += points[one["event_type"]] * one.get("event_metadata", {}).get("minutes", 1)
        ingest(given)
        if part % 2:
            roll_up_all(points=points, daily_cap=cap, at_most=chance.randrange(1, 4))
            assert MemberDailyHighlight.objects.get().reputation_earned == min(cap, total)
    assert total > cap
    assert in_the_table() == recounted(points=points, cap=cap)
    assert rebuild_highlights(points=points, daily_cap=cap) == 0


def test_changed_points_apply_to_old_days_after_rebuild():
    (member,) = people(1)
    yesterday = NOON - timedelta(days=1)
    ingest([event(member, occurred_at=yesterday)] * 2)
    roll_up_all(points={"MESSAGE": 1}, daily_cap=50)
    assert roll_up_highlights(points={"MESSAGE": 10}, daily_cap=50) == 0
    ingest([event(member)] * 2)
    roll_up_all(points={"MESSAGE": 10}, daily_cap=50)
    assert in_the_table() == {(member, yesterday.date()): (2, 0, 0, 2), (member, DAY): (2, 0, 0, 20)}
    assert rebuild_highlights(points={"MESSAGE": 10}, daily_cap=15) == 2
    assert in_the_table() == {(member, yesterday.date()): (2, 0, 0, 15), (member, DAY): (2, 0, 0, 15)}


def test_points_and_cap_come_from_the_settings(settings):
    settings.PARTICIPATION_POINTS = {"MESSAGE": 4, "JOIN": 3}
    settings.PARTICIPATION_POINTS_PER_DAY = 6
    one, other = people(2)
    ingest([event(one), event(one), event(other, event_type="JOIN"), event(other, event_type="ACTION")])
    roll_up_all()
    assert in_the_table() == {(one, DAY): (2, 0, 0, 6), (other, DAY): (0, 0, 0, 3)}
    assert rebuild_highlights() == 0


def test_overflowing_points_end_at_cap():
    (member,) = people(1)
    most = {"points": {"VOICE": 999_999}, "daily_cap": 2**31 - 1}
    for _time in range(2):
        ingest([event(member, event_type="VOICE", event_metadata={"minutes": 1440})] * 3)
        roll_up_all(**most)
    assert in_the_table() == {(member, DAY): (0, 0, 8640, 2**31 - 1)}
    assert rebuild_highlights(**most) == 0


ODD = [
    {"points": {"MESSAGE": -1}},
    {"points": {"SHOUT": 1}},
    {"points": {"MESSAGE": 1.5}},
    {"points": {"MESSAGE": "1"}},
    {"points": {"MESSAGE": True}},
    {"points": {"MESSAGE": None}},
    {"points": {"MESSAGE": 10**6}},
    {"daily_cap": -1},
]


@pytest.mark.parametrize("odd", ODD)
def test_invalid_points_are_rejected(odd):
    (member,) = people(1)
    ingest([event(member)])
    with pytest.raises(PointsRejected):
        roll_up_highlights(**odd)
    with pytest.raises(PointsRejected):
        rebuild_highlights(**odd)
    assert (notes(), in_the_table()) == (1, {})


# --- Rebuild ----------------------------------------------------------------------------------

BREAK = "UPDATE member_daily_highlights SET message_count = message_count + 1, reputation_earned = 0"


@pytest.mark.django_db(transaction=True)
def test_rebuild_repairs_wrong_highlights():
    talk()
    roll_up_all()
    right = every_row()
    assert rebuild_highlights() == 0
    assert every_row() == right
    execute_as_owner(f"{BREAK} WHERE highlight_date = '{DAY}'")
    broken = sum(found[2] == DAY for found in right)
    assert broken > 5
    assert every_row() != right
    assert rebuild_highlights() == broken
    assert every_row() == right
    execute_as_owner("TRUNCATE member_daily_highlights")
    assert rebuild_highlights() == len(right)
    assert in_the_table() == recounted()


@pytest.mark.django_db(transaction=True)
def test_rebuild_removes_days_without_events():
    talk()
    roll_up_all()
    first = min(found[2] for found in every_row())
    (stranger,) = people(1)
    execute_as_owner(
        f"""INSERT INTO member_daily_highlights (member_id, highlight_date, message_count)
            VALUES ('{stranger}', '{DAY}', 3), ('{stranger}', '{first - timedelta(days=1)}', 3)"""
    )
    assert rebuild_highlights() == 1
    assert in_the_table() == recounted() | {(stranger, first - timedelta(days=1)): (3, 0, 0, 0)}


@pytest.mark.django_db(transaction=True)
def test_partial_rebuild_leaves_other_days():
    members = talk()
    roll_up_all()
    right = every_row()
    execute_as_owner(BREAK)
    broken = every_row()
    first, last = DAY - timedelta(days=9), DAY - timedelta(days=5)
    late = [event(members[0], occurred_at=NOON - timedelta(days=back)) for back in (4, 5, 9, 10)]
    ingest(late)
    changed = rebuild_highlights(first_day=first, last_day=last)
    inside = [found for found in every_row() if first <= found[2] <= last]
    assert changed == len(inside) > 50
    assert [found for found in every_row() if not first <= found[2] <= last] == [
        found for found in broken if not first <= found[2] <= last
    ]
    correct = recounted()
    table = in_the_table()
    assert {key: table[key] for key in correct if first <= key[1] <= last} == {
        key: value for key, value in correct.items() if first <= key[1] <= last
    }
    assert {day for (day,) in rows("SELECT day FROM participation_changes")} == {
        DAY - timedelta(days=4),
        DAY - timedelta(days=10),
    }
    assert roll_up_all() == 2
    assert rebuild_highlights() == len(right) - len(inside)
    assert in_the_table() == recounted()


@pytest.mark.deletes("member_participation")
def test_removed_old_events_keep_their_highlights():
    (member,) = people(1)
    ingest([event(member, occurred_at=NOON - timedelta(days=400)), event(member)])
    roll_up_all()
    before = every_row()
    rows("DELETE FROM member_participation WHERE occurred_at < %s", [NOON])
    assert rebuild_highlights() == 0
    assert every_row() == before


def test_rebuild_rejects_reversed_days():
    with pytest.raises(DaysReversed):
        rebuild_highlights(first_day=date(2026, 3, 2), last_day=date(2026, 3, 1))
    assert rebuild_highlights(first_day=date.min, last_day=date.max) == 0


# --- Entry points ------------------------------------------------------------------------------------


def test_periodic_job_rolls_up():
    talk(300)
    waiting = notes()
    assert [tasks.roll_up(timestamp=minute) for minute in (0, 60)] == [waiting, 0]
    assert in_the_table() == recounted()
    (regular,) = [one for one in app.periodic_registry.periodic_tasks.values() if one.task.name == "roll_up_highlights"]
    assert (regular.cron, regular.task.queueing_lock) == ("* * * * *", "roll_up_highlights")


@pytest.mark.django_db(transaction=True)
@pytest.mark.long
def test_worker_runs_roll_up_job():
    talk(300)
    # No fixture empties the tables of the queue.
    rows("DELETE FROM procrastinate_events; DELETE FROM procrastinate_jobs")
    tasks.roll_up.defer(timestamp=0)
    with running_worker():
        until(lambda: notes() == 0, "the worker to roll up")
    assert in_the_table() == recounted()


def said(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("roll_up_highlights", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_command_rolls_up_everything():
    talk(300)
    waiting = notes()
    assert said() == [f"{waiting} changes added", "Everything is up to date."]
    assert said() == ["Everything is up to date."]
    assert in_the_table() == recounted()


def test_command_rebuilds_all_or_some_days(settings):
    (member,) = people(1)
    ingest([event(member, occurred_at=NOON - timedelta(days=back)) for back in range(6)])
    four_back, three_back, five_back = (str(DAY - timedelta(days=back)) for back in (4, 3, 5))
    for days, changed in [
        (["--from", four_back, "--to", three_back], 2),
        (["--from", str(DAY)], 1),
        (["--to", five_back], 1),
        ([], 2),
        ([], 0),
    ]:
        assert said("--rebuild", *days) == [f"Rebuilt; corrected highlights: {changed}."]
    assert said() == ["Everything is up to date."]
    assert in_the_table() == recounted()
    settings.PARTICIPATION_POINTS = {"MESSAGE": 2}
    assert said("--rebuild") == ["Rebuilt; corrected highlights: 6."]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "2026-03-01"], "--from and --to need --rebuild."),
        (["--to", "2026-03-01"], "--from and --to need --rebuild."),
        (["--rebuild", "--from", "2026-03-02", "--to", "2026-03-01"], "The last day must not be before the first day."),
        (["--rebuild", "--from", "yesterday"], "yesterday"),
        (["--rebuild", "--to", "2026-02-30"], "2026-02-30"),
    ],
)
def test_command_reports_invalid_options(arguments, words):
    with pytest.raises(CommandError, match=words):
        said(*arguments)


@pytest.mark.parametrize("arguments", [[], ["--rebuild"]])
def test_command_reports_invalid_points(settings, arguments):
    settings.PARTICIPATION_POINTS = {"SHOUT": 1}
    (member,) = people(1)
    ingest([event(member)])
    with pytest.raises(CommandError, match="must be whole numbers"):
        said(*arguments)
    assert notes() == 1


@pytest.mark.parametrize("table", ["member_daily_highlights", "participation_changes"])
@pytest.mark.parametrize(
    "change", ["INSERT INTO {} SELECT * FROM {}", "UPDATE {} SET member_id = '#1'", "DELETE FROM {}", "TRUNCATE {}"]
)
def test_site_role_cannot_write_highlights(table, change):
    talk(100)
    roll_up_highlights(at_most=20)
    before = every_row(), notes()
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        rows(change.replace("{}", table))
    assert isinstance(from_database(rejected.value), NotAllowed)
    assert (every_row(), notes()) == before


def test_only_site_role_may_roll_up():
    with pytest.raises(DatabaseError) as rejected, transaction.atomic():
        rows("SET LOCAL ROLE missionsite_member; SELECT roll_up_highlights('{}', 50, 10)")
    assert isinstance(from_database(rejected.value), NotAllowed)
