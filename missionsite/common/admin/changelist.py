"""The change list: bounded counts, exact pages, rejection of unknown filters."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ORDER_VAR
from django.core.paginator import InvalidPage
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from unfold.templatetags.unfold_list import result_headers
from unfold.views import ChangeList as UnfoldChangeList

from missionsite.common.admin import columns
from missionsite.common.admin.bulk_edit import bulk_edit_link
from missionsite.common.admin.export import FORMATS, PARAMETER
from missionsite.common.admin.filter_panel import ActiveFilter, active_filters, render_filters
from missionsite.common.admin.pagination import BoundedPaginator, Page, Pages
from missionsite.common.admin.table import render_rows


class ChangeList(UnfoldChangeList):
    """A change list whose cost does not depend on the length of the table."""

    page: Page
    # Whether the search stopped at its limit.
    found_more = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.request = args[0] if args else kwargs["request"]
        super().__init__(*args, **kwargs)
        # The name of the list, as in the navigation; Django's is "Select member to change".
        self.title = capfirst(self.opts.verbose_name_plural)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet:
        queryset = super().get_queryset(request, exclude_parameters)
        self.found_more = getattr(request, "search_found_more", False)
        return queryset

    def get_filters(self, request: HttpRequest) -> Any:
        """Reject parameters that belong to no filter: as lookups they could read any column."""
        specs, has_filters, remaining, duplicates, active = super().get_filters(request)
        if remaining:
            raise IncorrectLookupParameters
        self.filtered = active
        return specs, has_filters, remaining, duplicates, active

    def get_filters_params(self, params: Any = None) -> dict:
        found = super().get_filters_params(params)
        found.pop(columns.PARAMETER, None)
        return found

    def get_ordering_field(self, field_name: str) -> Any:
        """The ordering of a column, only for columns that have an index."""
        if self.sortable_by is not None and field_name not in self.sortable_by:
            return None
        if expression := self.model_admin.sort_expressions.get(field_name):
            return expression
        return super().get_ordering_field(field_name)

    def get_results(self, request: HttpRequest) -> None:
        whole = self.model_admin.shows_every_row(request) and not (self.query or self.filtered)
        pages = Pages(self.queryset, self.list_per_page, whole=whole, total_sql=self.model_admin.total_sql)
        try:
            self.page = pages.page(self.page_num)
        except InvalidPage as error:
            if ERROR_FLAG in request.GET:
                self.page = pages.page(1)
            else:
                raise IncorrectLookupParameters from error
        self.result_list = self.page.rows
        self.result_count = self.full_result_count = pages.count.number
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = False
        self.multi_page = pages.count.number > self.list_per_page
        self.paginator = BoundedPaginator(self.result_list, self.list_per_page)

    @property
    def headings(self) -> list[dict]:
        return list(result_headers(self))

    @property
    def body(self) -> SafeString:
        return render_rows(self)

    @property
    def filter_inputs(self) -> SafeString:
        return render_filters(self)

    @property
    def active_filters(self) -> list[ActiveFilter]:
        """The search and the filters that restrict the list, each with the address of the list without it."""
        return active_filters(self)

    @property
    def offered_columns(self) -> list[columns.Column]:
        """The columns to choose from. Empty if there is nothing to choose."""
        return columns.offered_columns(self)

    @property
    def other_parameters(self) -> list[tuple[str, str]]:
        """The parameters of the address that a form which chooses columns repeats."""
        kept = {
            name: values for name, values in self.filter_params.items() if name not in (columns.PARAMETER, ORDER_VAR)
        }
        return [(name, value) for name, values in kept.items() for value in values]

    @property
    def is_filtered(self) -> bool:
        """Whether a search or a filter is active."""
        return bool(self.query or self.filtered)

    @property
    def noun(self) -> str:
        """The name of the rows, singular or plural."""
        many = self.model_admin.noun_plural or self.opts.verbose_name_plural
        return str(self.opts.verbose_name if self.page.summary == "1" else many)

    def link_to(self, page: int) -> str:
        return self.get_query_string({"p": page})

    @property
    def export_links(self) -> list[tuple[str, str]]:
        """The formats of the export with their addresses, which have the search, filters and order of the list."""
        if not self.model_admin.exports:
            return []
        return [(name, self.get_query_string({PARAMETER: kind})) for kind, name in FORMATS.items()]

    @property
    def edit_link(self) -> str:
        """The address of the page that edits fields of all rows of the list. Empty if the member may not."""
        return bulk_edit_link(self.model_admin, self.request, self.get_query_string(remove=["p", "e"]))

    @property
    def first_link(self) -> str | None:
        return self.link_to(1) if self.page.previous else None

    @property
    def previous_link(self) -> str | None:
        return self.link_to(self.page.previous) if self.page.previous else None

    @property
    def next_link(self) -> str | None:
        return self.link_to(self.page.next) if self.page.next else None

    @property
    def last_link(self) -> str | None:
        return self.link_to(self.page.last) if self.page.next else None
