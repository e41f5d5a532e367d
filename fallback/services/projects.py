"""Create and change organisations, projects, their members, repositories, flows, actors and templates."""

from __future__ import annotations

from django.db import models

from fallback.errors import ProjectArchived
from fallback.models import (
    Actor,
    Flow,
    MissionFallbackConfig,
    MissionFallbackTemplate,
    Organization,
    OrganizationMembership,
    Project,
    ProjectMember,
    ProjectRepository,
)
from fallback.models.choices import OrganizationRole, ProjectRole, ProjectStatus
from fallback.services.audit import record_activity, set_audit_context
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.changes import apply_changes, as_json, check_fields
from missionsite.common.transactions import service

# Editable fields by model.
EDITABLE: dict[type[models.Model], tuple[str, ...]] = {
    Flow: ("name", "description", "stages"),
    Actor: ("name", "description"),
    ProjectRepository: ("name", "url", "default_branch"),
    MissionFallbackTemplate: (
        "name",
        "description",
        "flow",
        "actor",
        "repository",
        "priority",
        "estimated_effort_minutes",
        "acceptance_criteria",
        "enabled",
        "tags",
    ),
}
# The first part of the type of their events.
EVENT_PREFIXES = {Flow: "flow", Actor: "actor", ProjectRepository: "repository", MissionFallbackTemplate: "template"}


@service
def create_organization(*, name: str, slug: str, actor: Member | None = None, **values) -> Organization:
    """Create an organisation, owned by the actor. Raises TimezoneUnknown."""
    check_fields(values, "timezone", "fallback_enabled", "fallback_rollout_percent")
    values = {"name": name, "slug": slug, **values}
    organization = Organization.objects.create(**values)
    changed = {field: [None, as_json(value)] for field, value in values.items()}
    _record_organization_event("organization.created", organization, actor, changed=changed)
    if actor:
        set_organization_role(organization=organization, member=actor, role=OrganizationRole.OWNER, actor=actor)
    return organization


@service
def update_organization(*, organization: Organization, actor: Member | None = None, **changes) -> Organization:
    """Change name, short name, time zone and roll-out. Raises TimezoneUnknown."""
    check_fields(changes, "name", "slug", "timezone", "fallback_enabled", "fallback_rollout_percent")
    current = Organization.objects.select_for_update().get(pk=organization.pk)
    if changed := apply_changes(current, changes):
        _record_organization_event("organization.changed", current, actor, changed=changed)
    return current


@service
def set_organization_role(*, organization: Organization, member: Member, role: str, actor: Member | None = None):
    """Add a member to an organisation, or change the role (of OrganizationRole)."""
    # The lock makes role changes of an organisation sequential, so that the event has the previous role.
    organization = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    before = OrganizationMembership.objects.filter(organization=organization, member=member).first()
    if before and before.role == role:
        return before
    membership, _made = OrganizationMembership.objects.update_or_create(
        organization=organization, member=member, defaults={"role": role}
    )
    changed = {"role": [before.role if before else None, str(role)]}
    _record_organization_event("organization.role_set", organization, actor, member=member, changed=changed)
    return membership


@service
def create_project(
    *, organization: Organization, name: str, slug: str, actor: Member | None = None, **values
) -> Project:
    """Create a project with a default fallback configuration. The actor becomes maintainer. Raises SlugTaken."""
    check_fields(values, "description", "privacy", "fallback_enabled")
    set_audit_context(actor)
    project = Project.objects.create(organization=organization, name=name, slug=slug, **values)
    if actor:
        ProjectMember.objects.create(project=project, member=actor, role=ProjectRole.MAINTAINER)
    MissionFallbackConfig.objects.create(project=project)
    changed = {field: [None, as_json(value)] for field, value in {"name": name, "slug": slug, **values}.items()}
    record_activity(
        "project.created", project=project, actor=actor, maintainer=actor and actor.member_id, changed=changed
    )
    return project


@service
def update_project(*, project: Project, actor: Member | None = None, **changes) -> Project:
    """Change name, short name, description, privacy and `fallback_enabled`. Raises SlugTaken."""
    check_fields(changes, "name", "slug", "description", "privacy", "fallback_enabled")
    return _change_project(project, actor, "project.changed", changes)


@service
def archive_project(*, project: Project, actor: Member | None = None, reason: str = "") -> Project:
    """Archive a project: it stays readable, without new missions and proposals."""
    return _change_project(project, actor, "project.archived", {"status": ProjectStatus.ARCHIVED}, reason=reason)


@service
def restore_project(*, project: Project, actor: Member | None = None, reason: str = "") -> Project:
    """Make an archived project active again."""
    return _change_project(project, actor, "project.restored", {"status": ProjectStatus.ACTIVE}, reason=reason)


@service
def set_project_role(*, project: Project, member: Member, role: str, actor: Member | None = None) -> ProjectMember:
    """Add a member to a project, or change the role (of ProjectRole)."""
    set_audit_context(actor)
    before = ProjectMember.objects.filter(project=project, member=member).values_list("role", flat=True).first()
    if before == role:
        return ProjectMember.objects.get(project=project, member=member)
    membership, _made = ProjectMember.objects.update_or_create(project=project, member=member, defaults={"role": role})
    changed = {"role": [before, str(role)]}
    record_activity("project.role_set", project=project, actor=actor, member=member.member_id, changed=changed)
    return membership


@service
def remove_from_project(*, membership: ProjectMember, actor: Member | None = None) -> None:
    """Remove a member's role in a project. A role from the organisation stays."""
    set_audit_context(actor)
    current = ProjectMember.objects.select_for_update(of=("self",)).filter(pk=membership.pk).first()
    if current is None:
        return
    record_activity(
        "project.member_removed",
        project=current.project,
        actor=actor,
        member=current.member.member_id,
        changed={"role": [current.role, None]},
    )
    current.delete()


@service
def add_to_project(kind: type[models.Model], *, project: Project, acting_member: Member | None = None, **values):
    """Add a flow, an actor, a repository or a template to a project. kind, values: see EDITABLE.

    Raises ProjectArchived, and the errors of the model's constraints.
    """
    check_fields(values, *EDITABLE[kind])
    set_audit_context(acting_member)
    if Project.objects.filter(pk=project.pk, status=ProjectStatus.ARCHIVED).exists():
        raise ProjectArchived
    added = kind.objects.create(project=project, **values)
    record_activity(f"{EVENT_PREFIXES[kind]}.added", project=project, actor=acting_member, id=added.pk, name=added.name)
    return added


@service
def change_in_project(thing: models.Model, *, acting_member: Member | None = None, **changes):
    """Change a flow, an actor, a repository or a template; see EDITABLE."""
    kind = type(thing)
    check_fields(changes, *EDITABLE[kind])
    set_audit_context(acting_member)
    current = kind.objects.select_for_update(of=("self",)).select_related("project").get(pk=thing.pk)
    if changed := apply_changes(current, changes):
        record_activity(
            f"{EVENT_PREFIXES[kind]}.changed",
            project=current.project,
            actor=acting_member,
            id=current.pk,
            changed=changed,
        )
    return current


def _change_project(project, actor, type_, changes, **payload) -> Project:
    set_audit_context(actor)
    current = Project.objects.select_for_update(of=("self",)).get(pk=project.pk)
    if changed := apply_changes(current, changes):
        record_activity(type_, project=current, actor=actor, changed=changed, **payload)
    return current


def _record_organization_event(
    type_: str, organization: Organization, actor: Member | None, *, member: Member | None = None, **payload
):
    """Record a site event about an organisation, which has no activity table."""
    audit(
        type_, actor=actor, member=member, organization=organization.pk, organization_name=organization.name, **payload
    )
