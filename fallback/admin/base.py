"""What the pages of this app share: everyone sees and changes the own projects only."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from fallback.models import Project
from fallback.services.rights import Right, Rights
from groups.models import Member
from groups.models.members import SYSTEM_MEMBER_ID
from missionsite.common.admin import Action, ModelAdmin, Search, Tab

LIST = {"todo": "info", "doing": "warning", "review": "primary", "done": "success"}
RUN = {
    "pending": "warning",
    "awaiting_review": "info",
    "completed": "success",
    "cancelled": "default",
    "errored": "danger",
}
ITEM = {"proposed": "info", "accepted": "success", "discarded": "default"}
CONFIG = {"active": "success", "paused": "warning", "snoozed": "info"}
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def rights_of(request: HttpRequest) -> Rights:
    """The rights of who asks, read once a request."""
    rights = getattr(request, "_fallback_rights", None)
    if rights is None or rights.member != request.user:
        rights = request._fallback_rights = Rights(request.user)
    return rights


def may_anywhere(right: Right) -> Callable[[HttpRequest], bool]:
    """A check for the sidebar: whether there is a project this person may do something in."""
    return lambda request: rights_of(request).anywhere(right)


class OwnFilter(AutocompleteSelectFilter):
    """A filter by something the viewer sees; whatever else the address names is not said."""

    def choices(self, changelist):
        for each in super().choices(changelist):
            pages = admin.site._registry[self.field.remote_field.model]
            each["form"].fields[self.lookup_kwarg].queryset = pages.get_queryset(self.request)
            yield each


class KeySearch(Search):
    """A search by the beginning of a text, or by a whole ULID."""

    def __init__(self, *prefixes: str) -> None:
        super().__init__("pk", "", prefixes)

    def exact(self, term: str) -> str | None:
        term = term.strip().upper()
        return term if _ULID.fullmatch(term) else None


class PersonField(forms.CharField):
    """A person by e-mail or member ID, exactly: whoever may add people need not be allowed to search all of them."""

    def __init__(self, **kwargs) -> None:
        super().__init__(
            max_length=255,
            help_text="The e-mail they log in with, or their member ID: FE-P-00007.",
            widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
            **kwargs,
        )

    def clean(self, value) -> Member:
        given = super().clean(value)
        member = (
            Member.objects.filter(Q(member_id=given.upper()) | Q(email__iexact=given), is_active=True)
            .exclude(pk=SYSTEM_MEMBER_ID)
            .first()
        )
        if member is None:
            raise ValidationError("There is no active member with this e-mail or ID.")
        return member


class ProjectPages(ModelAdmin):
    """Pages of what belongs to a project.

    path: from a row to its project, `project__`; empty for the project itself. to_add, to_change: the right each takes
    in the project of the row.
    """

    path = "project__"
    to_add: Right | None = Right.MAINTAIN
    to_change: Right | None = Right.MAINTAIN

    def project_of(self, obj: Model) -> Project:
        return obj.project if self.path else obj

    def shows_every_row(self, request: HttpRequest) -> bool:
        return Right.LOOK in rights_of(request).everywhere

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).filter(rights_of(request).where(Right.LOOK, path=self.path))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return rights_of(request).anywhere(Right.LOOK)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, Right.LOOK, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._may(request, self.to_add, None)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._may(request, self.to_change, obj)

    def _may(self, request: HttpRequest, right: Right | None, obj: Model | None) -> bool:
        if right is None:
            return False
        if obj is None:
            return rights_of(request).anywhere(right)
        return rights_of(request).allows(right, self.project_of(obj))

    def formfield_for_foreignkey(self, db_field, request: HttpRequest, **kwargs):
        """Only projects this person may add to, and only parts of projects they see."""
        if db_field.name == "project" and self.to_add:
            kwargs["queryset"] = rights_of(request).projects(self.to_add).filter(status="active")
        elif db_field.name in ("flow", "actor", "repository"):
            visible = rights_of(request).where(Right.LOOK, path="project__")
            kwargs["queryset"] = db_field.remote_field.model._default_manager.filter(visible).select_related("project")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None):
        """A row never moves to another project."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "project") if obj and self.path == "project__" and "project" not in fields else fields

    def _tab_view(self, request: HttpRequest, object_id: str, *, spec: Tab) -> HttpResponse:
        if not isinstance(spec, ProjectCustomTab):
            return super()._tab_view(request, object_id, spec=spec)
        obj = self.get_object(request, object_id)
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        context = {
            **self.page_context(request, obj, active=spec.name),
            "title": str(obj),
            "subtitle": spec.title,
            "include": spec.template,
            **spec.context(obj, request),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "fallback/page.html", context)


class ReadOnlyProjectPages(ProjectPages):
    """Pages of a record of a project: looked at, never edited."""

    to_add = to_change = None


@dataclass(frozen=True)
class ProjectAction(Action):
    """A job that takes a right in the project of its object. permission is not asked for."""

    right: Right = Right.MAINTAIN
    project: Callable[[Model], Project] = lambda obj: obj.project

    def allowed(self, request: HttpRequest) -> bool:
        return rights_of(request).anywhere(self.right)

    def allowed_on(self, request: HttpRequest, obj: Model) -> bool:
        return rights_of(request).allows(self.right, self.project(obj))


@dataclass(frozen=True)
class ProjectTab(Tab):
    """A table beside an object of a project: whoever sees the one sees the other."""

    permission: str = ""
    empty: str = ""

    def allowed(self, request: HttpRequest) -> bool:
        return True


@dataclass(frozen=True)
class ProjectCustomTab(ProjectTab):
    """A page of its own making beside an object: a template, and what it is filled with."""

    rows: Callable[[Model], QuerySet] = lambda obj: obj
    columns: tuple = ()
    template: str = ""
    context: Callable[[Model, HttpRequest], dict] = lambda obj, request: {}
