"""The rights of a member in projects.

Staff with the permission `fallback.every_project` have the rights of their other permissions in all projects. Other
members have the rights of their role in the project, or else of their role in the organisation.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cached_property

from django.db.models import Q, QuerySet, Value
from django.utils.translation import gettext

from fallback.models import Organization, OrganizationMembership, Project, ProjectMember
from fallback.models.choices import OrganizationRole, Privacy, ProjectRole
from groups.models import Member
from missionsite.common.errors import NotAllowed


class Right(IntEnum):
    """A right in a project. Each includes the ones before it."""

    VIEW = 1
    CONTRIBUTE = 2
    REVIEW = 3
    MAINTAIN = 4


_BY_ROLE = {
    ProjectRole.VIEWER: Right.VIEW,
    ProjectRole.CONTRIBUTOR: Right.CONTRIBUTE,
    ProjectRole.REVIEWER: Right.REVIEW,
    ProjectRole.MAINTAINER: Right.MAINTAIN,
}
# The permission each further right needs from staff with EVERY_PROJECT.
_BY_PERMISSION = (
    (Right.MAINTAIN, "fallback.change_project"),
    (Right.REVIEW, "fallback.review_missionfallbackitem"),
    (Right.CONTRIBUTE, "fallback.change_mission"),
)
EVERY_PROJECT = "fallback.every_project"


class Rights:
    """The rights of one member. They are read once, so keep an instance for one request only."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.in_every_project: set[Right] = set()
        self._may_view: bool | None = None
        if member.is_active and member.is_staff and member.has_perm(EVERY_PROJECT):
            self.in_every_project = {Right.VIEW} | {right for right, name in _BY_PERMISSION if member.has_perm(name)}

    def allows(self, right: Right, project: Project) -> bool:
        """Whether the member has a right in a project."""
        if right in self.in_every_project:
            return True
        own = self._in_projects.get(project.pk)
        if own is None:
            own = self._in_organizations.get(project.organization_id)
            if own == Right.VIEW and project.privacy != Privacy.ORGANIZATION:
                own = None
        return own is not None and own >= right

    def check(self, right: Right, project: Project) -> None:
        """Raise NotAllowed unless the member has a right in a project."""
        if not self.allows(right, project):
            raise NotAllowed(gettext("Your role in this project does not allow this."))

    def in_any_project(self, right: Right) -> bool:
        """Whether the member has a right in at least one project. True for staff with the right in every project."""
        if right in self.in_every_project:
            return True
        if any(own >= right for own in self._in_projects.values()):
            return True
        if any(own >= right and own > Right.VIEW for own in self._in_organizations.values()):
            return True
        # A member of an organisation may see none of its projects: all may be private.
        if self._may_view is None:
            self._may_view = bool(self._in_organizations) and self.projects().exists()
        return right == Right.VIEW and self._may_view

    def project_filter(self, right: Right, *, path: str = "") -> Q:
        """The condition that the member has a right in a row's project. path: `project__` from a row."""
        if right in self.in_every_project:
            return Q()
        named = [pk for pk, own in self._in_projects.items() if own >= right]
        maintained = [pk for pk, own in self._in_organizations.items() if own >= right and own > Right.VIEW]
        looked_at = [pk for pk, own in self._in_organizations.items() if own == right == Right.VIEW]
        inherited = Q(**{f"{path}organization__in": maintained}) | Q(
            **{f"{path}organization__in": looked_at, f"{path}privacy": Privacy.ORGANIZATION}
        )
        key = f"{path}pk__in" if not path else f"{path.removesuffix('__')}__in"
        # A role in the project overrides the role from the organisation.
        return Q(**{key: named}) | (inherited & ~Q(**{key: list(self._in_projects)}))

    def maintained_organizations(self) -> list[str] | None:
        """Ids of the organisations that the member owns or administers; None for staff who maintain all."""
        if Right.MAINTAIN in self.in_every_project:
            return None
        return [pk for pk, own in self._in_organizations.items() if own == Right.MAINTAIN]

    def projects(self, right: Right = Right.VIEW) -> QuerySet[Project]:
        """The projects in which the member has a right."""
        return Project.objects.filter(self.project_filter(right))

    @cached_property
    def _roles(self) -> tuple[dict[str, Right], dict[str, Right]]:
        """The rights from roles: by project, and by organisation."""
        in_projects: dict[str, Right] = {}
        in_organizations: dict[str, Right] = {}
        if not self.member.is_active:
            return in_projects, in_organizations
        # One query, because every page of the back office needs it.
        projects = ProjectMember.objects.filter(member=self.member).order_by()
        organizations = OrganizationMembership.objects.filter(member=self.member).order_by()
        rows = projects.values_list(Value(True), "project_id", "role").union(
            organizations.values_list(Value(False), "organization_id", "role"), all=True
        )
        for is_project, pk, role in rows:
            if is_project:
                in_projects[pk] = _BY_ROLE[role]
            else:
                in_organizations[pk] = Right.VIEW if role == OrganizationRole.MEMBER else Right.MAINTAIN
        return in_projects, in_organizations

    @property
    def _in_projects(self) -> dict[str, Right]:
        return self._roles[0]

    @property
    def _in_organizations(self) -> dict[str, Right]:
        return self._roles[1]


def maintains_organization(member: Member, organization: Organization) -> bool:
    """Whether a member may change an organisation: owners, administrators, and staff who maintain all projects."""
    if not member.is_active:
        return False
    if Right.MAINTAIN in Rights(member).in_every_project:
        return True
    return OrganizationMembership.objects.filter(
        member=member, organization=organization, role__in=(OrganizationRole.OWNER, OrganizationRole.ADMIN)
    ).exists()
