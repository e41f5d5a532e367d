"""Test data for the fallback's services."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from fallback.models import (
    MissionFallbackAllowance,
    MissionFallbackItem,
    MissionFallbackRun,
    MissionFallbackSample,
    Project,
)
from fallback.models.choices import List
from tests.support.factories.fallback import (
    ConfigFactory,
    ItemFactory,
    ProjectFactory,
    RunFactory,
    TemplateFactory,
    accept_as_rows,
)


def a_project(*, templates: int = 0, zone: str = "UTC", **config) -> Project:
    """A project with a configuration and templates of one hour each."""
    project = ProjectFactory(organization__timezone=zone)
    ConfigFactory(project=project, **config)
    TemplateFactory.create_batch(templates, project=project)
    return project


def proposals(run: MissionFallbackRun, minutes: Iterable[int]) -> list[MissionFallbackItem]:
    """Proposals of a run with these efforts in minutes, in that order."""
    template = run.project.fallback_templates.first() or TemplateFactory(project=run.project)
    MissionFallbackItem.objects.bulk_create(
        ItemFactory.build(run=run, template=template, title=f"Proposal {number:04}", estimated_effort_minutes=effort)
        for number, effort in enumerate(minutes)
    )
    return list(run.items.order_by("title"))


def a_review(count: int, *, minutes: int = 60, **config) -> list[MissionFallbackItem]:
    """Open proposals of one run of a new project."""
    return proposals(RunFactory(project=a_project(**config)), [minutes] * count)


def spent(project: Project) -> dict[tuple[str, str], int]:
    """The used quota of a project, by period and its first day."""
    rows = MissionFallbackAllowance.objects.filter(project=project).values_list("period", "starts_on", "used")
    return {(period, starts.isoformat()): used for period, starts, used in rows if used}


def samples(project) -> list[tuple]:
    """The stored samples of a project's backlog: ready, wanted, time."""
    return list(
        MissionFallbackSample.objects.filter(project=project)
        .order_by("sampled_at")
        .values_list("backlog_count", "backlog_threshold", "sampled_at")
    )


def full_week(project, *, at: datetime) -> None:
    """Use the weekly cap with finished missions."""
    run = RunFactory(project=project, started_at=at - timedelta(days=1))
    for item in proposals(run, [60] * project.fallback_config.weekly_mission_cap):
        accept_as_rows(item, at=at)
    project.missions.update(list=List.DONE)
