"""Missions of a board: positions, moves, dependencies, reviews."""

import random

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fallback.errors import (
    FlowOfOtherProject,
    NeighbourNotFound,
    ProjectArchived,
)
from fallback.models import Mission
from fallback.models.choices import List, ReviewStatus
from fallback.services.missions import (
    MAX_ORDER,
    MAX_RENUMBERED,
    add_dependency,
    create_mission,
    move_mission,
    remove_dependency,
    review_mission,
    set_ready,
    update_mission,
)
from fallback.services.projects import archive_project
from groups.models import Member
from missionsite.common.errors import DomainError, ValueRejected
from tests.support.factories.fallback import FlowFactory, MissionFactory, ProjectFactory
from tests.support.factories.groups import MemberFactory
from tests.support.sample import asks_all, examples

pytestmark = pytest.mark.django_db


def a_board(count: int) -> list[Mission]:
    """Missions in one list, in the order of the board."""
    project = ProjectFactory()
    return [
        create_mission(actor=Member.objects.system(), project=project, title=f"Mission {number}")
        for number in range(count)
    ]


def order(project, in_list=List.TODO) -> list[str]:
    rows = Mission.objects.filter(project=project, list=in_list).order_by("list_order", "id")
    places = list(rows.values_list("list_order", flat=True))
    assert len(set(places)) == len(places), "two missions in one place"
    return list(rows.values_list("pk", flat=True))


def events(mission) -> list[tuple]:
    return list(mission.events.order_by("occurred_at", "id").values_list("type", "origin", "actor"))


# --- Creating ---------------------------------------------------------------------------------


def test_create_puts_mission_at_end_of_todo():
    project, ana = ProjectFactory(), MemberFactory()
    first = create_mission(actor=Member.objects.system(), project=project, title="First")
    second = create_mission(actor=ana, project=project, title="Second", values={"ready": True, "priority": 5})
    assert order(project) == [first.pk, second.pk]
    assert (second.list, second.ready, second.priority, second.origin) == ("todo", True, 5, "manual")
    assert events(second) == [("mission.created", "user", ana.pk)]


def test_create_rejects_archived_project():
    project = ProjectFactory()
    archive_project(actor=Member.objects.system(), project=project)
    with pytest.raises(ProjectArchived):
        create_mission(actor=Member.objects.system(), project=project, title="Late")
    assert not project.missions.exists()


def test_create_rejects_empty_title():
    with pytest.raises(ValueRejected):
        create_mission(actor=Member.objects.system(), project=ProjectFactory(), title="  ")
    assert not Mission.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_create_rejects_flow_of_another_project():
    (mission,) = a_board(1)
    with pytest.raises(FlowOfOtherProject):
        update_mission(
            actor=Member.objects.system(), mission=mission, changes={"title": "Changed", "flow": FlowFactory()}
        )
    mission.refresh_from_db()
    assert (mission.title, mission.flow) == ("Mission 0", None)


def test_only_real_change_adds_event():
    (mission,), ana = a_board(1), MemberFactory()
    update_mission(actor=ana, mission=mission, changes={"title": "Clearer", "priority": 4})
    update_mission(actor=ana, mission=mission, changes={"title": "Clearer", "priority": 4})
    created, changed = mission.events.order_by("id")
    assert (created.type, changed.type, changed.actor) == ("mission.created", "mission.changed", ana)
    assert changed.payload == {"changed": {"title": ["Mission 0", "Clearer"], "priority": [3, 4]}}
    with pytest.raises(TypeError, match="list"):
        update_mission(actor=Member.objects.system(), mission=mission, changes={"list": "done"})


# --- Moving -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ({"before": 0}, [3, 0, 1, 2]),
        ({"before": 2}, [0, 1, 3, 2]),
        ({"after": 0}, [0, 3, 1, 2]),
        ({"after": 2}, [0, 1, 2, 3]),
        ({}, [0, 1, 2, 3]),
        ({"first": True}, [3, 0, 1, 2]),
    ],
    ids=str,
)
def test_move_puts_mission_at_position(beside, expected):
    missions = a_board(4)
    where = {key: value if value is True else missions[value].pk for key, value in beside.items()}
    move_mission(actor=Member.objects.system(), mission=missions[3], to=List.TODO, **where)
    assert order(missions[0].project) == [missions[number].pk for number in expected]
    assert [event[0] for event in events(missions[3])] == ["mission.created"]


@pytest.mark.parametrize("beside", [{}, {"before": 0}, {"after": 0}, {"first": True}], ids=str)
def test_move_to_another_list_adds_event(beside):
    (there, second, mission), ana = a_board(3), MemberFactory()
    for each in (there, second):
        move_mission(actor=Member.objects.system(), mission=each, to=List.DOING)
    where = {key: value if value is True else there.pk for key, value in beside.items()}
    moved = move_mission(actor=ana, mission=mission, to=List.DOING, **where)
    position = {"": 2, "before": 0, "after": 1, "first": 0}[next(iter(beside), "")]
    expected = [there.pk, second.pk]
    expected.insert(position, mission.pk)
    assert order(mission.project, List.DOING) == expected
    assert order(mission.project) == []
    assert moved.list == List.DOING
    assert events(mission)[1:] == [("mission.moved", "user", ana.pk)]


def test_first_move_separates_missions_with_equal_order():
    project = ProjectFactory()
    missions = sorted(MissionFactory.create_batch(4, project=project, list_order=500), key=lambda m: m.pk)
    move_mission(actor=Member.objects.system(), mission=missions[3], to=List.TODO, before=missions[1].pk)
    assert order(project) == [missions[number].pk for number in (0, 3, 1, 2)]


def test_move_rejects_missing_neighbour():
    one, other, elsewhere = *a_board(2), MissionFactory()
    move_mission(actor=Member.objects.system(), mission=other, to=List.DONE)
    for neighbour in (other.pk, elsewhere.pk, "0" * 26, one.pk):
        with pytest.raises(NeighbourNotFound):
            move_mission(actor=Member.objects.system(), mission=one, to=List.TODO, before=neighbour)
        with pytest.raises(NeighbourNotFound):
            move_mission(actor=Member.objects.system(), mission=one, to=List.TODO, after=neighbour)
    assert order(one.project) == [one.pk]


def test_move_rejects_unknown_list():
    (mission,) = a_board(1)
    with pytest.raises(ValueRejected):
        move_mission(actor=Member.objects.system(), mission=mission, to="loop")


def test_300_moves_into_one_gap_keep_order():
    # 300 with --long; the gap is used up after some fifty.
    missions = a_board(302 if asks_all() else 82)
    first, last, rest = missions[0], missions[-1], missions[1:-1]
    before = {m.pk: m.list_order for m in Mission.objects.filter(pk__in=[first.pk, last.pk])}
    for mission in rest:
        # Always into the gap after the first mission, which halves each time.
        move_mission(actor=Member.objects.system(), mission=mission, to=List.TODO, after=first.pk)
    assert order(first.project) == [first.pk, *(mission.pk for mission in reversed(rest)), last.pk]
    after = {m.pk: m.list_order for m in Mission.objects.filter(pk__in=[first.pk, last.pk])}
    assert after != before, "there was never a need to spread: the test proves nothing"
    assert max(after.values()) <= MAX_RENUMBERED


def spreads(action, times: int) -> int:
    """The number of renumberings while a function is called repeatedly."""
    with CaptureQueriesContext(
        connection,
    ) as seen:
        for _time in range(times):
            action()
    return sum("SET list_order = w.place" in query["sql"] for query in seen.captured_queries)


def test_long_list_is_not_renumbered_for_each_mission():
    project = ProjectFactory()
    assert spreads(lambda: create_mission(actor=Member.objects.system(), project=project, title="One more"), 250) == 0
    last = project.missions.order_by("-list_order").first()
    assert MAX_RENUMBERED < last.list_order < MAX_ORDER
    Mission.objects.filter(pk=last.pk).update(list_order=MAX_ORDER)
    assert spreads(lambda: create_mission(actor=Member.objects.system(), project=project, title="One more"), 50) == 1
    assert len(order(project)) == 300


def test_moves_to_end_renumber_long_list_at_most_once():
    missions = a_board(120)
    Mission.objects.filter(pk=missions[-1].pk).update(list_order=MAX_ORDER)
    chance = random.Random(1)
    assert (
        spreads(
            lambda: move_mission(actor=Member.objects.system(), mission=chance.choice(missions[:-1]), to=List.TODO), 60
        )
        == 1
    )
    assert len(order(missions[0].project)) == 120


@pytest.mark.seed("004 drag and drop order")
@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([List.TODO, List.DOING]), st.integers(0, 5), st.integers(0, 3)),
        max_size=25,
    )
)
def test_every_sequence_of_moves_keeps_shown_order(moves):
    missions = a_board(6)
    project = missions[0].project
    expected = {List.TODO: [m.pk for m in missions], List.DOING: []}
    for which, to, beside, how in moves:
        pk, neighbour = missions[which].pk, missions[beside].pk
        where = [{}, {"before": neighbour}, {"after": neighbour}, {"first": True}][how]
        without = {name: [each for each in pks if each != pk] for name, pks in expected.items()}
        if how in (1, 2) and neighbour not in without[to]:
            with pytest.raises(NeighbourNotFound):
                move_mission(actor=Member.objects.system(), mission=missions[which], to=to, **where)
            continue
        position = [len(without[to]), without[to].index(neighbour) if how == 1 else 0, 0, 0][how]
        if how == 2:
            position = without[to].index(neighbour) + 1
        without[to].insert(position, pk)
        expected = without
        move_mission(actor=Member.objects.system(), mission=missions[which], to=to, **where)
    assert {name: order(project, name) for name in expected} == expected


# --- Ready and reviewed -----------------------------------------------------------------------


def test_ready_and_not_ready_add_events():
    (mission,), ana = a_board(1), MemberFactory()
    assert set_ready(actor=ana, mission=mission, ready=True).ready
    set_ready(actor=ana, mission=mission, ready=True)
    set_ready(actor=ana, mission=mission, ready=False)
    assert [event[0] for event in events(mission)[1:]] == ["mission.ready", "mission.not_ready"]


def test_review_stores_reviewer_and_result():
    (mission,), ana = a_board(1), MemberFactory()
    reviewed = review_mission(actor=ana, mission=mission, status="rejected", feedback="Tests are missing")
    assert (reviewed.review_status, reviewed.review_feedback, reviewed.reviewed_by) == (
        ReviewStatus.REJECTED,
        "Tests are missing",
        ana,
    )
    asked = review_mission(actor=ana, mission=mission, status=ReviewStatus.PENDING)
    assert (asked.review_status, asked.review_feedback, asked.reviewed_by) == (ReviewStatus.PENDING, "", None)
    assert [event[0] for event in events(mission)[1:]] == ["mission.reviewed"] * 2
    with pytest.raises(ValueError, match="splendid"):
        review_mission(actor=Member.objects.system(), mission=mission, status="splendid")


# --- Dependencies -----------------------------------------------------------------------------


def counts(mission) -> tuple[int, int]:
    mission.refresh_from_db()
    return mission.dependency_count, mission.open_dependency_count


def test_mission_is_blocked_until_dependency_is_done():
    (mission, first, second), ana = a_board(3), MemberFactory()
    add_dependency(actor=ana, mission=mission, depends_on=first)
    add_dependency(actor=ana, mission=mission, depends_on=second)
    assert counts(mission) == (2, 2)
    move_mission(actor=ana, mission=first, to=List.DONE)
    assert counts(mission) == (2, 1)
    move_mission(actor=ana, mission=second, to=List.DONE)
    assert counts(mission) == (2, 0)
    move_mission(actor=ana, mission=second, to=List.REVIEW)
    assert counts(mission) == (2, 1)
    remove_dependency(actor=ana, mission=mission, depends_on=second)
    remove_dependency(actor=ana, mission=mission, depends_on=second)
    assert counts(mission) == (1, 0)
    first.delete()
    assert counts(mission) == (0, 0)
    types = [event[0] for event in events(mission)]
    assert (types.count("mission.blocked"), types.count("mission.unblocked")) == (2, 2)


def test_invalid_dependency_is_rejected():
    (one, two, three), elsewhere = a_board(3), MissionFactory()
    add_dependency(actor=Member.objects.system(), mission=one, depends_on=two)
    add_dependency(actor=Member.objects.system(), mission=two, depends_on=three)
    for mission, depends_on, code in [
        (three, one, "dependency_cycle"),
        (two, one, "dependency_cycle"),
        (one, two, "dependency_exists"),
        (one, elsewhere, "dependency_of_other_project"),
        (one, one, "depends_on_itself"),
    ]:
        with pytest.raises(DomainError) as rejected:
            add_dependency(actor=Member.objects.system(), mission=mission, depends_on=depends_on)
        assert (rejected.value.code, rejected.value.field) == (code, "depends_on")
    assert [counts(mission) for mission in (one, two, three)] == [(1, 1), (1, 1), (0, 0)]
