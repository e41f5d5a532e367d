"""Fifty concurrent callers with real commits; each guard with its negative control.

RACE_ROUNDS=200 bin/test tests/groups/test_races.py runs the long proof; a build runs one round.
"""

import json
import random
import threading
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from groups.errors import MissionArchived
from groups.models import Group, Member, Membership
from groups.services.groups import archive_group, create_colony, create_mission
from groups.services.memberships import join_mission
from missionsite.common.errors import ConstraintViolated
from tests.support.concurrency import PATIENCE, ROUNDS, crowd, execute_as_owner, without
from tests.support.factories.groups import MemberFactory, MissionFactory

PEOPLE = 50
pytestmark = pytest.mark.django_db(transaction=True)


# --- Join on one membership -------------------------------------------------------------------


def everyone_joins_as_the_same_member(people):
    """One round: the results of fifty joins, and how many active rows they left."""
    member, mission = MemberFactory(), MissionFactory()
    results = people.run(lambda _number: join_mission(actor=member, member=member, mission=mission))
    return results, Membership.objects.active().filter(member=member, group=mission).count()


@pytest.mark.seed("000 AC3", "site race: one membership, 50 at once")
def test_one_of_fifty_concurrent_joins_succeeds():
    with crowd(PEOPLE) as people:
        for _round in range(ROUNDS):
            results, active_count = everyone_joins_as_the_same_member(people)
            assert active_count == 1
            assert sum(isinstance(result, Membership) for result in results) == 1
            assert sum(isinstance(result, ConstraintViolated) for result in results) == PEOPLE - 1


@pytest.mark.long
@pytest.mark.seed("site race: one membership, 50 at once", control=True)
def test_fifty_joins_succeed_without_unique_index():
    index = """CREATE UNIQUE INDEX idx_memberships_active_unique ON memberships (member_id, group_id)
               WHERE status = 'active'"""
    with without("DROP INDEX idx_memberships_active_unique", f"TRUNCATE memberships; {index}"), crowd(PEOPLE) as people:
        _results, active_count = everyone_joins_as_the_same_member(people)
    assert active_count > 1


# --- Join against archive ---------------------------------------------------------------------


def joins_against_an_archive(people):
    """One round: forty-nine members join while one archives.

    Returns the results of the joins, and the memberships the archiver saw under its lock, and those at the end.
    """
    mission = MissionFactory()
    members = MemberFactory.create_batch(PEOPLE - 1)
    archiver = random.randrange(PEOPLE)

    def act(number):
        if number != archiver:
            return join_mission(
                actor=members[number % (PEOPLE - 1)], member=members[number % (PEOPLE - 1)], mission=mission
            )
        with transaction.atomic():
            archive_group(actor=Member.objects.system(), group=mission)
            return mission.memberships.active().count()

    results = people.run(act)
    seen = results.pop(archiver)
    return results, seen, mission.memberships.active().count()


@pytest.mark.seed("site race: join against archive")
def test_no_join_succeeds_after_archive():
    with crowd(PEOPLE) as people:
        for _round in range(ROUNDS):
            results, seen, in_the_end = joins_against_an_archive(people)
            assert seen == in_the_end
            assert {type(result) for result in results} <= {Membership, MissionArchived, ConstraintViolated}


@pytest.mark.long
@pytest.mark.seed("site race: join against archive", control=True)
def test_join_succeeds_after_archive_without_trigger():
    with (
        without(
            "ALTER TABLE memberships DISABLE TRIGGER memberships_open_group",
            "ALTER TABLE memberships ENABLE TRIGGER memberships_open_group",
        ),
        crowd(PEOPLE) as people,
    ):
        rounds = (joins_against_an_archive(people) for _round in range(50))
        assert any(seen != in_the_end for _results, seen, in_the_end in rounds)


# --- Stable IDs from four entry points ---------------------------------------------------------------


def creators(colony, folder, together, first_number):
    """Insert from fifty threads through four entry points; each transaction stays open until all have their ID.

    together: what each calls inside its transaction; it fails where someone had to wait for another.
    first_number: of the explicit IDs, ahead of everything given so far. They are a thousand apart: one right behind
    another creator's may just have been given to someone, and is then rightly rejected.
    """

    def service(number):
        create_mission(actor=Member.objects.system(), name=f"Service {number}", colony=colony)

    def raw_sql(number):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO groups (name, type, parent_group_id) VALUES (%s, 'mission', %s)",
                [f"SQL {number}", colony.pk],
            )

    def copied(number):
        # As in an import: PostgreSQL rejects COPY into a table with row security.
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE staged (name text, colony uuid) ON COMMIT DROP")
            with cursor.copy("COPY staged FROM STDIN") as copy:
                copy.write_row((f"Copied {number}", colony.pk))
            cursor.execute(
                "INSERT INTO groups (name, type, parent_group_id) SELECT name, 'mission', colony FROM staged"
            )

    def fixture(number):
        fields = {
            "stable_id": f"FE-M-{first_number + 1000 * number:05d}",
            "name": f"Fixture {number}",
            "parent_group": str(colony.pk),
            "created_at": "2026-01-01T00:00:00Z",
            "updated_at": "2026-01-01T00:00:00Z",
        }
        path = folder / f"mission_{number}.json"
        path.write_text(json.dumps([{"model": "groups.group", "pk": None, "fields": fields}]))
        call_command("loaddata", str(path), verbosity=0, stdout=StringIO())

    doors = [service, raw_sql, copied, fixture]

    def act(number):
        with transaction.atomic():
            doors[number % 4](number)
            together()

    return act


def colony_of_system():
    """Return a colony that the system member has created.

    The first entry of an actor in the audit gives them a token, for which their other transactions wait. These then
    read it.
    """
    return create_colony(actor=Member.objects.system(), name="Colony")


@pytest.mark.seed("site race: stable IDs from four doors")
def test_concurrent_stable_ids_are_unique(tmp_path):
    colony = colony_of_system()
    given, kept = set(), set()
    with crowd(PEOPLE) as people:
        for number in range(ROUNDS):
            together = threading.Barrier(PEOPLE)
            ahead = 100_000 * (number + 1) + random.randint(1, 40)
            results = people.run(creators(colony, tmp_path, lambda gate=together: gate.wait(PATIENCE), ahead))
            assert [result for result in results if result is not None] == []
            ids = list(Group.objects.missions().exclude(stable_id__in=kept).values_list("stable_id", flat=True))
            assert len(ids) == len(set(ids)) == PEOPLE
            assert given.isdisjoint(ids), "an ID of a deleted mission came back"
            given |= set(ids)
            # Missions created by the service are kept: events refer to them.
            kept |= set(Group.objects.filter(events__isnull=False).values_list("stable_id", flat=True))
            execute_as_owner(
                "DELETE FROM groups g WHERE NOT EXISTS (SELECT FROM events WHERE group_id = g.id) AND type = 'mission'"
            )


@pytest.mark.long
@pytest.mark.seed("site race: stable IDs from four doors", control=True)
def test_concurrent_max_plus_one_collides_or_waits(tmp_path):
    colony = colony_of_system()
    naive = """
        CREATE OR REPLACE FUNCTION next_stable_id(kind "char") RETURNS text
        LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
            SELECT 'FE-M-' || lpad((coalesce(max(substr(stable_id, 6)::bigint), 0) + 1)::text, 5, '0')
            FROM groups WHERE type = 'mission' AND kind::text = 'M'
        $$"""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('next_stable_id(\"char\")'::regprocedure)")
        (ours,) = cursor.fetchone()
    together = threading.Barrier(PEOPLE)
    with without(naive, ours), crowd(PEOPLE) as people:
        results = people.run(creators(colony, tmp_path, lambda: together.wait(3), 100_000))
    assert any(isinstance(result, Exception) for result in results)


# --- Counters ---------------------------------------------------------------------------------


@pytest.mark.seed("site race: counters")
@pytest.mark.deletes("memberships")
def test_counters_are_exact_under_concurrent_changes():
    missions = MissionFactory.create_batch(4)
    people_of = [MemberFactory.create_batch(3) for _number in range(8)]

    def act(number):
        chance = random.Random(number)
        for step in range(15 * max(1, ROUNDS // 10)):
            # Each caller has its own members and visits the missions in any order: only the counters are shared.
            with transaction.atomic(), connection.cursor() as cursor:
                for mission in chance.sample(missions, 3):
                    member = chance.choice(people_of[number])
                    cursor.execute(chance.choice(STEPS), {"member": member.pk, "mission": mission.pk})
                transaction.set_rollback(chance.random() < 0.2)
            if step % 5 == 0:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT merge_mission_counters()")

    with crowd(8) as people:
        assert people.run(act) == [None] * 8
    assert drift() == []


STEPS = [
    "INSERT INTO memberships (member_id, group_id) VALUES (%(member)s, %(mission)s) ON CONFLICT DO NOTHING",
    "DELETE FROM memberships WHERE member_id = %(member)s AND group_id = %(mission)s",
    """UPDATE memberships SET status = 'left', left_at = now()
       WHERE member_id = %(member)s AND group_id = %(mission)s AND status = 'active'""",
]


def drift():
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM mission_counter_drift()")
        return cursor.fetchall()


@pytest.mark.long
@pytest.mark.seed("site race: counters", control=True)
def test_counters_drift_without_trigger():
    table = "ALTER TABLE memberships {} TRIGGER memberships_count_added"
    with without(table.format("DISABLE"), table.format("ENABLE")):
        join_mission(actor=Member.objects.system(), member=MemberFactory(), mission=MissionFactory())
    assert len(drift()) == 1
