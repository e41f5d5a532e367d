"""Concurrent changes of a board and of a whole project; each guard has a negative control.

RACE_ROUNDS=200 bin/test tests/fallback/test_board_races.py runs the long proof; a build runs one round.
"""

import random
import threading
import time
from collections import Counter
from contextlib import suppress

import pytest
from django.db import connection
from django.db.models import Sum

from fallback.errors import (
    NeighbourNotFound,
    RunEnded,
)
from fallback.models import (
    Mission,
    MissionFallbackConfig,
    MissionFallbackItem,
)
from fallback.models.choices import ItemStatus, List
from fallback.services import configs
from fallback.services import missions as board
from fallback.services.missions import create_mission, move_mission
from fallback.services.review import accept_item, discard_item, undo_decision
from fallback.services.runs import cancel_run, launch_template, run_fallback
from groups.models import Member
from missionsite.common.errors import DomainError
from tests.fallback.proposals import a_project, proposals, spent
from tests.fallback.racing import PEOPLE, accepted_by_period, only
from tests.support.concurrency import CONTROL_ROUNDS, PATIENCE, ROUNDS, crowd
from tests.support.database import allow_delete, row, rows
from tests.support.factories.fallback import ConfigFactory, MissionFactory, RunFactory
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)


# --- The board --------------------------------------------------------------------------------


def everyone_moves(people, *, one: bool):
    """One round: all move a mission of one board, or all the same one. Returns the missions."""
    project = a_project()
    missions = MissionFactory.create_batch(PEOPLE, project=project)
    chances = [random.Random(random.random()) for _number in range(PEOPLE)]

    def attempt(number):
        chance = chances[number]
        mission = missions[0] if one else missions[number]
        beside = {chance.choice(["before", "after"]): chance.choice(missions).pk} if chance.random() < 0.5 else {}
        return move_mission(
            actor=Member.objects.system(), mission=mission, to=chance.choice([List.TODO, List.DOING]), **beside
        )

    return people.run(attempt), list(project.missions.all())


@pytest.mark.seed("004 drag and drop order")
@pytest.mark.parametrize("one", [False, True], ids=["their own missions", "the same mission"])
def test_fifty_moves_give_distinct_positions(one):
    with crowd(PEOPLE) as people:
        for _round in range(max(1, ROUNDS // 4)):
            results, missions = everyone_moves(people, one=one)
            made = only(results, Mission, NeighbourNotFound)
            assert made[Mission] > PEOPLE // 3
            moved = {result.pk for result in results if isinstance(result, Mission)}
            places = [(m.list, m.list_order) for m in missions if m.pk in moved]
            assert len(set(places)) == len(places)
            assert len(missions) == PEOPLE


@pytest.mark.long
@pytest.mark.seed("004 drag and drop order", control=True)
def test_without_lock_two_missions_share_position(monkeypatch):
    monkeypatch.setattr(board, "lock_board", lambda project_id: None)
    with crowd(PEOPLE) as people:
        for _round in range(CONTROL_ROUNDS):
            project = a_project()
            people.run(
                lambda number, of=project: create_mission(
                    actor=Member.objects.system(), project=of, title=f"Mission {number}"
                )
            )
            places = list(project.missions.values_list("list_order", flat=True))
            if len(set(places)) < len(places) == PEOPLE:
                return
    raise AssertionError("every mission had a place of its own: the races above prove nothing")


# --- Mixed operations -------------------------------------------------------------------------


def test_mixed_operations_neither_deadlock_nor_drift():
    members = MemberFactory.create_batch(12)
    projects = [
        a_project(templates=3, backlog_threshold=20, auto_accept=number == 0, weekly_mission_cap=60)
        for number in range(3)
    ]
    for project in projects:
        proposals(RunFactory(project=project), [60] * 12)
        MissionFactory.create_batch(6, project=project)

    def attempt(number):
        chance, member, done = random.Random(random.random()), members[number], Counter()
        for _step in range(max(2 * ROUNDS, 10)):
            step = chance.choice(STEPS)
            # Someone else was first, where it is rejected; a deadlock is no DomainError.
            with suppress(DomainError, MissionFallbackItem.DoesNotExist, Mission.DoesNotExist):
                if step(chance.choice(projects), member, chance):
                    done[step.__name__] += 1
        return done

    with crowd(12) as people:
        results = people.run(attempt, timeout=600)
    only(results, Counter)
    if ROUNDS >= 20:
        # Each operation must have been effective at least once.
        assert {name for done in results for name in done} == {step.__name__ for step in STEPS}
    for project in projects:
        assert spent(project) == accepted_by_period(project)
        total = project.fallback_runs.aggregate(accepted=Sum("accepted_count"), made=Sum("generated_count"))
        assert total["made"] == project.fallback_items.count()
        assert total["accepted"] == project.fallback_items.filter(status=ItemStatus.ACCEPTED).count()
        assert total["accepted"] > 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM drifted_fallback_runs()")
        assert cursor.fetchone() == (0,)
        cursor.execute("SELECT count(*) FROM drifted_missions()")
        assert cursor.fetchone() == (0,)


def one_of(rows, chance):
    found = list(rows[:8])
    return chance.choice(found) if found else None


# Each operation returns whether it had an effect.


def decide(project, member, chance) -> bool:
    item = one_of(project.fallback_items.filter(status=ItemStatus.PROPOSED), chance)
    if item and chance.random() < 0.7:
        accept_item(actor=member, item=item)
    elif item:
        discard_item(actor=member, item=item, feedback="no")
    return bool(item)


def undo(project, member, chance) -> bool:
    item = one_of(project.fallback_items.filter(reviewed_by=member).order_by("-reviewed_at"), chance)
    return bool(item and undo_decision(actor=member, item=item))


def move(project, member, chance) -> bool:
    mission = one_of(project.missions.order_by("?"), chance)
    return bool(mission and move_mission(actor=member, mission=mission, to=chance.choice([*List.values, List.DONE])))


def depend(project, member, chance) -> bool:
    one, other = one_of(project.missions.order_by("?"), chance), one_of(project.missions.order_by("?"), chance)
    if one and other and chance.random() < 0.7:
        board.add_dependency(actor=member, mission=one, depends_on=other)
    elif one and (waiting := one.dependencies.first()):
        board.remove_dependency(actor=member, mission=one, depends_on=waiting.depends_on)
    return bool(one)


def start_run(project, member, chance) -> bool:
    return bool(run_fallback(actor=member, project=project))


def launch(project, member, chance) -> bool:
    return bool(launch_template(actor=member, template=project.fallback_templates.first()))


def cancel(project, member, chance) -> bool:
    run = project.fallback_runs.filter(status="awaiting_review").last()
    if run is None or chance.random() < 0.8:
        return False
    try:
        return bool(cancel_run(actor=member, run=run))
    except RunEnded:
        run.refresh_from_db()
        assert not run.is_open
        return False


STEPS = [decide, decide, decide, undo, move, depend, start_run, launch, cancel]


# --- Deletions --------------------------------------------------------------------------------


def delete_project_during_change(monkeypatch) -> list:
    """Delete a project while a service has locked its configuration; the results of both, exceptions included."""
    allow_delete("projects")
    config, actor, locked = ConfigFactory(), MemberFactory(), threading.Event()
    apply_changes = configs.apply_changes

    def wait_for_deletion(instance, changes):
        locked.set()
        until = time.monotonic() + PATIENCE
        # A transaction sees pg_stat_activity as it was at its first look.
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        while row(waiting) == (0,) and time.monotonic() < until:
            time.sleep(0.01)
        return apply_changes(instance, changes)

    monkeypatch.setattr(configs, "apply_changes", wait_for_deletion)

    def attempt(number):
        if number:
            locked.wait(PATIENCE)
            return rows("DELETE FROM projects WHERE id = %s", [config.project_id])
        return configs.update_config(actor=actor, config=config, weekly_mission_cap=3)

    with crowd(2) as people:
        return people.run(attempt)


def test_change_and_deletion_of_project_do_not_deadlock(monkeypatch):
    changed, deleted = delete_project_during_change(monkeypatch)
    assert (changed.weekly_mission_cap, deleted) == (3, [])
    assert not MissionFallbackConfig.objects.exists()


@pytest.mark.long
def test_without_lock_change_and_deletion_deadlock(monkeypatch):
    monkeypatch.setattr(configs, "lock_rows", lambda: None)
    results = delete_project_during_change(monkeypatch)
    assert [error for error in results if "deadlock detected" in str(error)], results
