"""The library of templates: the page that lists it, copying from it, and taking over what changed at an origin."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from fallback.admin.base import ProjectAction, member_of, rights_of
from fallback.admin.formats import format_effort
from fallback.models import MissionFallbackTemplate, Project
from fallback.models.choices import Priority, ProjectStatus
from fallback.selectors.library import Change, changes_at_origin, copy_of, published_templates
from fallback.selectors.rights import Right
from fallback.services.library import copy_template, publish_template, take_over_changes
from missionsite.common.admin import ActionForm
from missionsite.common.admin.actions import form_page
from missionsite.common.admin.form_keys import FormResult

# Shown of the library.
SHOWN = 200
LABELS = {
    "name": _("Name"),
    "description": _("Description"),
    "acceptance_criteria": _("Acceptance criteria"),
    "priority": _("Priority"),
    "estimated_effort_minutes": _("Estimated effort"),
    "tags": _("Tags"),
}


class CopyForm(forms.Form):
    project = forms.ModelChoiceField(
        Project.objects.none(),
        label=_("Project"),
        widget=UnfoldAdminSelectWidget,
        help_text=_("The copy is disabled at first, with the first flow, actor and repository of the project."),
    )


class TakeOverForm(ActionForm):
    """The fields to take over; the others are not shown again."""

    fields_to_take = forms.MultipleChoiceField(
        label=_("Take over"), required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    def __init__(self, data: Any = None, *, obj: MissionFallbackTemplate | None = None, **kwargs: Any) -> None:
        super().__init__(data, obj=obj, **kwargs)
        changes = changes_at_origin(copy_of(obj)) if obj else []
        field = cast(forms.MultipleChoiceField, self.fields["fields_to_take"])
        field.choices = [(each.field, LABELS[each.field]) for each in changes]
        # What was edited here is kept unless it is chosen.
        field.initial = [each.field for each in changes if not each.is_own]


def _shown(field: str, value: Any) -> str:
    if field == "priority":
        return str(Priority(value).label) if value in Priority.values else ""
    if field == "estimated_effort_minutes":
        return format_effort(value) if value else ""
    return ", ".join(value) if isinstance(value, list) else str(value or "")


def difference(before: str, after: str) -> SafeString:
    """Both texts in one, with what was removed and added marked word by word."""
    old, new = before.split(), after.split()
    parts = []
    for kind, first, last, start, end in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(format_html("{}", " ".join(old[first:last])))
            continue
        if first < last:
            parts.append(format_html("<del>{}</del>", " ".join(old[first:last])))
        if start < end:
            parts.append(format_html("<ins>{}</ins>", " ".join(new[start:end])))
    return format_html_join(" ", "{}", ((part,) for part in parts))


def _change(change: Change) -> dict:
    return {
        "label": LABELS[change.field],
        "difference": difference(_shown(change.field, change.before), _shown(change.field, change.after)),
        "own": _shown(change.field, change.own) if change.is_own else "",
    }


def _details(request: HttpRequest, template: MissionFallbackTemplate) -> str:
    copy = copy_of(template)
    changes = [_change(each) for each in changes_at_origin(copy)]
    return render_to_string("fallback/_origin_changes.html", {"changes": changes, "copy": copy})


def origin_text(template: MissionFallbackTemplate) -> str:
    """Where a template was copied from, and whether that has changed."""
    copy = copy_of(template)
    if copy is None:
        return ""
    if copy.origin is None or copy.origin.published_at is None:
        return gettext("The library, from which it was withdrawn")
    name = f"{copy.origin.name} ({copy.origin.project.organization.name})"
    if changes_at_origin(copy):
        link = reverse("admin:fallback_missionfallbacktemplate_take-over", args=[template.pk])
        return format_html('{}: <a class="row-link" href="{}">{}</a>', name, link, gettext("changed, see what"))
    return name


ACTIONS: tuple[ProjectAction[MissionFallbackTemplate], ...] = (
    ProjectAction(
        name="publish",
        title=_("Publish in library"),
        success_message=_("published"),
        run=lambda template, actor, values: publish_template(actor=actor, template=template),
        permission="",
        available=lambda template: template.published_at is None,
        help_text=_(
            "All organisations of this site see its name, text, effort, tags and the name of your organisation, and"
            " can copy it."
        ),
        icon="share",
    ),
    ProjectAction(
        name="withdraw",
        title=_("Withdraw from library"),
        success_message=_("withdrawn"),
        run=lambda template, actor, values: publish_template(actor=actor, template=template, published=False),
        permission="",
        available=lambda template: template.published_at is not None,
        help_text=_("Copies stay, without further updates."),
        icon="share_off",
    ),
    ProjectAction(
        name="take-over",
        title=_("Take over changes"),
        success_message=_("up to date with its origin"),
        run=lambda template, actor, values: take_over_changes(
            actor=actor, template=template, fields=values["fields_to_take"]
        ),
        permission="",
        form=TakeOverForm,
        details=_details,
        available=lambda template: bool(changes_at_origin(copy_of(template))),
        help_text=_("Choose what this template takes over. What is not chosen stays, and is not shown again."),
        icon="sync",
    ),
)


def library_view(request: HttpRequest) -> HttpResponse:
    """The templates that organisations share, for those who maintain a project."""
    rights = rights_of(request)
    if not rights.in_any_project(Right.VIEW):
        raise PermissionDenied
    may_copy = rights.in_any_project(Right.MAINTAIN)
    context = {
        "title": gettext("Library of templates"),
        "templates": [
            {
                "template": each,
                "effort": format_effort(each.estimated_effort_minutes),
                "copy_url": reverse("admin:fallback_library_copy", args=[each.pk]) if may_copy else "",
            }
            for each in published_templates()[:SHOWN]
        ],
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, "fallback/library.html", {**admin.site.each_context(request), **context})


def copy_view(model_admin: Any, request: HttpRequest, template_id: str) -> HttpResponse:
    """Copy a template of the library to a project that the user maintains."""
    rights = rights_of(request)
    if not rights.in_any_project(Right.MAINTAIN):
        raise PermissionDenied
    origin = published_templates().filter(pk=template_id).first()
    if origin is None:
        raise Http404(gettext("The library has no such template."))
    form = CopyForm(request.POST if request.method == "POST" else None)
    maintained = rights.projects(Right.MAINTAIN).filter(status=ProjectStatus.ACTIVE).exclude(pk=origin.project_id)
    field = cast(forms.ModelChoiceField, form.fields["project"])
    field.queryset = maintained.order_by("name", "pk")

    def save() -> FormResult:
        made = copy_template(actor=member_of(request), origin=origin, project=form.cleaned_data["project"])
        page = reverse("admin:fallback_missionfallbacktemplate_change", args=[made.pk])
        return FormResult(page, gettext("Copied. Look at its flow, actor and repository, then enable it."))

    buttons = {"submit": gettext("Copy"), "back": reverse("admin:fallback_library")}
    title = gettext("Copy “{template}”").format(template=origin.name)
    return form_page(model_admin, request, form, save, title=title, context=lambda: buttons)
