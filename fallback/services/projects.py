"""Create and change organisations, projects, their members, repositories, flows, actors and templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fallback.errors import ProjectArchived, RecordTooWeak
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
from fallback.rules import AUTO_ACCEPT_LOWER_BOUND
from fallback.selectors.template_states import acceptance_lower_bound
from fallback.services.library_notices import notify_copies
from fallback.services.locks import lock_rows
from groups.models import Member
from missionsite.common.audit.events import audit, audit_changes
from missionsite.common.changes import apply_changes, as_json, check_fields
from missionsite.common.transactions import service

# What can be added to a project, with its editable fields.
Part = Flow | Actor | ProjectRepository | MissionFallbackTemplate
EDITABLE: dict[type[Part], tuple[str, ...]] = {
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
        "max_open",
        "auto_accept",
        "schedule",
        "schedule_day",
    ),
}
# The limits of a project's board.
BOARD_FIELDS = ("todo_limit", "doing_limit", "review_limit", "stale_after_days", "on_merge")
# The first part of the type of their events.
EVENT_PREFIXES: dict[type[Part], str] = {
    Flow: "flow",
    Actor: "actor",
    ProjectRepository: "repository",
    MissionFallbackTemplate: "template",
}


@service
def create_organization(*, actor: Member, name: str, slug: str, **values: Any) -> Organization:
    """Create an organisation, owned by the actor if that is a person. Raises TimezoneUnknown."""
    check_fields(values, "timezone", "fallback_enabled", "fallback_rollout_percent")
    values = {"name": name, "slug": slug, **values}
    organization = Organization.objects.create(**values)
    _audit_organization("organization.created", actor, organization, changed=_initial(values))
    if not actor.is_system:
        set_organization_role(actor=actor, organization=organization, member=actor, role=OrganizationRole.OWNER)
    return organization


@service
def update_organization(*, actor: Member, organization: Organization, **changes: Any) -> Organization:
    """Change name, short name, time zone and roll-out. Raises TimezoneUnknown."""
    check_fields(changes, "name", "slug", "timezone", "fallback_enabled", "fallback_rollout_percent")
    current = Organization.objects.lock(organization.pk)
    if changed := apply_changes(current, changes):
        _audit_organization("organization.changed", actor, current, changed=changed)
    return current


@service
def set_organization_role(
    *, actor: Member, organization: Organization, member: Member, role: str
) -> OrganizationMembership:
    """Add a member to an organisation, or change the role (of OrganizationRole)."""
    # The lock makes role changes of an organisation sequential, so that the event has the previous role.
    organization = Organization.objects.lock(organization.pk, no_key=True)
    before = OrganizationMembership.objects.filter(organization=organization, member=member).first()
    if before and before.role == role:
        return before
    membership, _made = OrganizationMembership.objects.update_or_create(
        organization=organization, member=member, defaults={"role": role}
    )
    changed = {"role": [before.role if before else None, str(role)]}
    _audit_organization("organization.role_set", actor, organization, member=member, changed=changed)
    return membership


@service
def create_project(*, actor: Member, organization: Organization, name: str, slug: str, **values: Any) -> Project:
    """Create a project with a default fallback configuration. The actor, if a person, becomes maintainer."""
    check_fields(values, "description", "privacy", "fallback_enabled", *BOARD_FIELDS)
    values = {"name": name, "slug": slug, **values}
    project = Project.objects.create(organization=organization, **values)
    maintainer = None if actor.is_system else actor
    if maintainer:
        ProjectMember.objects.create(project=project, member=maintainer, role=ProjectRole.MAINTAINER)
    MissionFallbackConfig.objects.create(project=project)
    audit(
        "project.created",
        actor=actor,
        project=project,
        maintainer=maintainer and maintainer.member_id,
        changed=_initial(values),
    )
    return project


@service
def update_project(*, actor: Member, project: Project, **changes: Any) -> Project:
    """Change name, short name, description, privacy, `fallback_enabled`, and limits of the board."""
    check_fields(changes, "name", "slug", "description", "privacy", "fallback_enabled", *BOARD_FIELDS)
    return _change_project(actor, project, "project.changed", changes)


@service
def archive_project(*, actor: Member, project: Project, reason: str = "") -> Project:
    """Archive a project: it stays readable, without new missions and proposals."""
    return _change_project(actor, project, "project.archived", {"status": ProjectStatus.ARCHIVED}, reason=reason)


@service
def restore_project(*, actor: Member, project: Project, reason: str = "") -> Project:
    """Make an archived project active again."""
    return _change_project(actor, project, "project.restored", {"status": ProjectStatus.ACTIVE}, reason=reason)


@service
def set_project_role(*, actor: Member, project: Project, member: Member, role: str) -> ProjectMember:
    """Add a member to a project, or change the role (of ProjectRole)."""
    lock_rows()
    # The lock makes role changes of a project sequential, so that the event has the previous role.
    project = Project.objects.lock(project.pk, no_key=True)
    before = ProjectMember.objects.filter(project=project, member=member).first()
    if before and before.role == role:
        return before
    membership, _made = ProjectMember.objects.update_or_create(project=project, member=member, defaults={"role": role})
    changed = {"role": [before.role if before else None, str(role)]}
    audit("project.role_set", actor=actor, project=project, member=member.member_id, changed=changed)
    return membership


@service
def remove_from_project(*, actor: Member, membership: ProjectMember) -> None:
    """Remove a member's role in a project; do nothing if it is already removed. A role from the organisation stays."""
    lock_rows()
    current = ProjectMember.objects.select_for_update(of=("self",)).filter(pk=membership.pk).first()
    if current is None:
        return
    audit(
        "project.member_removed",
        actor=actor,
        project=current.project,
        member=current.member.member_id,
        changed={"role": [current.role, None]},
    )
    current.delete()


@service
def add_to_project(*, actor: Member, kind: type[Part], project: Project, values: Mapping[str, Any]) -> Part:
    """Add a flow, an actor, a repository or a template to a project. kind, values: see EDITABLE.

    Raises ProjectArchived, RecordTooWeak, and the errors of the model's constraints.
    """
    check_fields(values, *EDITABLE[kind])
    # A new template has no record.
    if values.get("auto_accept"):
        raise RecordTooWeak
    if Project.objects.filter(pk=project.pk, status=ProjectStatus.ARCHIVED).exists():
        raise ProjectArchived
    added = kind.objects.create(project=project, **values)
    audit(f"{EVENT_PREFIXES[kind]}.added", actor=actor, project=project, id=added.pk, name=added.name)
    return added


@service
def change_in_project(*, actor: Member, instance: Part, changes: Mapping[str, Any]) -> Part:
    """Change a flow, an actor, a repository or a template; see EDITABLE. Raises RecordTooWeak."""
    kind = type(instance)
    check_fields(changes, *EDITABLE[kind])
    lock_rows()
    current = kind.objects.lock(instance.pk, "project")
    if isinstance(current, MissionFallbackTemplate) and changes.get("auto_accept") and not current.auto_accept:
        check_auto_accept(current)
    changed = apply_changes(current, changes)
    audit_changes(
        f"{EVENT_PREFIXES[kind]}.changed", actor=actor, project=current.project, id=current.pk, changed=changed
    )
    if isinstance(current, MissionFallbackTemplate):
        notify_copies(actor=actor, template=current, changed=changed)
    return current


def check_auto_accept(template: MissionFallbackTemplate) -> None:
    """Raise RecordTooWeak unless the proposals of a template may be accepted automatically."""
    if acceptance_lower_bound(template) < AUTO_ACCEPT_LOWER_BOUND:
        raise RecordTooWeak


def _initial(values: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The values of a new row as changes from nothing."""
    return {field: [None, as_json(value)] for field, value in values.items()}


def _change_project(actor: Member, project: Project, type_: str, changes: dict[str, Any], **payload: Any) -> Project:
    current = Project.objects.lock(project.pk)
    audit_changes(type_, actor=actor, project=current, changed=apply_changes(current, changes), **payload)
    return current


def _audit_organization(type_: str, actor: Member, organization: Organization, **fields: Any) -> None:
    """Record a site event about an organisation, which has no activity table."""
    audit(type_, actor=actor, organization=organization.pk, organization_name=organization.name, **fields)
