"""Error pages inside the frame of the back office: with the navigation, the search, and whom to ask."""

from __future__ import annotations

import logging
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.template.loader import render_to_string

logger = logging.getLogger(__name__)

# Who can give a role to someone else. Administrators have it.
GRANT = "grant_access"
# Administrators named on a page.
MOST_NAMES = 3
# The permissions of Django's own pages of a model, by the last part of the URL's name.
_VERBS = {"changelist": "view", "change": "view", "history": "view", "add": "add"}


def render_in_frame(request: HttpRequest, template: str, context: dict[str, Any]) -> str | None:
    """Return an error page inside the frame; None for a visitor who is not staff, or if the frame itself fails."""
    try:
        if not (hasattr(request, "user") and admin.site.has_permission(request)):
            return None
        request.current_app = admin.site.name
        frame = {
            **admin.site.each_context(request),
            **context,
            "layout": "admin/error.html",
            "roles": _roles_with(needed_permission(request), request),
            "administrators": _administrators(),
        }
        return render_to_string(template, frame, request)
    except Exception:
        # Whatever made the page fail may make its frame fail, too: the bare page needs nothing.
        logger.exception("The frame of an error page could not be rendered.")
        return None


def needed_permission(request: HttpRequest) -> str:
    """Return the permission that the page of a model needs, as `app.codename`; "" if that is not known."""
    match = request.resolver_match
    model_admin = getattr(match.func, "model_admin", None) if match else None
    if match is None or model_admin is None:
        return ""
    opts = model_admin.opts
    name = (match.url_name or "").removeprefix(f"{opts.app_label}_{opts.model_name}_")
    if verb := _VERBS.get(name):
        return f"{opts.app_label}.{verb}_{opts.model_name}"
    specs = [*getattr(model_admin, "object_actions", ()), *getattr(model_admin, "all_tabs", ())]
    return next((spec.permission for spec in specs if spec.name == name), "")


def _roles_with(permission: str, request: HttpRequest) -> list[str]:
    """The names of the roles with a permission that the visitor lacks."""
    if not permission or request.user.has_perm(permission):
        return []
    app, codename = permission.split(".", 1)
    roles = Group.objects.filter(permissions__content_type__app_label=app, permissions__codename=codename)
    return list(roles.order_by("name").values_list("name", flat=True).distinct())


def _administrators() -> list[Any]:
    """Members who can give roles, by name."""
    people = get_user_model()._default_manager.filter(is_active=True, groups__permissions__codename=GRANT)
    return list(people.distinct().order_by("display_name", "pk")[:MOST_NAMES])
