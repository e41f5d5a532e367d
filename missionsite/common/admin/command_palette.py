"""The command palette (search across all lists) and the search of autocomplete fields."""

import time
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext
from unfold.dataclasses import SearchResult
from unfold.sites import UnfoldAdminSite

# Results shown per model; the list itself shows the rest.
RESULTS_PER_MODEL = 8


def describe(obj: Model) -> str:
    """An object's name with what distinguishes it from others of the same name."""
    model_admin = admin.site._registry.get(type(obj))
    label = getattr(model_admin, "describe", None)
    return label(obj) if label else str(obj)


def search(request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
    """The pages and objects that match the parameter `s` and that the current member may view. Nothing is cached."""
    started = time.monotonic()
    term = request.GET.get("s", "").replace("\x00", "").strip()
    if not term:
        return HttpResponse()
    extended = "extended" in request.GET
    results = _pages(request, term.lower())
    if extended:
        results += _objects(request, term) or _additions(request, term)
    paginator = Paginator(results, 100)
    context = {
        "page_obj": paginator,
        "results": paginator.get_page(request.GET.get("page")),
        "page_counter": 0,
        "execution_time": time.monotonic() - started,
        "command_show_history": False,
    }
    template = "unfold/helpers/command_results.html" if extended else "unfold/helpers/search_results.html"
    return TemplateResponse(request, template, context, headers={"HX-Trigger": "search"})


def _pages(request: HttpRequest, term: str) -> list[SearchResult]:
    """The navigation entries whose title contains the text."""
    return [
        SearchResult(title=item["title"], description=group["title"], link=str(item["link"]), icon=item["icon"])
        for group in cast(UnfoldAdminSite, admin.site).get_sidebar_list(request)
        for item in group["items"]
        if item["has_permission"] and term in str(item["title"]).lower()
    ]


def _objects(request: HttpRequest, term: str) -> list[SearchResult]:
    """The first results of each searchable list."""
    results = []
    model_admin: Any
    for model_admin in admin.site._registry.values():
        icon = getattr(model_admin, "command_icon", "")
        if not (icon and model_admin.search and model_admin.has_view_permission(request)):
            continue
        rows, _ = model_admin.get_search_results(request, model_admin.get_queryset(request), term)
        for obj in _with_related(model_admin, request, rows)[:RESULTS_PER_MODEL]:
            results.append(
                SearchResult(
                    title=str(obj),
                    description=model_admin.describe(obj).removeprefix(str(obj)).strip(" ·"),
                    link=model_admin.object_url(obj),
                    icon=icon,
                )
            )
    return results


def _additions(request: HttpRequest, term: str) -> list[SearchResult]:
    """What may be added under a name that no object has."""
    return [
        SearchResult(
            title=gettext("Nothing found for “%(term)s”") % {"term": term[:60]},
            description=str(model_admin.add_label),
            link=f"{reverse(f'admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_add')}?{query}",
            icon="add",
        )
        for model_admin in cast(Any, admin.site._registry.values())
        if (field := getattr(model_admin, "command_add", "")) and model_admin.has_add_permission(request)
        for query in [urlencode({field: term})]
    ]


def _with_related(model_admin: Any, request: HttpRequest, rows: QuerySet) -> QuerySet:
    """The rows with the related rows that a list shows with each, because descriptions name them."""
    related = model_admin.get_list_select_related(request)
    return rows.select_related(*related) if isinstance(related, list | tuple) and related else rows


class AutocompleteView(AutocompleteJsonView):
    """The results of an autocomplete field, each with what distinguishes it from others of the same name."""

    def get_queryset(self) -> QuerySet:
        return _with_related(self.model_admin, self.request, super().get_queryset())

    def serialize_result(self, obj: Model, to_field_name: str) -> dict:
        return {"id": str(getattr(obj, to_field_name)), "text": describe(obj)}

    def paginate_queryset(self, queryset: Any, page_size: Any) -> Any:
        """One page of results; an invalid page number gives the first page."""
        paginator = self.get_paginator(queryset, page_size)
        page = paginator.get_page(self.request.GET.get("page"))
        return paginator, page, page.object_list, page.has_other_pages()


def autocomplete(request: HttpRequest) -> HttpResponseBase:
    return AutocompleteView.as_view(admin_site=admin.site)(request)
