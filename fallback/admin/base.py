"""Shared classes of this app's admin. Users see and change only their own projects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from fallback.models import Project
from fallback.selectors.rights import Right, Rights
from groups.models import Member
from groups.models.members import SYSTEM_MEMBER_ID
from missionsite.common.admin import Action, CustomTab, Search, Tab
from missionsite.common.admin.audited import AuditedHistory
from missionsite.common.admin.tabs import Row
from missionsite.common.annotations import M, StrOrPromise

LIST = {"todo": "info", "doing": "warning", "review": "primary", "done": "success"}
RUN = {
    "pending": "warning",
    "awaiting_review": "info",
    "completed": "success",
    "cancelled": "default",
    "errored": "danger",
}
ITEM = {"proposed": "info", "accepted": "success", "discarded": "default"}
AGENT = {"inactive": "default", "pushing": "info", "active": "success"}
PROJECT = {"active": "success", "archived": "default"}
CONFIG = {"active": "success", "paused": "warning", "snoozed": "info"}
_ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")


def member_of(request: HttpRequest) -> Member:
    """The member who is logged in; every page of the back office requires one."""
    return cast(Member, request.user)


def rights_of(request: HttpRequest) -> Rights:
    """The rights of the user, read once per request."""
    rights: Rights | None = getattr(request, "_fallback_rights", None)
    if rights is None or rights.member != request.user:
        rights = cast(Any, request)._fallback_rights = Rights(member_of(request))
    return rights


class VisibleRelatedFilter(AutocompleteSelectFilter):
    """A filter by a related object; offers and names only objects that the user may see."""

    def choices(self, changelist: Any) -> Iterator[dict]:
        for each in super().choices(changelist):
            pages = admin.site._registry[self.field.remote_field.model]
            each["form"].fields[self.lookup_kwarg].queryset = pages.get_queryset(self.request)
            yield each


class KeySearch(Search):
    """A search by prefix, or by a complete ULID."""

    def __init__(self, *prefixes: str) -> None:
        super().__init__("pk", "", prefixes)

    def exact(self, term: str) -> str | None:
        term = term.strip().upper()
        return term if _ULID.fullmatch(term) else None


class MemberField(forms.CharField):
    """A member by exact e-mail or member ID, since the user may not be allowed to search all members."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=255,
            help_text=_("Login e-mail or member ID, such as FE-P-00007."),
            widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
            **kwargs,
        )

    def clean(self, value: Any) -> Member | None:
        given = super().clean(value)
        if not given:
            return None
        member = (
            Member.objects.filter(Q(member_id=given.upper()) | Q(email__iexact=given), is_active=True)
            .exclude(pk=SYSTEM_MEMBER_ID)
            .first()
        )
        if member is None:
            raise ValidationError(gettext("No active member has this e-mail or ID."))
        return member


class ProjectModelAdmin(AuditedHistory[M]):
    """Admin of a model whose rows belong to a project; users see only rows of their own projects.

    path: the lookup from a row to its project, `project__`; empty for Project itself.
    add_right, change_right: the right that adding or changing a row needs in its project; None: no one may.
    """

    path = "project__"
    add_right: Right | None = Right.MAINTAIN
    change_right: Right | None = Right.MAINTAIN

    def project_of(self, obj: M) -> Project:
        return cast(Any, obj).project if self.path else cast(Project, obj)

    def shows_every_row(self, request: HttpRequest) -> bool:
        return Right.VIEW in rights_of(request).in_every_project

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        return super().get_queryset(request).filter(rights_of(request).project_filter(Right.VIEW, path=self.path))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return rights_of(request).in_any_project(Right.VIEW)

    def has_view_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return self._has_right(request, Right.VIEW, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._has_right(request, self.add_right, None)

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return self._has_right(request, self.change_right, obj)

    def _has_right(self, request: HttpRequest, right: Right | None, obj: M | None) -> bool:
        if right is None:
            return False
        if obj is None:
            return rights_of(request).in_any_project(right)
        return rights_of(request).allows(right, self.project_of(obj))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer only projects that the user may add to, and only parts of visible projects."""
        if db_field.name == "project" and self.add_right:
            kwargs["queryset"] = rights_of(request).projects(self.add_right).filter(status="active")
        elif db_field.name in ("flow", "actor", "repository"):
            visible = rights_of(request).project_filter(Right.VIEW, path="project__")
            kwargs["queryset"] = db_field.remote_field.model._default_manager.filter(visible).select_related("project")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> tuple[str, ...]:
        """Make `project` read-only for existing rows."""
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "project") if obj and self.path == "project__" and "project" not in fields else fields


class ReadOnlyProjectModelAdmin(ProjectModelAdmin[M]):
    """Read-only admin of rows of a project."""

    add_right = change_right = None


def _project_of(obj: Any) -> Project:
    return obj.project


@dataclass(frozen=True)
class ProjectAction(Action[M]):
    """An action that needs a right in the project of its object. `permission` is ignored."""

    right: Right = Right.MAINTAIN
    project: Callable[[M], Project] = _project_of

    def allowed(self, request: HttpRequest) -> bool:
        return rights_of(request).in_any_project(self.right)

    def allowed_on(self, request: HttpRequest, obj: M) -> bool:
        return rights_of(request).allows(self.right, self.project(obj))


@dataclass(frozen=True)
class ProjectTab(Tab[M, Row]):
    """A table of an object of a project, with the permissions of the object."""

    permission: str = ""
    empty: StrOrPromise = ""

    def allowed(self, request: HttpRequest) -> bool:
        return True


@dataclass(frozen=True)
class ProjectCustomTab(CustomTab[M]):
    """A page of an object of a project, with the permissions of the object."""

    permission: str = ""

    def allowed(self, request: HttpRequest) -> bool:
        return True
