"""Fifty concurrent connections with real commits on one project; each guard has a negative control.

RACE_ROUNDS=200 bin/test tests/fallback/test_races.py runs the long proof; a build runs one round.
"""

import random
import threading
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.db.models.query import QuerySet

from fallback.errors import (
    AlreadyDecided,
    MonthlyHoursReached,
    RunInProgress,
    WeeklyCapReached,
)
from fallback.models import (
    Mission,
    MissionEvent,
    MissionFallbackItem,
    MissionFallbackRun,
    ProjectActivity,
)
from fallback.models.choices import ItemStatus, MissionOrigin
from fallback.services import runs
from fallback.services.review import accept_item, discard_item, undo_decision
from fallback.services.runs import run_due, run_fallback
from groups.models import Member
from missionsite.common.errors import translate_db_errors
from tests.fallback.proposals import a_project, a_review, proposals, spent
from tests.fallback.racing import PEOPLE, accepted_by_period, only
from tests.support.concurrency import CONTROL_ROUNDS, PATIENCE, ROUNDS, crowd, without
from tests.support.factories.fallback import RunFactory, accept_as_rows
from tests.support.factories.groups import MemberFactory

ZONES = ["Europe/Lisbon", "Pacific/Kiritimati", "America/St_Johns", "UTC", "Asia/Kathmandu"]
NO_SPENDING = "ALTER TABLE mission_fallback_items {} TRIGGER mission_fallback_items_spend"
pytestmark = pytest.mark.django_db(transaction=True)


def around(year: int, month: int, day: int, zone: str) -> tuple[datetime, datetime]:
    """The last second before a day in a time zone, and the first instant of the day."""
    begins = datetime(year, month, day, tzinfo=ZoneInfo(zone))
    # In UTC, because local arithmetic would skip clock changes.
    return (begins.astimezone(ZoneInfo("UTC")) - timedelta(seconds=1)).astimezone(ZoneInfo(zone)), begins


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


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
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
