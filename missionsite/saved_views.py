"""Saved views: a list of the back office with its search, filters, order and columns, under a name.

A view is an address of a list. It shows what the member who opens it may see. Its member may share it with a role.
"""

from __future__ import annotations

import re
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

from django.contrib.auth.models import Group
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.urls import Resolver404, resolve
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from groups.models import Member
from missionsite.common.admin.actions import post_action
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.errors import DomainError, NotAllowed
from missionsite.common.transactions import service
from missionsite.models import SavedView

# Views of a member for one list.
MOST = 20
# Parameters of an address that belong to one visit: page, error, export, pop-up.
_OF_A_VISIT = {"p", "e", "_export", "_popup", "_to_field"}
_LIST = re.compile(r"/admin/[a-z_]+/[a-z_]+/")


class ViewRejected(DomainError):
    """The address is not that of a list that the member may open."""

    message = _("Only lists of the back office can be saved as views.")
    code = "view_rejected"
    status = 422


class TooManyViews(DomainError):
    """A member has as many views of a list as fit above it."""

    message = _("You have {most} views of this list. Delete one first.")
    code = "too_many_views"
    status = 409


def normal_query(query: str) -> str:
    """The parameters of an address that a view stores, in one order, so that equal views have equal texts."""
    pairs = parse_qsl(query.removeprefix("?"), max_num_fields=100)
    return urlencode(sorted((name, value) for name, value in pairs if value and name not in _OF_A_VISIT), safe=",")


@service
def save_view(*, actor: Member, path: str, name: str, query: str, role: Group | None = None) -> SavedView:
    """Save a list under a name; the view of the member with that name is replaced.

    role: also show it to all members of it. Raises TooManyViews, and NotAllowed for a role that the member has not.
    """
    if role and role not in shareable_roles(actor):
        raise NotAllowed
    name = name.strip()
    own = SavedView.objects.filter(member=actor, path=path)
    if own.exclude(name=name).count() >= MOST:
        raise TooManyViews(TooManyViews.message.format(most=MOST))
    view = own.filter(name=name).first() or SavedView(member=actor, path=path, name=name)
    view.query, view.role = normal_query(query), role
    view.save()
    return view


@service
def delete_view(*, actor: Member, view: SavedView) -> None:
    """Delete a view. Raises NotAllowed for a view of another member, unless an administrator deletes a shared one."""
    if view.member_id != actor.pk and not (actor.is_superuser and view.role_id):
        raise NotAllowed
    view.delete()


def shareable_roles(member: Member) -> list[Group]:
    """The roles with which a member may share a view: their own; for an administrator all."""
    return list((Group.objects.all() if member.is_superuser else member.groups.all()).order_by("name"))


def views_of(member: Member, path: str) -> list[SavedView]:
    """The views of a list that a member sees: their own, then those shared with one of their roles."""
    roles = Group.objects.all() if member.is_superuser else member.groups.all()
    found = SavedView.objects.filter(Q(member=member) | Q(role__in=roles), path=path).order_by("name", "pk")
    return sorted(found, key=lambda view: view.member_id != member.pk)


def view_bar(request: HttpRequest) -> dict[str, Any]:
    """What the bar above a list shows: the views, the open one, and what the form that saves one needs."""
    member = cast(Member, request.user)
    views = views_of(member, request.path)
    query = normal_query(request.META.get("QUERY_STRING", ""))
    current = next((view for view in views if view.query == query), None)
    return {
        "views": views,
        "current": current,
        "query": query,
        "roles": shareable_roles(member) if query and not current else [],
        "may_delete": current and (current.member_id == member.pk or member.is_superuser),
    }


def _may_open(request: HttpRequest, path: str) -> bool:
    if not _LIST.fullmatch(path):
        return False
    try:
        model_admin: Any = getattr(resolve(path).func, "model_admin", None)
    except Resolver404:
        return False
    return model_admin is not None and model_admin.has_view_permission(request)


@post_action()
def save(request: HttpRequest) -> FormResult:
    """Save the list `path` with the parameters `query` under `name`, shared with the role `role`."""
    if not _may_open(request, request.POST.get("path", "")):
        raise ViewRejected
    number = request.POST.get("role", "")
    role = Group.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 10 else None
    view = save_view(
        actor=cast(Member, request.user),
        path=request.POST["path"],
        name=request.POST.get("name", ""),
        query=request.POST.get("query", ""),
        role=role,
    )
    return FormResult(view.address, gettext("View “{name}” saved.").format(name=view.name))


@post_action()
def delete(request: HttpRequest, view: int) -> FormResult:
    """Delete a view."""
    saved = SavedView.objects.filter(pk=view).first()
    if saved is None:
        raise Http404(gettext("This view no longer exists."))
    delete_view(actor=cast(Member, request.user), view=saved)
    return FormResult(saved.path, gettext("View “{name}” deleted.").format(name=saved.name))
