"""The plan of a run: backlog, deficit, order of templates, guardrails."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fallback.models import MissionDependency, MissionFallbackItem, MissionFallbackTemplate
from fallback.models.choices import ConfigStatus, DiscardReason, Guardrail, ItemStatus, List
from fallback.selectors.guardrails import Quota, format_hours, guardrails_of, month_of, week_of
from fallback.selectors.planning import backlog_of, plan_run
from fallback.services.projects import archive_project
from groups.models import Member
from tests.fallback.proposals import a_project, proposals
from tests.support.factories.fallback import (
    ItemFactory,
    MissionFactory,
    ProjectFactory,
    RunFactory,
    TemplateFactory,
    accept_as_rows,
)
from tests.support.sample import examples

pytestmark = pytest.mark.django_db

# A Thursday.
NOW = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)


def names(templates) -> list[str]:
    return [template.name for template in templates]


# --- Backlog and deficit ----------------------------------------------------------------------


def test_backlog_is_ready_unblocked_todo():
    project = ProjectFactory()
    ready, blocked, blocker = MissionFactory.create_batch(3, project=project)
    MissionDependency.objects.create(mission=blocked, depends_on=blocker)
    MissionFactory(project=project, ready=False)
    for elsewhere in (List.DOING, List.REVIEW, List.DONE):
        MissionFactory(project=project, list=elsewhere)
    MissionFactory()
    assert backlog_of(project, up_to=100) == 2
    type(blocker).objects.filter(pk=blocker.pk).update(list=List.DONE)
    assert backlog_of(project, up_to=100) == 2, "the blocker is done, and what it blocked is ready"
    type(ready).objects.filter(pk=ready.pk).update(ready=False)
    assert backlog_of(project, up_to=100) == 1


def test_backlog_count_stops_at_threshold():
    project = ProjectFactory()
    MissionFactory.create_batch(7, project=project)
    assert [backlog_of(project, up_to=limit) for limit in (0, 3, 7, 8)] == [0, 3, 7, 7]


@pytest.mark.seed("004 the threshold is evaluated")
@pytest.mark.parametrize(
    ("ready", "waiting", "deficit"), [(0, 0, 5), (2, 0, 3), (0, 2, 3), (2, 2, 1), (2, 3, 0), (2, 9, 0), (9, 0, 0)]
)
def test_deficit_is_threshold_minus_backlog_and_proposals(ready, waiting, deficit):
    project = a_project(templates=9)
    MissionFactory.create_batch(ready, project=project)
    items = proposals(RunFactory(project=project), [60] * (waiting + 2))
    accept_as_rows(items[-1], at=NOW)
    project.missions.filter(fallback_item=items[-1]).update(list=List.DONE)
    MissionFallbackItem.objects.filter(pk=items[-2].pk).update(
        status=ItemStatus.DISCARDED, reason=DiscardReason.NOT_NEEDED, reviewed_at=NOW
    )
    # A snoozed proposal is still open.
    MissionFallbackItem.objects.filter(pk=items[0].pk, status=ItemStatus.PROPOSED).update(snoozed_until=NOW)
    plan = plan_run(project, at=NOW)
    assert (plan.backlog, plan.proposed, plan.deficit) == (min(ready, 5), waiting, deficit)
    assert len(plan.picks) == deficit
    assert plan.skipped == []


def test_threshold_of_zero_needs_nothing():
    plan = plan_run(a_project(templates=2, backlog_threshold=0), at=NOW)
    assert (plan.deficit, plan.picks, plan.skipped) == (0, [], [])
    assert plan.summary == "Enough missions are ready or proposed. No proposals needed."


# --- Order of templates -----------------------------------------------------------------------


def used(template, *, at, status=ItemStatus.DISCARDED):
    """A proposal of a template, created and decided at a given time."""
    item = ItemFactory(run=RunFactory(project=template.project), template=template)
    if status == ItemStatus.ACCEPTED:
        accept_as_rows(item, at=at)
        item.created_mission.list = List.DONE
        item.created_mission.save()
    else:
        item.status, item.reason, item.reviewed_at = status, DiscardReason.NOT_NEEDED, at
        item.save()
    MissionFallbackItem.objects.filter(pk=item.pk).update(created_at=at)
    return item


def test_longest_unused_template_comes_first():
    project = a_project(backlog_threshold=3)
    lately, long_ago, never = (
        TemplateFactory(project=project, name=name, priority=priority)
        for name, priority in [("lately", 5), ("long ago", 3), ("never", 1)]
    )
    used(lately, at=NOW - timedelta(days=1))
    used(long_ago, at=NOW - timedelta(days=9))
    assert names(plan_run(project, at=NOW).picks) == ["never", "long ago", "lately"]
    assert never.enabled


def test_equal_use_is_ordered_by_priority_and_acceptance():
    project = a_project(backlog_threshold=4, weekly_mission_cap=100)
    at = NOW - timedelta(days=20)
    for name, priority, decided in [
        ("rejected", 3, [ItemStatus.DISCARDED] * 2),
        ("half", 3, [ItemStatus.ACCEPTED, ItemStatus.DISCARDED]),
        ("accepted", 3, [ItemStatus.ACCEPTED] * 2),
        ("urgent", 4, [ItemStatus.DISCARDED] * 2),
    ]:
        template = TemplateFactory(project=project, name=name, priority=priority)
        for status in decided:
            used(template, at=at, status=status)
    assert names(plan_run(project, at=NOW).picks) == ["urgent", "accepted", "half", "rejected"]


@pytest.mark.seed("004 fair template choice, skipped templates and until when, auto-accept, dry run")
def test_no_template_is_used_twice_while_another_is_left():
    project = a_project(templates=3, backlog_threshold=8)
    picks = [template.pk for template in plan_run(project, at=NOW).picks]
    assert picks[:3] == picks[3:6]
    assert picks[6:] == picks[:2]
    assert len(set(picks[:3])) == 3


def test_disabled_and_other_templates_are_not_used():
    project = a_project()
    TemplateFactory(project=project, enabled=False)
    TemplateFactory()
    mine = TemplateFactory(project=project)
    assert {template.pk for template in plan_run(project, at=NOW).picks} == {mine.pk}


histories = st.lists(
    st.fixed_dictionaries(
        {
            "enabled": st.booleans(),
            "priority": st.integers(1, 5),
            "minutes": st.sampled_from([20, 60, 60, 60, 300]),
            # How many days ago a proposal was made of it, and what became of that.
            "past": st.lists(
                st.tuples(st.integers(30, 34), st.sampled_from([ItemStatus.DISCARDED, ItemStatus.PROPOSED])),
                max_size=3,
            ),
        }
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=histories, threshold=st.integers(0, 15), cap=st.integers(0, 15), target=st.integers(0, 12), data=st.data()
)
def test_choice_is_ordered_and_within_guardrails(history, threshold, cap, target, data):
    """For arbitrary histories; the expectation is computed from the history alone."""
    with transaction.atomic():
        project = a_project(backlog_threshold=threshold, weekly_mission_cap=cap, monthly_target_hours=target)
        run = RunFactory(project=project)
        waiting, waiting_minutes, turn, efforts = 0, 0, [], {}
        for template in history:
            row = TemplateFactory(
                project=project,
                enabled=template["enabled"],
                priority=template["priority"],
                estimated_effort_minutes=template["minutes"],
            )
            for days, status in template["past"]:
                decided = {} if status == ItemStatus.PROPOSED else {"reviewed_at": NOW, "reason": "not_needed"}
                ItemFactory(
                    run=run,
                    template=row,
                    status=status,
                    created_at=NOW - timedelta(days=days),
                    estimated_effort_minutes=template["minutes"],
                    **decided,
                )
                if status == ItemStatus.PROPOSED:
                    waiting, waiting_minutes = waiting + 1, waiting_minutes + template["minutes"]
            if template["enabled"]:
                latest = -min((days for days, _status in template["past"]), default=10_000)
                discarded = any(status == ItemStatus.DISCARDED for _days, status in template["past"])
                turn.append((latest, -template["priority"], 0 if discarded else -0.5, row.pk))
                efforts[row.pk] = template["minutes"]
        plan = plan_run(project, at=NOW)
        transaction.set_rollback(True)

    deficit = max(0, threshold - waiting)
    assert plan.deficit == deficit
    picked = [template.pk for template in plan.picks]
    order = [key[-1] for key in sorted(turn)]
    assert set(picked) <= set(order)
    assert len(picked) <= max(0, cap - waiting)
    assert sum(efforts[pk] for pk in picked) <= max(0, target * 60 - waiting_minutes)
    skipped = [each.guardrail for each in plan.skipped]
    if Guardrail.MONTH not in skipped and order:
        # No template was too long: strict order, and each missing mission is proposed or skipped by the weekly cap.
        assert picked == [order[number % len(order)] for number in range(len(picked))]
        assert len(picked) + skipped.count(Guardrail.WEEK) == deficit
    times = {pk: picked.count(pk) for pk in order}
    fits_always = [pk for pk in order if efforts[pk] == min(efforts.values())]
    assert max((times[pk] for pk in fits_always), default=0) - min((times[pk] for pk in fits_always), default=0) <= 1
    if deficit and not order:
        assert skipped == [Guardrail.TEMPLATES]
    if deficit and len(picked) < deficit:
        assert skipped, "what is not proposed is skipped by something"
    elif not deficit:
        assert (picked, skipped) == ([], [])


# --- Guardrails -------------------------------------------------------------------------------


@pytest.mark.seed("004 fair template choice, skipped templates and until when, auto-accept, dry run")
def test_full_week_skips_templates_with_reset():
    project = a_project(templates=2, zone="Europe/Lisbon", weekly_mission_cap=4)
    for item in proposals(RunFactory(project=project), [60] * 3):
        accept_as_rows(item, at=NOW)
    project.missions.update(list=List.DONE)
    plan = plan_run(project, at=NOW)
    assert (plan.deficit, len(plan.picks)) == (5, 1)
    assert [entry.guardrail for entry in plan.skipped] == [Guardrail.WEEK] * 4
    monday = datetime(2026, 11, 23, tzinfo=ZoneInfo("Europe/Lisbon"))
    assert {entry.resets_at for entry in plan.skipped} == {monday}
    assert plan.skipped[0].as_json() == {
        "template": plan.skipped[0].template.pk,
        "name": plan.skipped[0].template.name,
        "guardrail": "weekly_mission_cap",
        "resetsAt": "2026-11-23T00:00:00+00:00",
    }
    assert plan.summary == "1 proposal would be made, 4 skipped."
    assert len(plan_run(project, at=monday).picks) == 4


def test_open_proposals_use_quota_of_week_and_month():
    project = a_project(templates=1, backlog_threshold=9, weekly_mission_cap=4, monthly_target_hours=100)
    proposals(RunFactory(project=project), [60] * 3)
    assert len(plan_run(project, at=NOW).picks) == 1
    project.fallback_config.weekly_mission_cap, project.fallback_config.monthly_target_hours = 100, 5
    project.fallback_config.save()
    plan = plan_run(project, at=NOW)
    assert len(plan.picks) == 2
    assert [entry.guardrail for entry in plan.skipped] == [Guardrail.MONTH]


def test_template_too_long_for_month_is_replaced_by_shorter():
    project = a_project(zone="America/St_Johns", backlog_threshold=3, monthly_target_hours=3)
    TemplateFactory(project=project, name="long", priority=5, estimated_effort_minutes=200)
    TemplateFactory(project=project, name="short", priority=1, estimated_effort_minutes=60)
    plan = plan_run(project, at=NOW)
    assert names(plan.picks) == ["short"] * 3
    (entry,) = plan.skipped
    assert (entry.guardrail, entry.template.name) == (Guardrail.MONTH, "long")
    assert entry.resets_at == datetime(2026, 12, 1, tzinfo=ZoneInfo("America/St_Johns"))


def test_plan_without_enabled_template_skips_with_reason():
    project = a_project()
    TemplateFactory(project=project, enabled=False)
    plan = plan_run(project, at=NOW)
    (entry,) = plan.skipped
    assert entry.as_json() == {"template": None, "name": None, "guardrail": "no_enabled_template", "resetsAt": None}
    assert plan.picks == []


def test_guardrails_of_many_projects_take_two_queries(django_assert_num_queries):
    projects = [a_project(zone=zone, weekly_mission_cap=7) for zone in ("UTC", "Asia/Tokyo", "America/Lima")]
    (item,) = proposals(RunFactory(project=projects[1]), [90])
    accept_as_rows(item, at=NOW)
    without_config = ProjectFactory()
    with django_assert_num_queries(2):
        found = guardrails_of([*projects, without_config], NOW)
    assert [(found[p.pk].week.used, found[p.pk].week.left, found[p.pk].month.used) for p in projects] == [
        (0, 7, 0),
        (1, 6, 90),
        (0, 7, 0),
    ]
    usual = found[without_config.pk]
    assert (usual.week.allowed, usual.month.allowed) == (20, 120 * 60)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at=st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(
        ["UTC", "Europe/Lisbon", "America/St_Johns", "Pacific/Kiritimati", "Pacific/Apia", "Asia/Kathmandu"]
    ),
)
def test_weeks_and_months_match_database(at, zone):
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT date_trunc('week', %(at)s AT TIME ZONE %(zone)s)::date,
                   date_trunc('month', %(at)s AT TIME ZONE %(zone)s)::date""",
            {"at": at, "zone": zone},
        )
        assert cursor.fetchone() == (week_of(at, zone), month_of(at, zone))


def test_quota_texts():
    free = datetime(2026, 11, 23, tzinfo=ZoneInfo("Europe/Lisbon"))
    week = Quota(Guardrail.WEEK, 20, 20, free, "Europe/Lisbon")
    assert week.usage_text == "20 of 20 missions this week"
    assert week.reached_text == (
        "The weekly cap of 20 missions is reached. It resets on Monday 23 November 00:00 (Europe/Lisbon)."
    )
    month = Quota(Guardrail.MONTH, 7140, 7200, free, "Europe/Lisbon")
    assert month.usage_text == "119 of 120 hours this month"
    assert month.reached_text.startswith("1 of the 120 hours of this month are left, less than this needs.")
    lowered = Quota(Guardrail.WEEK, 9, 5, free, "UTC")
    assert lowered.left == 0
    assert [format_hours(minutes) for minutes in (0, 60, 90, 100, 720_000)] == ["0", "1", "1.5", "1.7", "12,000"]


# --- Inactive ---------------------------------------------------------------------------------


def archived(project):
    archive_project(actor=Member.objects.system(), project=project)


def organization_off(project):
    project.organization.fallback_enabled = False
    project.organization.save()


def project_off(project):
    project.fallback_enabled = False
    project.save()


def not_rolled_out(project):
    project.organization.fallback_rollout_percent = project.rollout_bucket
    project.organization.save()


def paused(project):
    project.fallback_config.status = ConfigStatus.PAUSED
    project.fallback_config.save()


def snoozed(project):
    project.fallback_config.status, project.fallback_config.snoozed_until = ConfigStatus.SNOOZED, NOW + timedelta(1)
    project.fallback_config.save()


OFF = {
    archived: "The project is archived.",
    organization_off: "The fallback is switched off for the organisation.",
    project_off: "The fallback is switched off for this project.",
    not_rolled_out: "of projects, not to this one.",
    paused: "The fallback is paused. Resume it first.",
    snoozed: "The fallback is snoozed until 20 November 2026",
}


def due(at=NOW) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT project_id FROM due_fallback_projects(%s)", [at])
        return {project for (project,) in cursor.fetchall()}


@pytest.mark.seed("004 a project's mission fallback settings")
@pytest.mark.parametrize("switch_off", OFF, ids=lambda switch: switch.__name__)
def test_inactive_project_has_empty_plan_and_is_not_due(switch_off):
    project = a_project(templates=2)
    assert due() == {project.pk}
    switch_off(project)
    project = type(project).objects.select_related("organization").get(pk=project.pk)
    plan = plan_run(project, at=NOW)
    assert OFF[switch_off] in plan.inactive_reason == plan.summary
    assert (plan.picks, plan.skipped) == ([], [])
    assert due() == set()


def test_passed_snooze_is_active():
    project = a_project(templates=2)
    snoozed(project)
    until = NOW + timedelta(1)
    assert due(until - timedelta(seconds=1)) == set()
    assert due(until) == {project.pk}
    assert plan_run(project, at=until).inactive_reason == ""
    assert len(plan_run(project, at=until).picks) == 5


@pytest.mark.seed("004 Migration 5")
def test_roll_out_only_adds_projects_and_matches_plan():
    projects = [a_project() for _number in range(12)]
    before = set()
    for percent in (0, 1, 25, 50, 75, 99, 100):
        for project in projects:
            project.organization.fallback_rollout_percent = percent
            project.organization.save()
        now = due()
        assert now == {p.pk for p in projects if not plan_run(p, at=NOW).inactive_reason}
        assert before <= now
        before = now
    assert len(before) == 12
    assert all(0 <= project.rollout_bucket < 100 for project in projects)


# --- Read-only --------------------------------------------------------------------------------


@pytest.mark.seed("004 fair template choice, skipped templates and until when, auto-accept, dry run")
@pytest.mark.django_db(transaction=True)
def test_plan_writes_nothing():
    project = a_project(templates=3, weekly_mission_cap=2)
    with transaction.atomic(), connection.cursor() as cursor:
        plan = plan_run(project)
        # PostgreSQL assigns a transaction id at the first write or row lock.
        cursor.execute("SELECT pg_current_xact_id_if_assigned()")
        assert cursor.fetchone() == (None,)
    assert (len(plan.picks), len(plan.skipped)) == (2, 3)


def test_last_use_and_record_match_rows():
    template = TemplateFactory()
    never = MissionFallbackTemplate.objects.with_record().get(pk=template.pk)
    assert (never.last_used_at, never.accepted_count, never.discarded_count, never.proposed_count) == (None, 0, 0, 0)
    used(template, at=NOW, status=ItemStatus.ACCEPTED)
    used(template, at=NOW - timedelta(days=3))
    again = MissionFallbackTemplate.objects.with_record().get(pk=template.pk)
    assert (again.last_used_at, again.accepted_count, again.discarded_count) == (NOW, 1, 1)
    assert week_of(NOW, "UTC") == date(2026, 11, 16)
