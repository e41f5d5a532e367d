"""Publish templates to the library, copy them to other projects, and take over what changes at their origin."""

from __future__ import annotations

from collections.abc import Collection

from django.utils import timezone

from fallback.errors import NoChangeAtOrigin, TemplateNeedsParts, TemplateNotPublished
from fallback.models import MissionFallbackTemplate, Project, TemplateCopy
from fallback.selectors.library import changes_at_origin, content_of, copy_of
from fallback.services.locks import lock_rows
from fallback.services.projects import add_to_project, change_in_project
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service


@service
def publish_template(
    *, actor: Member, template: MissionFallbackTemplate, published: bool = True
) -> MissionFallbackTemplate:
    """Publish a template to the library of all organisations, or withdraw it. Copies stay."""
    lock_rows()
    current = MissionFallbackTemplate.objects.lock(template.pk, "project")
    if bool(current.published_at) == published:
        return current
    current.published_at = timezone.now() if published else None
    current.save(update_fields=["published_at"])
    type_ = "template.published" if published else "template.withdrawn"
    audit(type_, actor=actor, project=current.project, id=current.pk, name=current.name)
    return current


@service
def copy_template(*, actor: Member, origin: MissionFallbackTemplate, project: Project) -> MissionFallbackTemplate:
    """Copy a template of the library to a project, disabled, with the first flow, actor and repository of the project.

    Raises TemplateNotPublished, TemplateNeedsParts, ProjectArchived.
    """
    lock_rows()
    origin = MissionFallbackTemplate.objects.lock(origin.pk, "project", no_key=True)
    if origin.published_at is None:
        raise TemplateNotPublished
    parts = {
        "flow": project.flows.order_by("created_at", "pk").first(),
        "actor": project.actors.order_by("created_at", "pk").first(),
        "repository": project.repositories.order_by("created_at", "pk").first(),
    }
    if not all(parts.values()):
        raise TemplateNeedsParts
    content = content_of(origin)
    added = add_to_project(
        actor=actor,
        kind=MissionFallbackTemplate,
        project=project,
        values={**content, **parts, "enabled": False},
    )
    if not isinstance(added, MissionFallbackTemplate):
        raise AssertionError("a template was added")
    TemplateCopy.objects.create(template=added, origin=origin, content=content)
    audit("template.copied", actor=actor, project=project, id=added.pk, name=added.name, origin=origin.name)
    return added


@service
def take_over_changes(
    *, actor: Member, template: MissionFallbackTemplate, fields: Collection[str]
) -> MissionFallbackTemplate:
    """Take over what changed at the origin of a copy: the given fields of CONTENT; other changes are not shown again.

    Raises NoChangeAtOrigin.
    """
    lock_rows()
    current = MissionFallbackTemplate.objects.lock(template.pk, "project")
    copy = copy_of(current)
    changes = changes_at_origin(copy)
    if copy is None or copy.origin is None or not changes:
        raise NoChangeAtOrigin
    taken = {change.field: change.after for change in changes if change.field in fields}
    TemplateCopy.objects.filter(pk=copy.pk).update(content=content_of(copy.origin), updated_at=timezone.now())
    if taken:
        change_in_project(actor=actor, instance=current, changes=taken)
    left = [change.field for change in changes if change.field not in taken]
    audit(
        "template.updated_from_origin",
        actor=actor,
        project=current.project,
        id=current.pk,
        taken=list(taken),
        left=left,
    )
    current.refresh_from_db()
    return current
