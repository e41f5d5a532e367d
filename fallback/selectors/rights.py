"""The rights of a member in projects.

Staff with the permission `fallback.every_project` have the rights of their other permissions in all projects. Other
members have the rights of their role in the project, or else of their role in the organisation. A deputy has also those
of an absent member, up to DEPUTY_LIMIT, in the projects that the deputy can view without them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from enum import IntEnum
from functools import cached_property, reduce
from operator import or_
from uuid import UUID

from django.db.models import Q, QuerySet, Value
from django.db.models.expressions import RawSQL
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


# A deputy decides what the absent member may decide, access requests too, but does not change projects.
DEPUTY_LIMIT = Right.REVIEW


def _labelled(roles: Iterable[ProjectRole]) -> list[tuple[str, str]]:
    return [(role.value, str(role.label)) for role in roles]


class _Roles:
    """The rights of one member from roles: by project, and by organisation."""

    def __init__(self) -> None:
        self.in_projects: dict[str, Right] = {}
        self.in_organizations: dict[str, Right] = {}

    def of(self, project: Project) -> Right | None:
        own = self.in_projects.get(project.pk)
        if own is None:
            own = self.in_organizations.get(project.organization_id)
            if own == Right.VIEW and project.privacy != Privacy.ORGANIZATION:
                own = None
        return own

    def condition(self, right: Right, path: str) -> Q:
        """The condition that these roles give a right in a row's project."""
        named = [pk for pk, own in self.in_projects.items() if own >= right]
        maintained = [pk for pk, own in self.in_organizations.items() if own >= right and own > Right.VIEW]
        looked_at = [pk for pk, own in self.in_organizations.items() if own == right == Right.VIEW]
        inherited = Q(**{f"{path}organization__in": maintained}) | Q(
            **{f"{path}organization__in": looked_at, f"{path}privacy": Privacy.ORGANIZATION}
        )
        key = f"{path}pk__in" if not path else f"{path.removesuffix('__')}__in"
        # A role in the project overrides the role from the organisation.
        return Q(**{key: named}) | (inherited & ~Q(**{key: list(self.in_projects)}))


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
        own = self._own.of(project)
        if own is None:
            return False
        return own >= right or (right <= DEPUTY_LIMIT and any((r.of(project) or 0) >= right for r in self._absent))

    def check(self, right: Right, project: Project) -> None:
        """Raise NotAllowed unless the member has a right in a project."""
        if not self.allows(right, project):
            raise NotAllowed(gettext("Your role in this project does not allow this."))

    def in_any_project(self, right: Right) -> bool:
        """Whether the member has a right in at least one project. True for staff with the right in every project."""
        if right in self.in_every_project:
            return True
        if any(own >= right for own in self._own.in_projects.values()):
            return True
        if any(own >= right and own > Right.VIEW for own in self._own.in_organizations.values()):
            return True
        if self._absent and Right.VIEW < right <= DEPUTY_LIMIT:
            return self.projects(right).exists()
        # A member of an organisation may see none of its projects: all may be private.
        if self._may_view is None:
            self._may_view = bool(self._own.in_organizations) and self.projects().exists()
        return right == Right.VIEW and self._may_view

    def project_filter(self, right: Right, *, path: str = "") -> Q:
        """The condition that the member has a right in a row's project. path: `project__` from a row."""
        if right in self.in_every_project:
            return Q()
        own = self._own.condition(right, path)
        if self._absent and Right.VIEW < right <= DEPUTY_LIMIT:
            own |= self._of_absent(right, path)
        return own

    def grantable_roles(self, project: Project) -> list[tuple[str, str]]:
        """The roles that the member can give to who requests access, with labels; none: the member does not decide.

        The deputy of a maintainer decides too, but makes no one a maintainer: that would outlast the absence.
        """
        if self.allows(Right.MAINTAIN, project):
            return _labelled(ProjectRole)
        if self._own.of(project) is None or all((r.of(project) or 0) < Right.MAINTAIN for r in self._absent):
            return []
        return _labelled(role for role in ProjectRole if _BY_ROLE[role] <= DEPUTY_LIMIT)

    def access_filter(self, *, path: str = "") -> Q:
        """The condition that the member decides on the access requests of a row's project."""
        own = self.project_filter(Right.MAINTAIN, path=path)
        # The condition of staff who maintain every project is empty, and must not be narrowed.
        if Right.MAINTAIN in self.in_every_project or not self._absent:
            return own
        return own | self._of_absent(Right.MAINTAIN, path)

    @property
    def may_decide_on_access(self) -> bool:
        """Whether there may be a project whose access requests the member decides on."""
        return self.in_any_project(Right.MAINTAIN) or bool(self._absent)

    def _of_absent(self, right: Right, path: str) -> Q:
        """The condition that an absent member has a right in a row's project that the member can view."""
        of_absent = [roles.condition(right, path) for roles in self._absent]
        return self._own.condition(Right.VIEW, path) & reduce(or_, of_absent)

    def maintained_organizations(self) -> list[str] | None:
        """Ids of the organisations that the member owns or administers; None for staff who maintain all."""
        if Right.MAINTAIN in self.in_every_project:
            return None
        return [pk for pk, own in self._own.in_organizations.items() if own == Right.MAINTAIN]

    def projects(self, right: Right = Right.VIEW) -> QuerySet[Project]:
        """The projects in which the member has a right."""
        return Project.objects.filter(self.project_filter(right))

    @cached_property
    def _roles(self) -> dict[UUID, _Roles]:
        """The roles of the member, and of absent members whose deputy the member is now, by member."""
        found: dict[UUID, _Roles] = defaultdict(_Roles)
        if not self.member.is_active:
            return found
        # One query, because every page of the back office needs it.
        keys = RawSQL("SELECT %s::uuid UNION ALL SELECT members_deputised_by(%s)", [self.member.pk, self.member.pk])
        people = {"member__in": keys, "member__is_active": True}
        projects = ProjectMember.objects.filter(**people).order_by()
        organizations = OrganizationMembership.objects.filter(**people).order_by()
        rows = projects.values_list("member_id", Value(True), "project_id", "role").union(
            organizations.values_list("member_id", Value(False), "organization_id", "role"), all=True
        )
        # Without the default order of the first model, which Django 6.1 gives to a union.
        for member, is_project, pk, role in rows.order_by():
            if is_project:
                found[member].in_projects[pk] = _BY_ROLE[role]
            else:
                is_member = role == OrganizationRole.MEMBER
                found[member].in_organizations[pk] = Right.VIEW if is_member else Right.MAINTAIN
        return found

    @cached_property
    def _own(self) -> _Roles:
        return self._roles[self.member.pk]

    @cached_property
    def _absent(self) -> list[_Roles]:
        return [roles for member, roles in self._roles.items() if member != self.member.pk]


def maintains_organization(member: Member, organization: Organization) -> bool:
    """Whether a member may change an organisation: owners, administrators, and staff who maintain all projects."""
    if not member.is_active:
        return False
    if Right.MAINTAIN in Rights(member).in_every_project:
        return True
    return OrganizationMembership.objects.filter(
        member=member, organization=organization, role__in=(OrganizationRole.OWNER, OrganizationRole.ADMIN)
    ).exists()
