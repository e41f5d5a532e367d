"""Each rule that Python and SQL both state: the two agree in all cases."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import get_args

import pytest
from django.db import connection

from fallback import rules
from fallback.admin.review_actions import DiscardForm
from fallback.api import base
from fallback.models import Mission, MissionFallbackAllowance, MissionFallbackConfig, Project
from fallback.models.choices import ConfigStatus, DiscardReason, ItemStatus, List, ProjectStatus, RunStatus
from fallback.selectors.guardrails import guardrails_of
from fallback.selectors.missions import backlogs_of
from fallback.selectors.planning import backlog_of, inactive_reason
from tests.support.database import row, rows
from tests.support.factories.fallback import (
    ConfigFactory,
    ItemFactory,
    MissionFactory,
    OrganizationFactory,
    ProjectFactory,
    accept_as_rows,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SNOOZES = (
    {"status": ConfigStatus.ACTIVE},
    {"status": ConfigStatus.PAUSED},
    {"status": ConfigStatus.SNOOZED, "snoozed_until": NOW},
    {"status": ConfigStatus.SNOOZED, "snoozed_until": NOW + timedelta(seconds=1)},
)


def due_projects() -> dict[str, int]:
    """The backlog of each project whose check is due, by project id, as SQL finds them."""
    return dict(rows("SELECT project_id, backlog_count FROM due_fallback_projects(%s)", [NOW]))


def test_api_names_choices():
    assert get_args(base.ListName) == tuple(List.values)
    assert get_args(base.ItemStatusName) == tuple(ItemStatus.values)
    assert get_args(base.RunStatusName) == tuple(RunStatus.values)
    # The site sets the reason of a cancelled run.
    assert {*get_args(base.ReasonName), DiscardReason.RUN_CANCELLED} == set(DiscardReason.values)
    assert list(DiscardForm().fields["reason"].choices) == [("", ""), *DiscardReason.of_reviewers()]


def test_check_and_plan_agree_on_active_projects():
    for enabled, percent in product((True, False), (0, 1, 50, 99, 100)):
        organization = OrganizationFactory(fallback_enabled=enabled, fallback_rollout_percent=percent)
        for on, status, config in product((True, False), ProjectStatus, SNOOZES):
            project = ProjectFactory(organization=organization, fallback_enabled=on, status=status)
            ConfigFactory(project=project, **config)
    configs = MissionFallbackConfig.objects.select_related("project__organization")
    active = {config.project_id for config in configs if not inactive_reason(config.project, config, NOW)}
    assert set(due_projects()) == active
    assert 0 < len(active) < configs.count()
    buckets = set(Project.objects.values_list("rollout_bucket", flat=True))
    assert min(buckets) < 50 <= max(buckets)


def test_check_pages_and_plan_count_same_backlog():
    config = ConfigFactory(backlog_threshold=100)
    project = config.project
    blocker = MissionFactory(project=project, ready=False)
    expected = set()
    for in_list, ready, blocked in product(List, (True, False), (True, False)):
        mission = MissionFactory(project=project, list=in_list, ready=ready)
        if blocked:
            mission.dependencies.create(depends_on=blocker)
        if in_list == List.TODO and ready and not blocked:
            expected.add(mission)
    assert set(Mission.objects.filter(project=project, **rules.BACKLOG)) == expected
    assert backlog_of(project, up_to=100) == len(expected) == 1
    assert backlogs_of([project.pk]) == {project.pk: (1, 100)}
    assert due_projects() == {project.pk: 1}


def test_trigger_and_pages_use_same_default_caps():
    item = ItemFactory()
    assert not MissionFallbackConfig.objects.filter(project=item.project).exists()
    accept_as_rows(item, at=NOW)
    allowed = dict(MissionFallbackAllowance.objects.filter(project=item.project).values_list("period", "allowed"))
    assert allowed == {"week": rules.DEFAULT_WEEKLY_MISSION_CAP, "month": rules.DEFAULT_MONTHLY_TARGET_HOURS * 60}
    guardrails = guardrails_of([item.project], NOW)[item.project.pk]
    assert {"week": guardrails.week.allowed, "month": guardrails.month.allowed} == allowed


def test_columns_have_same_defaults_as_models():
    project = ProjectFactory()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO mission_fallback_configs (project_id) VALUES (%s)", [project.pk])
    fields = ("backlog_threshold", "check_cadence_minutes", "monthly_target_hours", "weekly_mission_cap")
    stored = row(f"SELECT {', '.join(fields)} FROM mission_fallback_configs WHERE project_id = %s", [project.pk])
    assert stored == tuple(getattr(rules, f"DEFAULT_{field.upper()}") for field in fields)
    assert stored == tuple(getattr(MissionFallbackConfig(), field) for field in fields)


def test_every_status_of_run_is_open_or_ended():
    assert sorted([*rules.OPEN_RUN_STATUSES, *rules.ENDED_RUN_STATUSES]) == sorted(RunStatus.values)
