"""Downloads the chats of a client mission."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.utils.text import slugify
from django.utils.translation import gettext

from missiondeck.admin.base import VIEW_PERMISSION, mission_url
from missiondeck.selectors.chats import transcript_as_json, transcript_as_markdown
from missiondeck.selectors.citizens import citizen_names
from missionsite.common.admin import ModelAdmin
from missionsite.common.downloads import download

FORMS = {
    "md": ("text/markdown; charset=utf-8", transcript_as_markdown),
    "json": ("application/json", transcript_as_json),
}


def transcript_view(request: HttpRequest, object_id: str, form: str, *, model_admin: ModelAdmin) -> HttpResponseBase:
    """The chats of a mission as Markdown (md) or JSON (json). citizen: only this citizen, by default all."""
    if not request.user.has_perm(VIEW_PERMISSION):
        raise PermissionDenied
    mission = model_admin.get_object(request, object_id)
    if mission is None:
        return model_admin._get_obj_does_not_exist_redirect(request, model_admin.opts, object_id)
    citizen = request.GET.get("citizen") or None
    if rejection := _rejection(form, citizen):
        messages.error(request, rejection)
        return HttpResponseRedirect(mission_url(mission))
    content_type, write = FORMS[form]
    name = "-".join(filter(None, ["mission", str(mission.number), slugify(mission.title)[:60], citizen]))
    response = download(lambda: write(mission, citizen), name=f"{name}.{form}", content_type=content_type)
    # Prevents browsers from running user-written content as HTML.
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _rejection(form: str, citizen: str | None) -> str:
    if form not in FORMS:
        return gettext("Choose a transcript format: Markdown (md) or JSON (json).")
    if citizen and citizen not in (names := citizen_names()):
        return gettext("Unknown citizen. Choose one of %(labels)s.") % {"labels": ", ".join(names.values())}
    return ""
