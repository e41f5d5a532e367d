"""Fifty concurrent connections with real commits on one project; each guard has a negative control.

RACE_ROUNDS=200 bin/test tests/fallback/test_races.py runs the long proof; a build runs one round.
"""

import random
import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.db.models import Sum
from django.db.models.query import QuerySet

from fallback.errors import (
    AlreadyDecided,
    MonthlyHoursReached,
    NeighbourNotFound,
    RunEnded,
    RunInProgress,
    WeeklyCapReached,
)
from fallback.models import (
    Mission,
    MissionEvent,
    MissionFallbackConfig,
    MissionFallbackItem,
    MissionFallbackRun,
    ProjectActivity,
)
from fallback.models.choices import ItemStatus, List, MissionOrigin
from fallback.services import configs, runs
from fallback.services import missions as board
from fallback.services.missions import create_mission, move_mission
from fallback.services.review import accept_item, discard_item, undo_decision
from fallback.services.runs import cancel_run, launch_template, run_due, run_fallback
from groups.models import Member
from missionsite.common.errors import DomainError, translate_db_errors
from tests.fallback.proposals import a_project, a_review, proposals, spent
from tests.support.concurrency import CONTROL_ROUNDS, PATIENCE, ROUNDS, crowd, without
from tests.support.database import row, rows
from tests.support.factories.fallback import ConfigFactory, MissionFactory, RunFactory, accept_as_rows
from tests.support.factories.groups import MemberFactory

PEOPLE = 50
ZONES = ["Europe/Lisbon", "Pacific/Kiritimati", "America/St_Johns", "UTC", "Asia/Kathmandu"]
NO_SPENDING = "ALTER TABLE mission_fallback_items {} TRIGGER mission_fallback_items_spend"
pytestmark = pytest.mark.django_db(transaction=True)


def around(year: int, month: int, day: int, zone: str) -> tuple[datetime, datetime]:
    """The last second before a day in a time zone, and the first instant of the day."""
    begins = datetime(year, month, day, tzinfo=ZoneInfo(zone))
    # In UTC, because local arithmetic would skip clock changes.
    return (begins.astimezone(ZoneInfo("UTC")) - timedelta(seconds=1)).astimezone(ZoneInfo(zone)), begins


def only(results, *kinds) -> Counter:
    """Count results by kind; fail for any other result."""
    others = [repr(result) for result in results if not isinstance(result, kinds)]
    assert others == []
    return Counter(type(result) for result in results)


def accepted_by_period(project) -> dict[tuple[str, str], int]:
    """The sums of accepted proposals, computed from the rows and their times."""
    zone = ZoneInfo(project.organization.timezone)
    found = Counter()
    for at, minutes in project.fallback_items.filter(status=ItemStatus.ACCEPTED).values_list(
        "reviewed_at", "estimated_effort_minutes"
    ):
        day = at.astimezone(zone).date()
        found["week", (day - timedelta(days=day.weekday())).isoformat()] += 1
        found["month", day.replace(day=1).isoformat()] += minutes
    return dict(found)


# --- Weekly cap -------------------------------------------------------------------------------

CAP = 20


def reviewers_at_the_end_of_a_week(people, members):
    """One round: all decide, some undo, then all accept the rest. Returns the project."""
    zone = random.choice(ZONES)
    project = a_project(zone=zone, weekly_mission_cap=CAP, monthly_target_hours=100_000)
    items = proposals(RunFactory(project=project), [60] * 2 * PEOPLE)
    # Monday 30 March 2026: in Lisbon the clocks change on the last day of the previous week.
    instants = around(2026, 3, 30, zone)
    chances = [random.Random(random.random()) for _number in range(PEOPLE)]

    def decide(number):
        item, member, at = items[number], members[number], instants[number % 2]
        if number % 5 == 0:
            return discard_item(actor=member, item=item, reason="not_needed", at=at)
        accept_item(actor=member, item=item, at=at)
        if chances[number].random() < 0.3:
            return undo_decision(actor=member, item=item, at=at)
        return None

    def accept_the_rest(number):
        return accept_item(actor=members[number], item=items[PEOPLE + number], at=instants[number % 2])

    only(people.run(decide), type(None), MissionFallbackItem, WeeklyCapReached)
    assert all(used <= CAP for (period, _day), used in spent(project).items() if period == "week")
    assert spent(project) == accepted_by_period(project)
    only(people.run(accept_the_rest), Mission, WeeklyCapReached)
    return project


@pytest.mark.seed("004 weekly cap, 50 reviewers at once, over a week boundary, with discards in between")
def test_weekly_cap_is_exact_around_monday():
    members = MemberFactory.create_batch(PEOPLE)
    with crowd(PEOPLE) as people:
        for _round in range(ROUNDS):
            project = reviewers_at_the_end_of_a_week(people, members)
            counted = accepted_by_period(project)
            assert counted["week", "2026-03-23"] == counted["week", "2026-03-30"] == CAP
            assert spent(project) == counted
            assert project.missions.filter(origin=MissionOrigin.FALLBACK).count() == 2 * CAP


def test_weekly_cap_holds_for_raw_rows():
    """Services wait for the lock of the board before the guardrail; raw rows test the guardrail alone."""
    at = datetime(2026, 3, 30, tzinfo=ZoneInfo("UTC"))

    def accept(item):
        with translate_db_errors():
            return accept_as_rows(item, at=at)

    with crowd(PEOPLE) as people:
        for _round in range(ROUNDS):
            items = a_review(PEOPLE, weekly_mission_cap=CAP)
            made = only(people.run(lambda number, of=items: accept(of[number])), Mission, WeeklyCapReached)
            assert made[Mission] == accepted_by_period(items[0].project)["week", "2026-03-30"] == CAP
            assert spent(items[0].project) == accepted_by_period(items[0].project)


def count_then_insert(item, at):
    """Negative control: count, then insert."""
    with transaction.atomic():
        if MissionFallbackItem.objects.filter(project=item.project, status=ItemStatus.ACCEPTED).count() >= CAP:
            raise WeeklyCapReached
        mission = Mission.objects.create(
            project=item.project, title=item.title, origin=MissionOrigin.FALLBACK, fallback_item=item
        )
        MissionFallbackItem.objects.filter(pk=item.pk).update(
            status=ItemStatus.ACCEPTED, mission=mission, reviewed_at=at
        )


@pytest.mark.seed("004 weekly cap, 50 reviewers at once, over a week boundary, with discards in between", control=True)
def test_count_then_insert_exceeds_cap():
    at = datetime(2026, 3, 30, tzinfo=ZoneInfo("UTC"))
    with without(NO_SPENDING.format("DISABLE"), NO_SPENDING.format("ENABLE")), crowd(PEOPLE) as people:
        for _round in range(CONTROL_ROUNDS):
            items = a_review(PEOPLE)
            only(people.run(lambda number, of=items: count_then_insert(of[number], at)), type(None), WeeklyCapReached)
            if accepted_by_period(items[0].project)["week", "2026-03-30"] > CAP:
                return
    raise AssertionError("no request exceeded the cap: the race above proves nothing")


# --- Monthly hours ----------------------------------------------------------------------------


@pytest.mark.seed("004 monthly hours, the same")
def test_monthly_hours_are_never_exceeded():
    members = MemberFactory.create_batch(PEOPLE)
    with crowd(PEOPLE) as people:
        for _round in range(ROUNDS):
            zone = random.choice(ZONES)
            project = a_project(zone=zone, weekly_mission_cap=10_000, monthly_target_hours=20)
            minutes = [random.randint(20, 190) for _number in range(PEOPLE)]
            items = proposals(RunFactory(project=project), minutes)
            instants = around(2026, 11, 1, zone)
            results = people.run(
                lambda number, of=items, by=instants: accept_item(
                    actor=members[number], item=of[number], at=by[number % 2]
                )
            )
            only(results, Mission, MonthlyHoursReached)
            used = spent(project)
            assert used == accepted_by_period(project)
            for side, month in enumerate(["2026-10-01", "2026-11-01"]):
                rejected = [minutes[n] for n in range(side, PEOPLE, 2) if isinstance(results[n], MonthlyHoursReached)]
                assert used["month", month] <= 20 * 60
                assert rejected, "more was asked for than there is"
                assert 20 * 60 - used["month", month] < min(rejected)


# --- One run at a time ------------------------------------------------------------------------


def everyone_triggers_a_run(people, *, due: bool):
    """One round: all start a run of one project, every second one by a check of due projects."""
    project = a_project(templates=3)

    def attempt(number):
        if due and number % 2:
            (outcome,) = list(run_due(actor=Member.objects.system())) or [None]
            return outcome and (outcome.rejection or outcome.run)
        return run_fallback(actor=Member.objects.system(), project=project)

    return people.run(attempt), project


@pytest.mark.seed("004 two triggers for one project at once make one run")
@pytest.mark.parametrize("due", [False, True])
def test_one_of_two_triggers_makes_run(due):
    with crowd(2) as people:
        for _round in range(ROUNDS):
            results, project = everyone_triggers_a_run(people, due=due)
            made = only(results, MissionFallbackRun, RunInProgress, type(None))
            assert made[MissionFallbackRun] == 1
            assert project.fallback_runs.count() == 1
            assert project.fallback_items.count() == 5


@pytest.mark.seed("004 two triggers for one project at once make one run")
def test_one_of_fifty_triggers_makes_run():
    with crowd(PEOPLE) as people:
        for _round in range(max(1, ROUNDS // 4)):
            results, project = everyone_triggers_a_run(people, due=True)
            assert only(results, MissionFallbackRun, RunInProgress, type(None))[MissionFallbackRun] == 1
            assert (project.fallback_runs.count(), project.fallback_items.count()) == (1, 5)


@pytest.mark.seed("004 two triggers for one project at once make one run", control=True)
def test_without_locks_two_triggers_make_two_runs(monkeypatch):
    monkeypatch.setattr(runs, "lock_runs", lambda project: None)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda query, **options: query)
    with crowd(8) as people:
        for _round in range(CONTROL_ROUNDS):
            _results, project = everyone_triggers_a_run(people, due=False)
            if project.fallback_runs.count() > 1:
                return
    raise AssertionError("there was never more than one run: the races above prove nothing")


# --- The last two proposals -------------------------------------------------------------------


def summaries(run) -> tuple[int, int]:
    """The number of summaries of a run in the timelines of missions and of the project."""
    summary = {"project": run.project, "type": "fallback.run_completed", "payload__runId": run.pk}
    return MissionEvent.objects.filter(**summary).count(), ProjectActivity.objects.filter(**summary).count()


def test_two_reviewers_complete_run_once():
    members = MemberFactory.create_batch(2)
    decide = [
        lambda item, member: accept_item(actor=member, item=item),
        lambda item, member: discard_item(actor=member, item=item, reason="not_needed"),
    ]
    with crowd(2) as people:
        # Each decides in each way.
        for number in range(max(ROUNDS, 4)):
            items = a_review(2)
            choice = [decide[number % 2], decide[number // 2 % 2]]
            results = people.run(lambda n, of=items, do=choice: do[n](of[n], members[n]))
            only(results, Mission, MissionFallbackItem)
            run = MissionFallbackRun.objects.get(pk=items[0].run_id)
            accepted = choice.count(decide[0])
            assert (run.status, run.generated_count, run.accepted_count, run.discarded_count) == (
                "completed",
                2,
                accepted,
                2 - accepted,
            )
            assert summaries(run) == (1, 1)


def test_without_counts_no_reviewer_completes_run():
    """Negative control: count open proposals in transactions that do not see each other."""
    together = threading.Barrier(2)
    counting = "ALTER TABLE mission_fallback_items {} TRIGGER mission_fallback_items_count_changed"
    items = a_review(2)

    def decide(number):
        with transaction.atomic():
            MissionFallbackItem.objects.filter(pk=items[number].pk).update(
                status=ItemStatus.DISCARDED,
                reason="not_needed",
                reviewed_at=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
            )
            together.wait(PATIENCE)
            left = MissionFallbackItem.objects.proposed().filter(run=items[0].run).count()
            # Neither is done before both have looked.
            together.wait(PATIENCE)
            return left

    with without(counting.format("DISABLE"), counting.format("ENABLE")), crowd(2) as people:
        assert people.run(decide) == [1, 1]
    assert MissionFallbackRun.objects.get(pk=items[0].run_id).status == "awaiting_review"


def test_one_of_fifty_reviewers_decides():
    members = MemberFactory.create_batch(PEOPLE)
    with crowd(PEOPLE) as people:
        for _round in range(max(1, ROUNDS // 4)):
            (item,) = a_review(1)

            def decide(number, item=item):
                if number % 2:
                    return accept_item(actor=members[number], item=item)
                return discard_item(actor=members[number], item=item, reason="not_needed")

            made = only(people.run(decide), Mission, MissionFallbackItem, AlreadyDecided)
            assert made[AlreadyDecided] == PEOPLE - 1
            assert item.project.missions.count() == made[Mission]


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


def _some(rows, chance):
    found = list(rows[:8])
    return chance.choice(found) if found else None


# Each operation returns whether it had an effect.


def _decide(project, member, chance) -> bool:
    item = _some(project.fallback_items.filter(status=ItemStatus.PROPOSED), chance)
    if item and chance.random() < 0.7:
        accept_item(actor=member, item=item)
    elif item:
        discard_item(actor=member, item=item, feedback="no")
    return bool(item)


def _undo(project, member, chance) -> bool:
    item = _some(project.fallback_items.filter(reviewed_by=member).order_by("-reviewed_at"), chance)
    return bool(item and undo_decision(actor=member, item=item))


def _move(project, member, chance) -> bool:
    mission = _some(project.missions.order_by("?"), chance)
    return bool(mission and move_mission(actor=member, mission=mission, to=chance.choice([*List.values, List.DONE])))


def _depend(project, member, chance) -> bool:
    one, other = _some(project.missions.order_by("?"), chance), _some(project.missions.order_by("?"), chance)
    if one and other and chance.random() < 0.7:
        board.add_dependency(actor=member, mission=one, depends_on=other)
    elif one and (waiting := one.dependencies.first()):
        board.remove_dependency(actor=member, mission=one, depends_on=waiting.depends_on)
    return bool(one)


def _run(project, member, chance) -> bool:
    return bool(run_fallback(actor=member, project=project))


def _launch(project, member, chance) -> bool:
    return bool(launch_template(actor=member, template=project.fallback_templates.first()))


def _cancel(project, member, chance) -> bool:
    run = project.fallback_runs.filter(status="awaiting_review").last()
    if run is None or chance.random() < 0.8:
        return False
    try:
        return bool(cancel_run(actor=member, run=run))
    except RunEnded:
        run.refresh_from_db()
        assert not run.is_open
        return False


STEPS = [_decide, _decide, _decide, _undo, _move, _depend, _run, _launch, _cancel]


# --- Deletions --------------------------------------------------------------------------------


def delete_project_during_change(monkeypatch) -> list:
    """Delete a project while a service has locked its configuration; the results of both, exceptions included."""
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


def test_without_lock_change_and_deletion_deadlock(monkeypatch):
    monkeypatch.setattr(configs, "lock_rows", lambda: None)
    results = delete_project_during_change(monkeypatch)
    assert [error for error in results if "deadlock detected" in str(error)], results
