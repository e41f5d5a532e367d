"""What a member has starred."""

from __future__ import annotations

from django.db.models import QuerySet

from fallback.models import Mission, Project
from fallback.selectors.rights import Right, Rights
from groups.models import Member


def starred_projects(member: Member, rights: Rights) -> QuerySet[Project]:
    """The starred projects that the member can view, latest star first."""
    rows = Project.objects.filter(rights.project_filter(Right.VIEW), stars__member=member)
    return rows.select_related("organization").order_by("-stars__created_at", "-stars__id")


def starred_missions(member: Member, rights: Rights) -> QuerySet[Mission]:
    """The starred missions that the member can view, latest star first."""
    rows = Mission.objects.filter(rights.project_filter(Right.VIEW, path="project__"), stars__member=member)
    return rows.select_related("project").order_by("-stars__created_at", "-stars__id")
