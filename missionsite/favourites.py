"""Favourites: pages of the back office that a member has marked with a star.

Only the address is stored. The name of the page is read when the list is, so that it is the present one, and is missing
when the member may no longer see the page or the person was erased.
"""

from __future__ import annotations

import re
from typing import Any, cast

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import Resolver404, resolve
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.sites import UnfoldAdminSite

from groups.models import Member
from missionsite.common.admin.actions import post_action
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.errors import DomainError
from missionsite.common.transactions import service
from missionsite.models import Favourite

# Favourites of a member.
MOST = 20
# An address of the back office, as a browser sends it.
_PATH = re.compile(r"/admin/[!-~]{0,300}")


class FavouriteRejected(DomainError):
    """The address is not that of a page of the back office that the member may open."""

    message = _("Only pages of the back office can be favourites.")
    code = "favourite_rejected"
    status = 422


class TooManyFavourites(DomainError):
    """A member has as many favourites as the sidebar shows."""

    message = _("You have {most} favourites. Remove one first.")
    code = "too_many_favourites"
    status = 409


@service
def add_favourite(*, actor: Member, path: str) -> None:
    """Mark a page. Raises TooManyFavourites. Marking it again changes nothing."""
    if Favourite.objects.filter(member=actor).exclude(path=path).count() >= MOST:
        raise TooManyFavourites(TooManyFavourites.message.format(most=MOST))
    Favourite.objects.get_or_create(member=actor, path=path)


@service
def remove_favourite(*, actor: Member, path: str) -> None:
    """Remove the mark of a page, if it has one."""
    Favourite.objects.filter(member=actor, path=path).delete()


def favourites_of(request: HttpRequest) -> list[dict[str, str]]:
    """The favourites of a member, oldest first, as address and name; without those that the member may not see."""
    member = cast(Member, request.user)
    names = _navigation_names(request)
    paths = Favourite.objects.filter(member=member).order_by("created_at", "pk").values_list("path", flat=True)
    return [{"path": path, "name": name} for path in paths if (name := name_of(request, path, names))]


def name_of(request: HttpRequest, path: str, names: dict[str, str]) -> str:
    """The name of a page, such as "Apollo · Board"; "" if there is none, or the member may not see it."""
    if path in names:
        return names[path]
    try:
        match = resolve(path)
    except Resolver404:
        return ""
    model_admin: Any = getattr(match.func, "model_admin", None)
    key = next((match.kwargs[name] for name in match.kwargs if name.endswith("_id")), None)
    if model_admin is None or key is None or not model_admin.has_view_permission(request):
        return ""
    request_match, request.resolver_match = request.resolver_match, match
    try:
        # The list of the admin decides which objects its pages show.
        found = model_admin.get_object(request, key)
    finally:
        request.resolver_match = request_match
    if found is None or not model_admin.has_view_permission(request, found):
        return ""
    tabs = {
        f"{model_admin.opts.app_label}_{model_admin.opts.model_name}_{tab.name}": tab for tab in model_admin.all_tabs
    }
    tab = tabs.get(match.url_name or "")
    if tab and not tab.allowed(request):
        return ""
    return f"{found} · {tab.title}" if tab else str(found)


def _navigation_names(request: HttpRequest) -> dict[str, str]:
    groups = cast(UnfoldAdminSite, admin.site).get_sidebar_list(request)
    return {
        str(item["link"]): capfirst(str(item["title"]))
        for group in groups
        for item in group["items"]
        if item["has_permission"]
    }


@require_safe
def list_view(request: HttpRequest) -> HttpResponse:
    """The favourites of the member, as JSON."""
    return JsonResponse({"favourites": favourites_of(request)}, headers={"Cache-Control": "no-store"})


@post_action()
def mark_view(request: HttpRequest) -> FormResult:
    """Mark the page `path`, or with `remove` take the mark away. The answer has all favourites."""
    path = request.POST.get("path", "")
    member = cast(Member, request.user)
    if request.POST.get("remove"):
        remove_favourite(actor=member, path=path)
    elif _PATH.fullmatch(path) and name_of(request, path, _navigation_names(request)):
        add_favourite(actor=member, path=path)
    else:
        raise FavouriteRejected
    return FormResult("/admin/", facts={"favourites": favourites_of(request)})
