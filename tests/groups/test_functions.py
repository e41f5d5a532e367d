"""get_active_missions and get_mission_members: signatures, order, and the rows the seed's body gives."""

import random

import pytest
from django.db import connection

from groups.models import Group, MissionCount
from groups.services.memberships import join_mission, leave_mission
from tests.support.database import rejected_by
from tests.support.factories.groups import ColonyFactory, MemberFactory, MembershipFactory, MissionFactory, TaskFactory

pytestmark = pytest.mark.django_db

# The seed's body as a query: two counts and a probe per mission.
COUNTED = """
    SELECT g.id, g.stable_id, g.name, g.description, g.min_trust_score,
           (SELECT count(*) FROM memberships m WHERE m.group_id = g.id AND m.status = 'active'),
           (SELECT count(*) FROM tasks t WHERE t.group_id = g.id AND t.state = 'open'),
           EXISTS (SELECT 1 FROM memberships m
                   WHERE m.group_id = g.id AND m.member_id = %s AND m.status = 'active'),
           %s >= coalesce(g.min_trust_score, 0)
    FROM groups g WHERE g.type = 'mission' AND g.status = 'active' ORDER BY g.min_trust_score, g.name, g.id"""


def sql(query, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()


@pytest.fixture
def community():
    """Missions, some with equal names and thresholds, members who leave and re-join, tasks in every state."""
    chance = random.Random(8)
    colony = ColonyFactory()
    missions = [
        MissionFactory(
            parent_group=colony, name=chance.choice("abc"), min_trust_score=chance.choice([None, 0, 250, 500])
        )
        for _number in range(12)
    ]
    missions.append(MissionFactory(parent_group=colony, status="archived"))
    members = MemberFactory.create_batch(6, trust_score=1_000)
    for _step in range(60):
        member, mission = chance.choice(members), chance.choice(missions[:-1])
        if mission.memberships.active().filter(member=member).exists():
            leave_mission(actor=member, member=member, mission=mission)
        else:
            join_mission(actor=member, member=member, mission=mission)
    for mission in missions[:-1]:
        for state in chance.choices(["open", "cancelled"], k=3):
            TaskFactory(group=mission, state=state)
    return members


@pytest.mark.seed("000 AC7", "000 Step 7", "000 functions give the right rows", "000 functions too slow")
@pytest.mark.parametrize("function", ["get_active_missions", "active_missions"])
def test_active_missions_match_counting_and_merging(community, function):
    for _merged in range(2):
        for member in community:
            for score in (0, 250, 499, 10_000):
                ours = sql(f"SELECT * FROM {function}(%s, %s)", [member.pk, score])
                assert ours == sql(COUNTED, [member.pk, score])
                assert len(ours) == 12
        sql("SELECT merge_mission_counters()")


@pytest.mark.seed("000 AC7", "000 Step 7", "000 Step 8", "000 the next seed (S4-03B) can begin")
def test_functions_have_seed_signatures():
    described = dict(
        sql(
            """SELECT proname, pg_get_function_arguments(p.oid) || ' -> ' || pg_get_function_result(p.oid)
                      || ' ' || l.lanname || ' ' || p.provolatile::text
               FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
               WHERE proname IN ('get_active_missions', 'get_mission_members')"""
        )
    )
    assert described == {
        "get_active_missions": "member_uuid uuid, member_trust_score integer -> TABLE(id uuid, stable_id text,"
        " name character varying, description text, min_trust_score integer, member_count bigint,"
        " task_count bigint, is_member boolean, is_eligible boolean) plpgsql s",
        "get_mission_members": "mission_uuid uuid -> TABLE(member_id uuid, email character varying,"
        " member_stable_id character varying, display_name character varying, role character varying,"
        " joined_at timestamp with time zone) plpgsql s",
    }


def test_unknown_member_sees_missions_as_non_member(community):
    rows = sql("SELECT is_member FROM get_active_missions(gen_random_uuid(), 0)")
    assert rows == [(False,)] * 12


@pytest.mark.seed("000 AC8", "000 Step 8")
def test_mission_members_are_ordered_by_join_date():
    mission = MissionFactory()
    second = MembershipFactory(group=mission, joined_at="2026-02-02T00:00Z")
    first = MembershipFactory(group=mission, joined_at="2026-02-01T00:00Z", role="Host")
    MembershipFactory(group=mission, ended=True)
    rows = sql(
        "SELECT member_id, email, member_stable_id, display_name, role FROM get_mission_members(%s)", [mission.pk]
    )
    assert rows == [
        (
            membership.member.pk,
            membership.member.email,
            membership.member.member_id,
            membership.member.display_name,
            membership.role,
        )
        for membership in (first, second)
    ]


@pytest.mark.deletes("tasks", "memberships")
def test_counters_follow_every_change():
    mission, other = MissionFactory(), MissionFactory()
    memberships = [MembershipFactory(group=mission) for _number in range(3)]

    def counts():
        return [
            (count.member_count, count.open_task_count)
            for count in (MissionCount.objects.get(group=group) for group in (mission, other))
        ]

    assert counts() == [(3, 0), (0, 0)]
    leave_mission(actor=memberships[0].member, member=memberships[0].member, mission=mission)
    assert counts() == [(2, 0), (0, 0)]
    mission.memberships.filter(pk=memberships[1].pk).update(group=other)
    assert counts() == [(1, 0), (1, 0)]
    task = TaskFactory(group=mission)
    assert counts() == [(1, 1), (1, 0)]
    task.delete()
    mission.memberships.all().delete()
    assert counts() == [(0, 0), (1, 0)]
    assert Group.objects.with_counts().get(pk=other.pk).member_count == 1


def test_merging_keeps_counts_and_updated_at():
    membership = MembershipFactory()
    sql("SELECT merge_mission_counters()")
    before = Group.objects.get(pk=membership.group_id)
    MembershipFactory(group=membership.group)
    assert sql("SELECT merge_mission_counters()") == [(1,)]
    after = Group.objects.with_counts().get(pk=membership.group_id)
    assert (after.member_count, after.updated_at) == (2, before.updated_at)
    assert not membership.group.counters.exists()
    assert after.history.count() == 1, "merging is no change of the group"


@pytest.mark.parametrize("column", ["merged_member_count", "merged_membership_count", "merged_open_task_count"])
def test_site_role_cannot_set_counts(column):
    mission = MembershipFactory().group
    with rejected_by("groups_counts_read_only"):
        sql(f"UPDATE groups SET {column} = 5 WHERE id = %s RETURNING id", [mission.pk])
    # The site role merges counts with a function that runs as the owner.
    assert sql("SELECT merge_mission_counters()") == [(1,)]
    assert sql("SELECT merged_member_count FROM groups WHERE id = %s", [mission.pk]) == [(1,)]
