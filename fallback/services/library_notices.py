"""Notifies the maintainers of copies that a template of the library has changed."""

from __future__ import annotations

from collections.abc import Collection

from django.utils.translation import gettext_noop

from fallback.models import MissionFallbackTemplate, TemplateCopy
from fallback.models.choices import NotificationKind, ProjectRole
from fallback.selectors.library import CONTENT
from fallback.services.notifications import notify_people
from groups.models import Member


def notify_copies(*, actor: Member, template: MissionFallbackTemplate, changed: Collection[str]) -> None:
    """Notify the maintainers of the copies of a published template whose content changed."""
    if template.published_at is None or not set(changed) & set(CONTENT):
        return
    copies = TemplateCopy.objects.filter(origin=template).select_related("template__project__organization")
    for copy in copies.order_by("template__project_id", "pk"):
        notify_people(
            actor=actor,
            project=copy.template.project,
            roles=(ProjectRole.MAINTAINER,),
            kind=NotificationKind.TEMPLATE_UPDATED,
            title=gettext_noop("A template of the library has changed"),
            payload={"template": copy.template_id},
        )
