"""Tabs: pages of an object beside its form, each with a paginated table or a template of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Generic, TypeVar

from django.core.exceptions import PermissionDenied
from django.core.paginator import InvalidPage
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext

from missionsite.common.admin.formats import EMPTY
from missionsite.common.admin.pagination import Pages
from missionsite.common.annotations import M, StrOrPromise

if TYPE_CHECKING:
    from missionsite.common.admin.options import ModelAdmin

PER_PAGE = 50

# The model of the rows of a tab.
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Tab(Generic[M, Row]):
    """A table of rows that belong to an object.

    name: its part of the URL. rows: the object's rows in a total order. columns: a heading and a function of the row
    and the request that returns the cell. permission: needed to open the tab. empty: the text shown without rows.
    list_link: the address of the change list with the same rows. rows_on: the rows at the end of a day, for tabs whose
    rows have a history; the day is the parameter `on`.
    """

    name: str
    title: StrOrPromise
    rows: Callable[[M], QuerySet[Row]]
    columns: tuple[tuple[StrOrPromise, Callable[[Row, HttpRequest], object]], ...]
    permission: str
    empty: StrOrPromise
    list_link: Callable[[M], str] | None = None
    # Returns the rows of a day instead; the tab then has a field for the day.
    rows_on: Callable[[M, date], QuerySet[Row]] | None = None

    def allowed(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.permission)

    def rows_for(self, obj: M, request: HttpRequest) -> QuerySet[Row]:
        """The rows that the current member may see."""
        return self.rows(obj)


@dataclass(frozen=True)
class CustomTab(Generic[M]):
    """A page of an object with its own template, which extends missionsite/custom_tab.html.

    name: its part of the URL. context: returns the template's context, given the object and the request.
    """

    name: str
    title: StrOrPromise
    template: str
    context: Callable[[M, HttpRequest], dict]
    permission: str

    def allowed(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.permission)


def custom_tab_view(model_admin: ModelAdmin, request: HttpRequest, tab: CustomTab, object_id: str) -> HttpResponse:
    """The page of a custom tab."""
    obj = model_admin.get_object(request, object_id)
    if obj is None:
        return model_admin._get_obj_does_not_exist_redirect(request, model_admin.opts, object_id)
    if not (tab.allowed(request) and model_admin.has_view_permission(request, obj)):
        raise PermissionDenied
    context = {
        **model_admin.page_context(request, obj, active=tab.name),
        "title": str(obj),
        "subtitle": tab.title,
        "tab": tab,
        **tab.context(obj, request),
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, tab.template, context)


def tab_view(model_admin: ModelAdmin, request: HttpRequest, tab: Tab, object_id: str) -> HttpResponse:
    """The page of a tab with a table."""
    obj = model_admin.get_object(request, object_id)
    if obj is None:
        return model_admin._get_obj_does_not_exist_redirect(request, model_admin.opts, object_id)
    if not (tab.allowed(request) and model_admin.has_view_permission(request, obj)):
        raise PermissionDenied
    day = read_day(request.GET.get("on")) if tab.rows_on else None
    rows = tab.rows_on(obj, day) if tab.rows_on and day else tab.rows_for(obj, request)
    rest = f"&on={day}" if day else ""
    try:
        page = Pages(rows, PER_PAGE).page(_number(request))
    except InvalidPage:
        return HttpResponseRedirect(request.path)
    context = {
        **model_admin.page_context(request, obj, active=tab.name),
        "title": str(obj),
        "subtitle": tab.title,
        "tab": tab,
        "page": page,
        "first_link": f"?p=1{rest}" if page.previous else None,
        "previous_link": f"?p={page.previous}{rest}" if page.previous else None,
        "next_link": f"?p={page.next}{rest}" if page.next else None,
        "last_link": f"?p={page.last}{rest}" if page.next else None,
        "has_day": tab.rows_on is not None,
        "day": day,
        "headings": [heading for heading, _ in tab.columns],
        "rows": [
            [(heading, show(row, request) or (EMPTY if heading else "")) for heading, show in tab.columns]
            for row in page.rows
        ],
        "list_link": tab.list_link(obj) if tab.list_link and not day else "",
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "missionsite/tab.html", context)


def navigation(model_admin: ModelAdmin, request: HttpRequest, obj: Model, active: str) -> list[dict]:
    """The tabs of an object that the current member may open, in Unfold's format."""
    opts = model_admin.opts
    base = f"admin:{opts.app_label}_{opts.model_name}"
    items = [("about", model_admin.about_title, reverse(f"{base}_change", args=[obj.pk]))]
    items += [
        (tab.name, tab.title, reverse(f"{base}_{tab.name}", args=[obj.pk]))
        for tab in model_admin.all_tabs
        if tab.allowed(request)
    ]
    if model_admin.has_history:
        items.append(("history", gettext("History"), reverse(f"{base}_history", args=[obj.pk])))
    if len(items) == 1:
        return []
    return [
        {
            "models": [{"name": str(opts), "detail": True}],
            "items": [
                {"title": title, "link": link, "active": name == active, "has_permission": True}
                for name, title, link in items
            ],
        }
    ]


def read_day(text: str | None) -> date | None:
    """Return a day, YYYY-MM-DD, from 1900 to 9000; None for anything else."""
    try:
        day = parse_date((text or "").strip())
    except ValueError:
        return None
    return day if day and 1900 <= day.year <= 9000 else None


def _number(request: HttpRequest) -> int:
    try:
        return int(request.GET.get("p", 1))
    except ValueError:
        return 1


def join_parts(parts: Iterable[str]) -> str:
    """The non-empty parts of a cell, separated by dots."""
    return " · ".join(part for part in parts if part)
