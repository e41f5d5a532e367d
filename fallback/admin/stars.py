"""Stars of the user on projects and board missions: the actions, and the page that lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from fallback.admin.base import LIST, ProjectAction, member_of, rights_of
from fallback.models import Mission, Project
from fallback.selectors.rights import Right
from fallback.selectors.stars import starred_missions, starred_projects
from fallback.services.stars import set_star
from missionsite.common.admin.actions import post_action, valid_values
from missionsite.common.admin.form_keys import FormResult
from missionsite.common.admin.formats import badge

# Shown of each kind, the latest ones.
SHOWN = 200


class StarForm(forms.Form):
    project = forms.CharField(max_length=26, required=False)
    mission = forms.CharField(max_length=26, required=False)


def _is_starred(request: HttpRequest, obj: Model) -> bool:
    """Whether the user has starred a project or mission; read once per request."""
    known: dict = request.__dict__.setdefault("_fallback_stars", {})
    if obj.pk not in known:
        stars: Any = obj.stars  # type: ignore[attr-defined]
        known[obj.pk] = stars.filter(member=member_of(request)).exists()
    return known[obj.pk]


@dataclass(frozen=True)
class StarAction(ProjectAction):
    """Adds or removes the user's star; only the one that changes something is shown."""

    right: Right = Right.VIEW
    starred: bool = True

    def allowed_on(self, request: HttpRequest, obj: Any) -> bool:
        return super().allowed_on(request, obj) and _is_starred(request, obj) != self.starred


def star_actions(**options: Any) -> tuple[StarAction, StarAction]:
    """The two actions of a project or mission. options: of ProjectAction."""
    return (
        StarAction(
            name="star",
            title=_("Star"),
            success_message=_("starred"),
            run=lambda obj, actor, values: set_star(actor=actor, subject=obj, starred=True),
            permission="",
            help_text=_("Starred projects and missions are listed under “Starred”. Moves of a starred mission notify."),
            icon="star",
            **options,
        ),
        StarAction(
            name="unstar",
            title=_("Remove star"),
            success_message=_("no longer starred"),
            run=lambda obj, actor, values: set_star(actor=actor, subject=obj, starred=False),
            permission="",
            icon="star_half",
            starred=False,
            **options,
        ),
    )


def starred_view(request: HttpRequest) -> HttpResponse:
    """The starred projects and missions that the user can view, latest star first."""
    member, rights = member_of(request), rights_of(request)
    projects, missions = starred_projects(member, rights)[:SHOWN], starred_missions(member, rights)[:SHOWN]
    context = {
        "title": gettext("Starred"),
        "projects": projects,
        "missions": [{"mission": each, "badge": badge(each.get_list_display(), LIST[each.list])} for each in missions],
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, "fallback/starred.html", {**admin.site.each_context(request), **context})


def _back(**parts: str) -> str:
    return reverse("admin:fallback_starred")


@post_action(back=_back)
def unstar_view(request: HttpRequest) -> FormResult:
    """Remove a star in the list."""
    values = valid_values(StarForm(request.POST), with_label=True)
    subject: Project | Mission | None = None
    if values["project"]:
        subject = Project.objects.filter(pk=values["project"], stars__member=member_of(request)).first()
    elif values["mission"]:
        subject = Mission.objects.filter(pk=values["mission"], stars__member=member_of(request)).first()
    if subject is None:
        raise Http404(gettext("This is not starred."))
    set_star(actor=member_of(request), subject=subject, starred=False)
    return FormResult(_back(), gettext("Star removed."))
