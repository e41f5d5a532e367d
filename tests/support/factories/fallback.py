"""Factories of the fallback app. Each makes the least valid row.

Linked rows must be of one project: pass `project`, or `run__project` for a proposal.
"""

import factory
from django.db import transaction
from django.utils import timezone

from fallback.models import (
    Actor,
    Flow,
    Mission,
    MissionFallbackConfig,
    MissionFallbackItem,
    MissionFallbackRun,
    MissionFallbackTemplate,
    Organization,
    OrganizationMembership,
    Project,
    ProjectMember,
    ProjectRepository,
)
from fallback.models.choices import DiscardReason, ItemStatus, MissionOrigin, Trigger
from fallback.rules import MAX_OPEN
from tests.support.factories.groups import MemberFactory


class OrganizationFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda n: f"Organisation {n}")
    slug = factory.Sequence(lambda n: f"organisation-{n}")


class OrganizationMembershipFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = OrganizationMembership

    organization = factory.SubFactory(OrganizationFactory)
    member = factory.SubFactory(MemberFactory)


class ProjectFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Project

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Project {n}")
    slug = factory.Sequence(lambda n: f"project-{n}")


class ProjectMemberFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ProjectMember

    project = factory.SubFactory(ProjectFactory)
    member = factory.SubFactory(MemberFactory)


class FlowFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Flow

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda n: f"Flow {n}")


class ActorFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Actor

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda n: f"Actor {n}")


class RepositoryFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ProjectRepository

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda n: f"example/repository-{n}")


def flow_of(project: Project) -> Flow:
    """The first flow of a project, made where it has none."""
    return project.flows.first() or FlowFactory(project=project)


def actor_of(project: Project) -> Actor:
    """The first actor of a project, made where it has none."""
    return project.actors.first() or ActorFactory(project=project)


def repository_of(project: Project) -> ProjectRepository:
    """The first repository of a project, made where it has none."""
    return project.repositories.first() or RepositoryFactory(project=project)


class MissionFactory(factory.django.DjangoModelFactory):
    """A ready mission in Todo."""

    class Meta:
        model = Mission

    project = factory.SubFactory(ProjectFactory)
    title = factory.Sequence(lambda n: f"Mission {n}")
    ready = True


class ConfigFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = MissionFallbackConfig

    project = factory.SubFactory(ProjectFactory)


class TemplateFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = MissionFallbackTemplate

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda n: f"Template {n}")
    flow = factory.LazyAttribute(lambda row: flow_of(row.project))
    actor = factory.LazyAttribute(lambda row: actor_of(row.project))
    repository = factory.LazyAttribute(lambda row: repository_of(row.project))
    estimated_effort_minutes = 60
    # One template fills a backlog; tests of the limit set their own.
    max_open = MAX_OPEN[1]


class RunFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = MissionFallbackRun

    project = factory.SubFactory(ProjectFactory)
    triggered_by = Trigger.MANUAL


class ItemFactory(factory.django.DjangoModelFactory):
    """An open proposal."""

    class Meta:
        model = MissionFallbackItem

    run = factory.SubFactory(RunFactory)
    project = factory.SelfAttribute("run.project")
    template = factory.SubFactory(TemplateFactory, project=factory.SelfAttribute("..project"))
    title = factory.Sequence(lambda n: f"Proposal {n}")
    flow = factory.SelfAttribute("template.flow")
    actor = factory.SelfAttribute("template.actor")
    repository = factory.SelfAttribute("template.repository")


def accept_as_rows(item: MissionFallbackItem, *, at=None) -> Mission:
    """Accept a proposal by writing both rows, without a service.

    at: time of the review; now by default.
    """
    with transaction.atomic():
        mission = MissionFactory(
            project=item.project, title=item.title, origin=MissionOrigin.FALLBACK, fallback_item=item
        )
        item.status, item.mission, item.reviewed_at = ItemStatus.ACCEPTED, mission, at or timezone.now()
        item.save()
    return mission


def discard_as_rows(*items: MissionFallbackItem) -> None:
    """Discard proposals in one statement, without a service."""
    MissionFallbackItem.objects.filter(pk__in=[item.pk for item in items]).update(
        status=ItemStatus.DISCARDED, reason=DiscardReason.NOT_NEEDED, reviewed_at=timezone.now(), mission=None
    )


def take_back_as_rows(item: MissionFallbackItem) -> None:
    """Undo an acceptance without a service: delete the mission, reopen the proposal."""
    with transaction.atomic():
        Mission.objects.filter(fallback_item=item).delete()
        MissionFallbackItem.objects.filter(pk=item.pk).update(status=ItemStatus.PROPOSED, reviewed_at=None)
