"""The check of due projects."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from fallback.errors import (
    RunInProgress,
)
from fallback.models import MissionFallbackRun
from fallback.models.choices import ConfigStatus, ItemStatus, Trigger
from fallback.services.configs import pause_fallback, snooze_fallback
from fallback.services.runs import run_due, run_fallback
from groups.models import Member
from tests.fallback.proposals import a_project, full_week, samples
from tests.support.concurrency import crowd
from tests.support.factories.fallback import (
    MissionFactory,
    ProjectFactory,
)

pytestmark = pytest.mark.django_db

# A Thursday.
NOW = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_only_due_projects_with_deficit_get_run():
    lacking, enough, lately, paused = (a_project(templates=1) for _number in range(4))
    MissionFactory.create_batch(5, project=enough)
    run_fallback(actor=Member.objects.system(), project=lately, at=NOW - 14 * MINUTE)
    lately.fallback_items.update(status=ItemStatus.DISCARDED, reason="not_needed", reviewed_at=NOW)
    pause_fallback(actor=Member.objects.system(), config=paused.fallback_config)
    ProjectFactory()
    outcomes = list(run_due(actor=Member.objects.system(), at=NOW))
    assert [(outcome.project, outcome.summary) for outcome in outcomes] == [(lacking, "5 proposed.")]
    assert outcomes[0].run.triggered_by == Trigger.AUTOMATIC
    assert samples(enough) == [(5, 5, NOW)]
    assert [outcome.project for outcome in run_due(actor=Member.objects.system(), at=NOW + MINUTE)] == [lately]
    # A manual check restarts the check interval.
    assert list(run_due(actor=Member.objects.system(), at=NOW + 2 * MINUTE)) == []


def test_checks_take_same_number_of_queries_for_many():
    system = Member.objects.system()

    def a_look(at) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert list(run_due(actor=system, at=at)) == []
        return len(seen)

    def enough():
        project = a_project(templates=1, backlog_threshold=1)
        MissionFactory(project=project)
        return project

    first = enough()
    few = a_look(NOW)
    others = [enough() for _number in range(30)]
    later = NOW + 20 * MINUTE
    assert a_look(later) == few <= 6
    assert [samples(project) for project in others] == [[(1, 1, later)]] * 30
    assert len(samples(first)) == 2


def test_check_ends_passed_snooze():
    project = a_project(backlog_threshold=1)
    MissionFactory(project=project)
    until = datetime.now(UTC) + timedelta(days=1)
    snooze_fallback(actor=Member.objects.system(), config=project.fallback_config, until=until)
    assert list(run_due(actor=Member.objects.system(), at=until - MINUTE)) == []
    assert samples(project) == []
    assert list(run_due(actor=Member.objects.system(), at=until)) == []
    project.fallback_config.refresh_from_db()
    assert (project.fallback_config.status, project.fallback_config.last_run_at) == (ConfigStatus.ACTIVE, until)


@pytest.mark.django_db(transaction=True)
def test_snooze_set_during_check_stays():
    """The configuration is snoozed again between the check and its record."""
    project = a_project(backlog_threshold=0, status=ConfigStatus.SNOOZED, snoozed_until=NOW)
    again = datetime.now(UTC) + timedelta(days=3)
    with crowd(1) as someone:

        def snooze_meanwhile(execute, sql, params, many, context):
            result = execute(sql, params, many, context)
            if "due_fallback_projects" in sql:
                someone.run(
                    lambda _number: snooze_fallback(
                        actor=Member.objects.system(), config=project.fallback_config, until=again
                    )
                )
            return result

        with connection.execute_wrapper(snooze_meanwhile):
            assert list(run_due(actor=Member.objects.system(), at=NOW)) == []
    project.fallback_config.refresh_from_db()
    assert (project.fallback_config.status, project.fallback_config.snoozed_until) == (ConfigStatus.SNOOZED, again)


@pytest.mark.django_db(transaction=True)
def test_run_in_progress_does_not_block_other_projects():
    busy, other = a_project(templates=1), a_project(templates=1)
    system = Member.objects.system()
    # The first entry of a member in the audit waits for another first one.
    pause_fallback(actor=system, config=a_project().fallback_config)
    made, looked = threading.Event(), threading.Event()

    def attempt(number):
        if number:
            made.wait(30)
            try:
                return {outcome.project: outcome for outcome in run_due(actor=system, at=NOW)}
            finally:
                looked.set()
        with transaction.atomic():
            run = run_fallback(actor=system, project=busy, at=NOW)
            made.set()
            looked.wait(30)
        return run

    with crowd(2) as people:
        run, outcomes = people.run(attempt)
    assert isinstance(run, MissionFallbackRun)
    assert isinstance(outcomes[busy].rejection, RunInProgress)
    assert outcomes[busy].summary == RunInProgress().message
    assert outcomes[other].run.generated_count == 5
    assert busy.fallback_runs.count() == other.fallback_runs.count() == 1


def test_manual_run_always_records_skipped_templates():
    project = a_project(templates=2, weekly_mission_cap=2)
    full_week(project, at=NOW)
    for later in range(3):
        run = run_fallback(
            actor=Member.objects.system(), project=project, triggered_by=Trigger.MANUAL, at=NOW + later * MINUTE
        )
        assert {each["guardrail"] for each in run.skipped} == {"weekly_mission_cap"}
