"""The library of templates that all organisations share, and what has changed at the origin of a copy."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.db.models.functions import Lower

from fallback.models import MissionFallbackTemplate, TemplateCopy
from fallback.models.choices import ProjectStatus

# What a copy has from its origin; the rest belongs to its project.
CONTENT = ("name", "description", "acceptance_criteria", "priority", "estimated_effort_minutes", "tags")


class Change(NamedTuple):
    """A field that changed at the origin. before: at the copy, or the last update. after: now. own: of the copy."""

    field: str
    before: Any
    after: Any
    own: Any

    @property
    def is_own(self) -> bool:
        """Whether the copy was edited too: taking over the change replaces that."""
        return self.own != self.before


def content_of(template: MissionFallbackTemplate) -> dict[str, Any]:
    return {name: getattr(template, name) for name in CONTENT}


def published_templates() -> QuerySet[MissionFallbackTemplate]:
    """The templates of the library, by name."""
    rows = MissionFallbackTemplate.objects.filter(published_at__isnull=False, project__status=ProjectStatus.ACTIVE)
    return rows.select_related("project__organization").order_by(Lower("name"), "pk")


def copy_of(template: MissionFallbackTemplate) -> TemplateCopy | None:
    """The record of a template that was copied from the library; None for others."""
    return TemplateCopy.objects.filter(template=template).select_related("origin__project__organization").first()


def changes_at_origin(copy: TemplateCopy | None) -> list[Change]:
    """The fields that changed at the origin since the copy or its last update; none of one that is not published."""
    if copy is None or copy.origin is None or copy.origin.published_at is None:
        return []
    own = content_of(copy.template)
    return [
        Change(name, copy.content.get(name), after, own[name])
        for name, after in content_of(copy.origin).items()
        if copy.content.get(name) != after and own[name] != after
    ]
