"""The triggers of missions: timeline and dependencies."""

import threading
from itertools import pairwise

import pghistory
import pytest
from django.db import DatabaseError, transaction

from fallback.models import Mission
from tests.support.concurrency import crowd, without
from tests.support.database import commit, heard, listening, rejected_by, row, rows
from tests.support.factories.fallback import ActorFactory, ItemFactory, MissionFactory, ProjectFactory, accept_as_rows
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db


def change(mission: Mission, **values) -> list[tuple]:
    """Run an UPDATE of a mission. Returns the added events: (type, origin, actor, changed)."""
    before = [key for (key,) in rows("SELECT id FROM mission_events WHERE mission_id = %s", [mission.pk])]
    columns = ", ".join(f"{column} = %s" for column in values)
    rows(f"UPDATE missions SET {columns} WHERE id = %s", [*values.values(), mission.pk])
    added = mission.events.exclude(pk__in=before)
    return [(event.type, event.origin, event.actor_id, event.payload.get("changed")) for event in added]


def counts(mission: Mission) -> tuple[int, int]:
    """The numbers of all and of open dependencies of a mission."""
    return row("SELECT dependency_count, open_dependency_count FROM missions WHERE id = %s", [mission.pk])


def let_wait(mission: Mission, *others: Mission) -> None:
    for other in others:
        rows("INSERT INTO mission_dependencies (mission_id, depends_on_id) VALUES (%s, %s)", [mission.pk, other.pk])


def missions(number: int) -> list[Mission]:
    return MissionFactory.create_batch(number, project=ProjectFactory())


# --- Timeline ---------------------------------------------------------------------------------


@pytest.mark.seed("004 every lifecycle change is an event")
def test_insert_adds_created_event():
    mission = MissionFactory()
    event = mission.events.get()
    assert (event.type, event.origin, event.actor, event.project_id) == (
        "mission.created", "system", None, mission.project_id,
    )  # fmt: skip
    assert event.payload == {"list": "todo", "ready": True, "origin": "manual"}
    mission.refresh_from_db()
    assert mission.last_event_at == event.occurred_at


def test_created_event_names_proposal():
    item = ItemFactory()
    assert accept_as_rows(item).events.get(type="mission.created").payload["item"] == item.pk


@pytest.mark.seed("004 every lifecycle change is an event")
@pytest.mark.parametrize(
    ("values", "kind", "was"),
    [
        ({"list": "doing"}, "mission.moved", {"list": ["todo", "doing"]}),
        ({"list": "done", "ready": False}, "mission.moved", {"list": ["todo", "done"], "ready": [True, False]}),
        ({"review_status": "pending"}, "mission.reviewed", {"review_status": [None, "pending"]}),
        ({"ready": False}, "mission.not_ready", {"ready": [True, False]}),
        ({"stage": "plan"}, "mission.stage_changed", {"stage": ["clarify", "plan"]}),
        ({"agent_session_status": "active"}, "mission.agent_changed", {"agent_session_status": ["inactive", "active"]}),
        ({"title": "Another"}, "mission.changed", {"title": ["Write", "Another"]}),
        ({"github_pr_number": 7}, "mission.changed", {"github_pr_number": [None, 7]}),
        ({"priority": 5}, "mission.changed", {"priority": [3, 5]}),
    ],
)
def test_change_adds_one_event_with_both_values(values, kind, was):
    mission = MissionFactory(title="Write")
    rows("UPDATE missions SET last_event_at = '2020-01-01' WHERE id = %s", [mission.pk])
    assert change(mission, **values) == [(kind, "system", None, was)]
    assert row("SELECT last_event_at = CURRENT_TIMESTAMP FROM missions WHERE id = %s", [mission.pk]) == (True,)


def test_repeated_ready_adds_another_event():
    assert change(MissionFactory(ready=False), ready=True)[0][0] == "mission.ready"


@pytest.mark.parametrize("values", [{"list_order": "17.5"}, {"title": "Write"}])
def test_reordering_and_equal_update_add_no_event(values):
    mission = MissionFactory(title="Write")
    rows("UPDATE missions SET last_event_at = '2020-01-01' WHERE id = %s", [mission.pk])
    assert change(mission, **values) == []
    assert row("SELECT last_event_at < CURRENT_TIMESTAMP FROM missions WHERE id = %s", [mission.pk]) == (True,)


@pytest.mark.seed("004 origin of an event")
def test_event_has_actor_and_origin():
    member, mission = MemberFactory(), MissionFactory()
    rows("SELECT set_config('app.event_origin', 'agent', true), set_config('app.actor_id', %s, true)", [str(member.pk)])
    ((_kind, origin, actor, _changed),) = change(mission, list="doing")
    assert (origin, actor) == ("agent", member.pk)


def test_event_belongs_to_changeset():
    MissionFactory(title="By itself")
    with pghistory.context() as changeset:
        MissionFactory(title="In a changeset")
    found = "SELECT changeset_id FROM mission_events e JOIN missions m ON m.id = e.mission_id WHERE m.title = %s"
    assert rows(found, ["By itself"]) == [(None,)]
    assert rows(found, ["In a changeset"]) == [(changeset.id,)]


@pytest.mark.seed("004 origin of an event")
def test_event_of_unknown_origin_is_rejected():
    mission = MissionFactory()
    with rejected_by("mission_events_origin_known"):
        rows("SELECT set_config('app.event_origin', 'moon', true)")
        change(mission, list="doing")


@pytest.mark.seed("004 every lifecycle change is an event")
def test_bulk_update_adds_event_per_mission():
    some = missions(3)
    rows("UPDATE missions SET list = 'doing' WHERE project_id = %s", [some[0].project_id])
    assert [mission.events.filter(type="mission.moved").count() for mission in some] == [1, 1, 1]


def test_origin_is_immutable():
    mission = MissionFactory()
    with rejected_by("missions_origin_immutable"):
        change(mission, origin="imported")


def test_actor_of_another_project_is_rejected():
    mission = MissionFactory()
    with rejected_by("missions_actor_of_project"):
        change(mission, actor_id=ActorFactory().pk)
    assert mission.events.count() == 1


@pytest.mark.django_db(transaction=True)
def test_change_notifies_board_channel():
    mission = MissionFactory()
    channel = f"project:{mission.project_id}:board"
    with listening(channel) as listener:
        change(mission, list="doing")
        assert heard(listener, 1) == [(channel, {"projectId": mission.project_id})]


# --- Dependencies -----------------------------------------------------------------------------


@pytest.mark.seed("004 dependencies")
def test_counts_follow_dependencies_and_lists():
    waiting, first, second = missions(3)
    let_wait(waiting, first, second)
    assert counts(waiting) == (2, 2)
    change(first, list="done")
    assert counts(waiting) == (2, 1)
    change(second, list="done")
    assert counts(waiting) == (2, 0)
    change(second, list="review")
    assert counts(waiting) == (2, 1)
    rows("DELETE FROM mission_dependencies WHERE depends_on_id = %s", [second.pk])
    assert counts(waiting) == (1, 0)
    rows("DELETE FROM missions WHERE id = %s", [first.pk])
    assert counts(waiting) == (0, 0)


def test_dependency_on_done_mission_is_not_open():
    waiting, other = missions(2)
    change(other, list="done")
    let_wait(waiting, other)
    assert counts(waiting) == (1, 0)


def test_moved_dependency_moves_count():
    waiting, other, needed = missions(3)
    let_wait(waiting, needed)
    rows("UPDATE mission_dependencies SET mission_id = %s", [other.pk])
    assert (counts(waiting), counts(other)) == ((0, 0), (1, 1))


def test_finish_and_delete_in_one_statement_do_not_drift():
    waiting, *needed = missions(5)
    let_wait(waiting, *needed)
    rows("UPDATE missions SET list = 'done' WHERE id = ANY (%s)", [[mission.pk for mission in needed[:3]]])
    assert counts(waiting) == (4, 1)
    rows("DELETE FROM missions WHERE id = ANY (%s)", [[mission.pk for mission in needed[2:]]])
    assert counts(waiting) == (2, 0)
    assert rows("SELECT * FROM drifted_missions()") == []


def test_timeline_has_dependency_and_blocking_events():
    waiting, needed = missions(2)
    let_wait(waiting, needed)
    change(needed, list="done")
    rows("DELETE FROM mission_dependencies")
    kinds = set(waiting.events.values_list("type", flat=True))
    assert kinds == {
        "mission.created", "mission.blocked", "mission.unblocked", "mission.dependency_added",
        "mission.dependency_removed",
    }  # fmt: skip


def test_counts_cannot_be_set():
    waiting, needed = missions(2)
    let_wait(waiting, needed)
    rows("UPDATE missions SET dependency_count = 0, open_dependency_count = 0 WHERE id = %s", [waiting.pk])
    assert counts(waiting) == (1, 1)
    # The object was read before, without the dependency.
    waiting.title = "Saved again"
    waiting.save()
    assert counts(waiting) == (1, 1)
    assert counts(MissionFactory(dependency_count=3, open_dependency_count=3)) == (0, 0)


@pytest.mark.seed("004 dependencies")
@pytest.mark.parametrize("length", [2, 3, 60])
def test_cycle_is_rejected(length):
    chain = missions(length)
    for first, second in pairwise(chain):
        let_wait(first, second)
    with rejected_by("mission_dependencies_no_cycle"):
        let_wait(chain[-1], chain[0])


def test_cycle_by_update_is_rejected():
    first, second, third = missions(3)
    let_wait(first, second)
    let_wait(second, third)
    with rejected_by("mission_dependencies_no_cycle"):
        rows("UPDATE mission_dependencies SET depends_on_id = %s WHERE mission_id = %s", [first.pk, second.pk])


def test_two_paths_to_one_mission_are_no_cycle():
    top, left, right, bottom = missions(4)
    let_wait(top, left, right)
    let_wait(left, bottom)
    let_wait(right, bottom)
    assert counts(top) == (2, 2)


def test_dependency_rejects_self_duplicate_and_other_project():
    first, second = missions(2)
    with rejected_by("mission_dependencies_no_cycle"):
        let_wait(first, first)
    let_wait(first, second)
    with rejected_by("mission_dependencies_once"):
        let_wait(first, second)
    with rejected_by("mission_dependencies_within_project"):
        let_wait(first, MissionFactory())


def test_mission_cannot_change_project():
    mission = MissionFactory()
    change(mission, project_id=mission.project_id, title="Same project")
    with rejected_by("missions_project_immutable"):
        change(mission, project_id=ProjectFactory().pk)


def test_mission_with_dependents_cannot_change_project():
    first, second = missions(2)
    let_wait(first, second)
    with pytest.raises(DatabaseError), transaction.atomic():
        change(second, project_id=ProjectFactory().pk)


# --- Concurrency ------------------------------------------------------------------------------


def closing_a_circle(people, links, together=lambda: None) -> list:
    """Add each dependency in its own concurrent transaction. Returns the errors; None for a commit."""

    def attempt(number):
        with transaction.atomic():
            let_wait(*links[number])
            together()

    return people.run(attempt)


def half_circles():
    """Two dependencies that form a cycle only together, without a common mission."""
    a, b, c, d = missions(4)
    let_wait(b, c)
    let_wait(d, a)
    return [(a, b), (c, d)]


@pytest.mark.seed("004 dependencies")
@pytest.mark.django_db(transaction=True)
def test_concurrent_dependencies_cannot_form_cycle():
    with crowd(2) as people:
        for number in range(20):
            first, second = missions(2)
            links = half_circles() if number % 2 else [(first, second), (second, first)]
            results = closing_a_circle(people, links)
            (rejected,) = [result for result in results if result is not None]
            assert rejected.__cause__.diag.constraint_name == "mission_dependencies_no_cycle"


@pytest.mark.seed("004 dependencies", control=True)
@pytest.mark.django_db(transaction=True)
def test_without_lock_concurrent_dependencies_form_cycle():
    (ours,) = row("SELECT pg_get_functiondef('check_dependency()'::regprocedure)")
    naive = ours.replace("PERFORM pg_advisory_xact_lock", "PERFORM pg_advisory_xact_lock_shared")
    assert naive != ours
    both = threading.Barrier(2)
    with without(naive, ours), crowd(2) as people:
        assert closing_a_circle(people, half_circles(), lambda: both.wait(30)) == [None, None]


@pytest.mark.django_db(transaction=True)
def test_dependency_added_while_mission_finishes_is_counted():
    with crowd(2) as people:
        for _round in range(30):
            waiting, needed = missions(2)

            def attempt(number, waiting=waiting, needed=needed):
                if number:
                    let_wait(waiting, needed)
                else:
                    rows("UPDATE missions SET list = 'done' WHERE id = %s", [needed.pk])

            assert people.run(attempt) == [None, None]
            assert counts(waiting) == (1, 0)


def test_commit_checks_deferred_constraints():
    """Precondition of the tests above."""
    rows("INSERT INTO missions (project_id, title, flow_id) VALUES (%s, 'Lost', 'nowhere')", [ProjectFactory().pk])
    with pytest.raises(DatabaseError), transaction.atomic():
        commit()
    rows("DELETE FROM missions")
