"""Runs, launches and cancellations."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from fallback.errors import (
    FallbackInactive,
    MonthlyHoursReached,
    NoConfiguration,
    ProjectArchived,
    RunEnded,
    TemplateDisabled,
    WeeklyCapReached,
)
from fallback.models import MissionFallbackItem, MissionFallbackRun, ProjectActivity
from fallback.models.choices import ConfigStatus, DiscardReason, ItemStatus, List, MissionOrigin, RunStatus, Trigger
from fallback.services.configs import pause_fallback, resume_fallback, snooze_fallback, update_config
from fallback.services.projects import archive_project, change_in_project
from fallback.services.review import accept_item, discard_item
from fallback.services.runs import cancel_run, launch_template, run_fallback
from groups.models import Member
from tests.fallback.proposals import a_project, a_review, full_week, proposals, samples, spent
from tests.support.concurrency import crowd, execute_as_owner
from tests.support.factories.fallback import (
    ConfigFactory,
    MissionFactory,
    ProjectFactory,
    RunFactory,
    TemplateFactory,
)
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db

# A Thursday.
NOW = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


# --- A run ------------------------------------------------------------------------------------


@pytest.mark.seed("004 instead of loops, missions are generated from templates when the backlog is low")
def test_run_proposes_deficit():
    project, ana = a_project(templates=2), MemberFactory()
    MissionFactory.create_batch(2, project=project)
    run = run_fallback(actor=ana, project=project, triggered_by=Trigger.API, at=NOW)
    assert (run.status, run.triggered_by, run.started_by, run.started_at) == ("awaiting_review", "api", ana, NOW)
    assert (run.backlog_count_before, run.backlog_threshold) == (2, 5)
    assert (run.generated_count, run.accepted_count, run.discarded_count) == (3, 0, 0)
    assert (run.skipped, run.error, run.completed_at) == ([], "", None)
    assert set(run.items.values_list("status", flat=True)) == {ItemStatus.PROPOSED}
    assert project.missions.count() == 2


def test_proposal_copies_template():
    project = a_project(backlog_threshold=1)
    template = TemplateFactory(
        project=project,
        name="Rotate the keys",
        description="All of them.",
        acceptance_criteria="No key is older than a day.",
        priority=4,
        estimated_effort_minutes=45,
    )
    (item,) = run_fallback(actor=Member.objects.system(), project=project, at=NOW).items.all()
    assert (item.title, item.priority, item.estimated_effort_minutes) == ("Rotate the keys", 4, 45)
    assert item.description == "All of them.\n\nAcceptance criteria:\nNo key is older than a day."
    assert (item.template, item.flow, item.actor, item.repository) == (
        template,
        template.flow,
        template.actor,
        template.repository,
    )
    change_in_project(
        actor=Member.objects.system(),
        instance=template,
        changes={"name": "Rotate keys", "estimated_effort_minutes": 90},
    )
    item.refresh_from_db()
    assert (item.title, item.estimated_effort_minutes) == ("Rotate the keys", 45)


def test_check_without_deficit_makes_no_run():
    project = a_project(templates=2)
    MissionFactory.create_batch(6, project=project)
    assert run_fallback(actor=Member.objects.system(), project=project, at=NOW) is None
    assert not project.fallback_runs.exists()
    assert samples(project) == [(5, 5, NOW)]
    project.fallback_config.refresh_from_db()
    assert project.fallback_config.last_run_at == NOW


def test_second_run_proposes_only_rest():
    project = a_project(templates=2)
    first = run_fallback(actor=Member.objects.system(), project=project, at=NOW)
    assert run_fallback(actor=Member.objects.system(), project=project, at=NOW + MINUTE) is None
    discard_item(actor=Member.objects.system(), item=first.items.first(), feedback="no")
    assert run_fallback(actor=Member.objects.system(), project=project, at=NOW + 2 * MINUTE).generated_count == 1
    assert samples(project) == [(0, 5, NOW), (0, 5, NOW + MINUTE), (0, 5, NOW + 2 * MINUTE)]


def test_templates_alternate_between_runs():
    project = a_project(templates=5, backlog_threshold=1)
    turns = []
    for number in range(10):
        # After the rest that follows a discard.
        at = NOW - (10 - number) * 15 * timedelta(days=1)
        run = run_fallback(actor=Member.objects.system(), project=project, at=at)
        # Rows of one transaction have the same time; outside tests each run is a transaction.
        run.items.update(created_at=at)
        item = run.items.get()
        discard_item(actor=Member.objects.system(), item=item, feedback="next", at=at)
        turns.append(item.template_id)
    assert len(set(turns)) == 5
    assert turns[:5] == turns[5:]


def test_run_without_configuration_is_rejected():
    with pytest.raises(NoConfiguration):
        run_fallback(actor=Member.objects.system(), project=ProjectFactory(), at=NOW)
    assert not MissionFallbackRun.objects.exists()


def test_run_of_inactive_fallback_is_rejected():
    project = a_project(templates=1)
    pause_fallback(actor=Member.objects.system(), config=project.fallback_config)
    with pytest.raises(FallbackInactive, match=r"paused\. Resume it first"):
        run_fallback(actor=Member.objects.system(), project=project, at=NOW)
    assert samples(project) == []
    project.fallback_config.refresh_from_db()
    assert project.fallback_config.last_run_at is None
    resume_fallback(actor=Member.objects.system(), config=project.fallback_config)
    assert run_fallback(actor=Member.objects.system(), project=project, at=NOW).generated_count == 5


def test_run_ends_passed_snooze():
    project = a_project(templates=1)
    until = datetime.now(UTC) + timedelta(days=1)
    snooze_fallback(actor=Member.objects.system(), config=project.fallback_config, until=until)
    with pytest.raises(FallbackInactive, match="snoozed until"):
        run_fallback(actor=Member.objects.system(), project=project, at=until - MINUTE)
    assert run_fallback(actor=Member.objects.system(), project=project, at=until).generated_count == 5
    project.fallback_config.refresh_from_db()
    assert (project.fallback_config.status, project.fallback_config.snoozed_until) == (ConfigStatus.ACTIVE, None)


# --- Skipped --------------------------------------------------------------------------------


def test_skipped_templates_are_stored_with_reset():
    project = a_project(backlog_threshold=3, weekly_mission_cap=1, monthly_target_hours=2)
    TemplateFactory(project=project, name="long", priority=5, estimated_effort_minutes=300)
    short = TemplateFactory(project=project, name="short", estimated_effort_minutes=30)
    run = run_fallback(actor=Member.objects.system(), project=project, at=NOW)
    assert [item.template for item in run.items.all()] == [short]
    skipped = {(each["guardrail"], each["name"]): each["resetsAt"] for each in run.skipped}
    assert skipped["monthly_target_hours", "long"] == "2026-12-01T00:00:00+00:00"
    assert set(skipped.values()) == {"2026-12-01T00:00:00+00:00", "2026-11-23T00:00:00+00:00"}
    assert [each["guardrail"] for each in run.skipped].count("weekly_mission_cap") == 2


def test_run_with_all_skipped_is_recorded_once():
    project = a_project(templates=2, weekly_mission_cap=2)
    full_week(project, at=NOW)
    run = run_fallback(actor=Member.objects.system(), project=project, triggered_by=Trigger.AUTOMATIC, at=NOW)
    assert (run.status, run.generated_count, len(run.skipped)) == ("completed", 0, 5)
    assert run.completed_at is not None
    for later in range(1, 4):
        assert (
            run_fallback(
                actor=Member.objects.system(), project=project, triggered_by=Trigger.AUTOMATIC, at=NOW + later * MINUTE
            )
            is None
        )
    assert len(samples(project)) == 4
    after = run_fallback(actor=Member.objects.system(), project=project, triggered_by=Trigger.AUTOMATIC, at=MONDAY)
    assert (after.generated_count, len(after.skipped)) == (2, 3)


def test_run_with_new_skip_reason_is_recorded_again():
    project = a_project(templates=2, weekly_mission_cap=2)
    full_week(project, at=NOW)
    assert run_fallback(actor=Member.objects.system(), project=project, triggered_by=Trigger.AUTOMATIC, at=NOW).skipped
    update_config(
        actor=Member.objects.system(), config=project.fallback_config, weekly_mission_cap=20, monthly_target_hours=2
    )
    again = run_fallback(
        actor=Member.objects.system(), project=project, triggered_by=Trigger.AUTOMATIC, at=NOW + MINUTE
    )
    assert {each["guardrail"] for each in again.skipped} == {"monthly_target_hours"}


def test_run_without_enabled_template_ends_with_error():
    project = a_project()
    run = run_fallback(actor=Member.objects.system(), project=project, at=NOW)
    assert (run.status, run.generated_count) == ("errored", 0)
    assert run.error == "No template is enabled. Enable one to get proposals."
    assert run.completed_at is not None
    TemplateFactory(project=project)
    assert run_fallback(actor=Member.objects.system(), project=project, at=NOW + MINUTE).generated_count == 5


# --- Auto-accept ------------------------------------------------------------------------------


@pytest.mark.seed("004 fair template choice, skipped templates and until when, auto-accept, dry run")
def test_auto_accept_creates_missions_within_guardrails():
    project = a_project(templates=2, auto_accept=True, weekly_mission_cap=3)
    run = run_fallback(actor=Member.objects.system(), project=project, triggered_by=Trigger.AUTOMATIC, at=NOW)
    assert (run.status, run.generated_count, run.accepted_count) == ("completed", 3, 3)
    assert [each["guardrail"] for each in run.skipped] == ["weekly_mission_cap"] * 2
    missions = list(project.missions.all())
    assert len(missions) == 3
    assert {(m.origin, m.list, m.ready) for m in missions} == {(MissionOrigin.FALLBACK, List.TODO, True)}
    assert spent(project) == {("week", "2026-11-16"): 3, ("month", "2026-11-01"): 180}
    assert {item.reviewed_by for item in run.items.select_related("reviewed_by")} == {Member.objects.system()}


def test_auto_accept_stops_at_threshold():
    project = a_project(templates=2, auto_accept=True)
    assert run_fallback(actor=Member.objects.system(), project=project, at=NOW).accepted_count == 5
    assert run_fallback(actor=Member.objects.system(), project=project, at=NOW + MINUTE) is None
    project.missions.order_by("list_order").first().delete()
    assert run_fallback(actor=Member.objects.system(), project=project, at=NOW + 2 * MINUTE).accepted_count == 1


@pytest.mark.django_db(transaction=True)
def test_quota_used_after_plan_skips_template():
    """A template is launched while the run is in progress."""
    project = a_project(templates=3, auto_accept=True, backlog_threshold=3, weekly_mission_cap=3)
    template = project.fallback_templates.first()
    # Its first entry in the audit would let the launch wait for the end of the run.
    execute_as_owner(
        f"INSERT INTO audit_actors (member_id) VALUES ('{Member.objects.system().pk}') ON CONFLICT DO NOTHING"
    )
    with crowd(1) as someone:

        def launch_meanwhile(execute, sql, params, many, context):
            result = execute(sql, params, many, context)
            if sql.startswith('INSERT INTO "mission_fallback_runs"'):
                (launched,) = someone.run(
                    lambda _number: launch_template(actor=Member.objects.system(), template=template, at=NOW)
                )
                assert launched.project == project
            return result

        with connection.execute_wrapper(launch_meanwhile):
            run = run_fallback(actor=Member.objects.system(), project=project, at=NOW)
    assert (run.status, run.generated_count, run.accepted_count) == ("awaiting_review", 3, 2)
    (skipped,) = run.skipped
    assert (skipped["guardrail"], skipped["resetsAt"]) == ("weekly_mission_cap", "2026-11-23T00:00:00+00:00")
    assert spent(project)["week", "2026-11-16"] == 3


@pytest.mark.parametrize("waiting", [0, 5])
def test_stale_pending_run_is_cancelled(waiting):
    project = a_project(templates=2)
    left = RunFactory(project=project, status=RunStatus.PENDING)
    proposals(left, [60] * waiting)
    run = run_fallback(actor=Member.objects.system(), project=project, at=NOW)
    left.refresh_from_db()
    assert left.status == RunStatus.CANCELLED
    assert (run.generated_count, MissionFallbackItem.objects.proposed().count()) == (5, 5)


# --- Launching --------------------------------------------------------------------------------


@pytest.mark.seed("004 templates launch instantly from Todo and stay")
def test_launch_creates_mission_and_keeps_template():
    project, ana = a_project(templates=1), MemberFactory()
    template = project.fallback_templates.get()
    mission = launch_template(actor=ana, template=template, at=NOW)
    assert (mission.title, mission.origin, mission.list, mission.ready) == (template.name, "fallback", "todo", True)
    assert (mission.flow, mission.actor, mission.repository) == (template.flow, template.actor, template.repository)
    run = project.fallback_runs.get()
    assert (run.status, run.generated_count, run.accepted_count, run.started_by) == ("completed", 1, 1, ana)
    assert (mission.fallback_item.run, mission.fallback_item.mission_id) == (run, mission.pk)
    template.refresh_from_db()
    assert template.enabled
    launch_template(actor=ana, template=template, at=NOW)
    assert project.missions.count() == 2
    assert spent(project)["week", "2026-11-16"] == 2


def test_launch_works_while_paused_or_unconfigured():
    project = ProjectFactory()
    template = TemplateFactory(project=project)
    assert launch_template(actor=Member.objects.system(), template=template, at=NOW).project == project
    ConfigFactory(project=project, status=ConfigStatus.PAUSED)
    launch_template(actor=Member.objects.system(), template=template, at=NOW)
    assert [run.backlog_threshold for run in project.fallback_runs.order_by("id")] == [None, 5]


@pytest.mark.parametrize(
    ("limits", "rejection", "words"),
    [
        (
            {"weekly_mission_cap": 1},
            WeeklyCapReached,
            "The weekly cap of 1 mission is reached. It resets on Monday 23",
        ),
        ({"monthly_target_hours": 1}, MonthlyHoursReached, "They reset on Tuesday 1 December 00:00"),
    ],
)
def test_launch_over_guardrail_leaves_no_run(limits, rejection, words):
    project = a_project(templates=1, **limits)
    template = project.fallback_templates.get()
    launch_template(actor=Member.objects.system(), template=template, at=NOW)
    with pytest.raises(rejection, match=words):
        launch_template(actor=Member.objects.system(), template=template, at=NOW)
    assert (project.fallback_runs.count(), project.fallback_items.count(), project.missions.count()) == (1, 1, 1)


def test_launch_rejects_disabled_template_and_archived_project():
    template = TemplateFactory(enabled=False)
    with pytest.raises(TemplateDisabled):
        launch_template(actor=Member.objects.system(), template=template)
    change_in_project(actor=Member.objects.system(), instance=template, changes={"enabled": True})
    archive_project(actor=Member.objects.system(), project=template.project)
    with pytest.raises(ProjectArchived):
        launch_template(actor=Member.objects.system(), template=template)
    assert not MissionFallbackRun.objects.exists()


# --- Cancelling -------------------------------------------------------------------------------


def test_cancel_discards_open_and_keeps_decided():
    items, ana, ben = a_review(4), MemberFactory(), MemberFactory()
    mission = accept_item(actor=ben, item=items[0], at=NOW)
    discard_item(actor=ben, item=items[1], feedback="no", at=NOW)
    run = cancel_run(actor=ana, run=items[0].run)
    assert (run.status, run.generated_count, run.accepted_count, run.discarded_count) == ("cancelled", 4, 1, 3)
    assert run.completed_at is not None
    found = {item.pk: item for item in run.items.all()}
    assert [found[item.pk].reviewed_by for item in items] == [ben, ben, ana, ana]
    assert [found[item.pk].reason for item in items] == [None, None, *[DiscardReason.RUN_CANCELLED] * 2]
    mission.refresh_from_db()
    assert mission.list == List.TODO
    assert spent(run.project)["week", "2026-11-16"] == 1


def test_cancel_rejects_ended_run():
    items = a_review(1)
    accept_item(actor=Member.objects.system(), item=items[0])
    with pytest.raises(RunEnded):
        cancel_run(actor=Member.objects.system(), run=items[0].run)
    open_one = RunFactory()
    cancel_run(actor=Member.objects.system(), run=open_one)
    with pytest.raises(RunEnded):
        cancel_run(actor=Member.objects.system(), run=open_one)
    open_one.refresh_from_db()
    assert open_one.status == RunStatus.CANCELLED


@pytest.mark.seed("004 summary when a run completes")
def test_completion_is_recorded_once_and_cancel_is_none():
    items = a_review(2)
    for item in items:
        discard_item(actor=Member.objects.system(), item=item, feedback="no")
    cancelled = a_review(2)
    cancel_run(actor=Member.objects.system(), run=cancelled[0].run)
    told = ProjectActivity.objects.filter(type="fallback.run_completed")
    assert [(event.project_id, event.payload) for event in told] == [
        (items[0].project_id, {"runId": items[0].run_id, "generated": 2, "accepted": 0, "discarded": 2})
    ]
    assert not MissionFallbackItem.objects.proposed().exists()
