"""The tab "Rights" of a member: why they may do something, and why not."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from django.apps import apps
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from fallback.models import OrganizationMembership, ProjectMember
from groups.models import Member
from missionsite.common.accounts.factors import lacks_factor
from missionsite.common.admin.extensions import register_tab
from missionsite.common.admin.tabs import CustomTab
from missionsite.common.annotations import StrOrPromise
from missionsite.roles import assignable_permissions


class Right(NamedTuple):
    """A permission. has: whether the member has it. roles: those of the member that give it, or else all that would."""

    name: str
    has: bool
    roles: tuple[str, ...]


def rights_of(member: Member) -> list[tuple[str, list[Right]]]:
    """Every permission that a role can have, by the app it belongs to; from roles alone, in two queries."""
    own = {role.pk for role in member.groups.all()}
    roles: dict[int, list[Group]] = defaultdict(list)
    for role in Group.objects.order_by("name").prefetch_related("permissions"):
        for permission in role.permissions.all():
            roles[permission.pk].append(role)
    found: dict[str, list[Right]] = defaultdict(list)
    permissions = assignable_permissions().order_by("content_type__app_label", "content_type__model", "codename")
    for permission in permissions:
        given = [role.name for role in roles[permission.pk] if role.pk in own]
        other = [role.name for role in roles[permission.pk]]
        app = str(apps.get_app_config(permission.content_type.app_label).verbose_name)
        has = bool(given) or member.is_superuser
        found[capfirst(app)].append(Right(permission.name.removeprefix("Can "), has, tuple(given or other)))
    return list(found.items())


def obstacles_of(member: Member) -> list[StrOrPromise]:
    """What keeps a member from using rights that roles give."""
    found: list[StrOrPromise] = []
    if not member.is_active:
        found.append(_("The account is deactivated: it cannot log in."))
    if not member.is_staff:
        found.append(_("The member is not staff: roles give no rights until “Staff” is switched on."))
    if lacks_factor(member):
        found.append(_("A role requires a second factor, and the member has none yet: they must set one up first."))
    return found


def _project_roles(member: Member) -> list[tuple[str, str]]:
    """Roles in organisations and projects, which give rights there without a role of the back office."""
    organizations = OrganizationMembership.objects.filter(member=member).select_related("organization")
    projects = ProjectMember.objects.filter(member=member).select_related("project")
    return [
        *((each.organization.name, each.get_role_display()) for each in organizations.order_by("organization__name")),
        *((each.project.name, each.get_role_display()) for each in projects.order_by("project__name")),
    ]


def _context(member: Member, request: HttpRequest) -> dict:
    return {
        "roles": [role.name for role in member.groups.order_by("name")],
        "is_administrator": member.is_superuser,
        "obstacles": obstacles_of(member),
        "rights": rights_of(member),
        "project_roles": _project_roles(member),
    }


register_tab(
    Member,
    CustomTab(
        name="rights",
        title=_("Rights"),
        template="missionsite/rights.html",
        context=_context,
        permission="missionsite.view_role",
    ),
    order=90,
)
