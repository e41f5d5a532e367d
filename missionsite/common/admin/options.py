"""Base classes of the model admins of the back office."""

from collections.abc import Callable, Collection, Mapping
from functools import partial, update_wrapper
from types import MappingProxyType
from typing import Any, Generic, cast

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.widgets import AutocompleteSelect, RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from missionsite.common.accounts.identity import prompt_for_identity, require_identity
from missionsite.common.admin import columns, conditions
from missionsite.common.admin import tabs as tab_pages
from missionsite.common.admin.actions import Action, action_view, bulk_view
from missionsite.common.admin.bulk_edit import bulk_edit_action, bulk_edit_view, offers_bulk_edit
from missionsite.common.admin.changelist import ChangeList
from missionsite.common.admin.command_palette import describe
from missionsite.common.admin.export import FORMATS, PARAMETER, export_list
from missionsite.common.admin.extensions import list_buttons_of, tabs_of
from missionsite.common.admin.form_keys import ALREADY_SAVED, FormInvalid, FormResult, run_once
from missionsite.common.admin.formats import EMPTY
from missionsite.common.admin.forms import AutocompleteWidget, ForeignKeyField, ServiceForm
from missionsite.common.admin.history import HistoryMixin
from missionsite.common.admin.pagination import BoundedPaginator
from missionsite.common.admin.person import person_head
from missionsite.common.admin.search import Search
from missionsite.common.annotations import M, SiteRequest, StrOrPromise
from missionsite.common.errors import DomainError, translate_db_errors


class ValidSelectionMixin:
    """Shows a warning when a selected row cannot belong to the list."""

    opts: Any

    def response_action(self, request: HttpRequest, queryset: QuerySet, **options: Any) -> HttpResponse | None:
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                if "\x00" in key:
                    raise ValidationError(_("A key cannot contain a NUL character."))
                self.opts.pk.to_python(key)
            except ValidationError:
                messages.warning(request, _("One of the selected rows is not in this list. Select the rows again."))
                return HttpResponseRedirect(request.get_full_path())
        return cast(Any, super()).response_action(request, queryset, **options)


class ModelAdmin(ValidSelectionMixin, HistoryMixin, Generic[M]):
    """Base class: lists with bounded queries, actions and tabs, saving through services, no deleting.

    search: what the search box searches. object_actions, tabs: see their classes. empty_text: heading and hint of an
    empty list.
    """

    form = ServiceForm
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_disable_select_all = True
    list_filter_submit = True
    change_list_template = "missionsite/list.html"
    change_form_template = "missionsite/form.html"
    compressed_fields = True
    empty_value_display = EMPTY
    warn_unsaved_form = True
    view_on_site = False

    # SQL for the exact number of the table's rows, where counters make it cheap; see Pages.
    total_sql = ""
    search: Search | None = None
    object_actions: tuple[Action, ...] = ()
    tabs: tuple[tab_pages.Tab | tab_pages.CustomTab, ...] = ()
    about_title: StrOrPromise = _("About")
    # The icon of its objects in the command palette; empty leaves them out.
    command_icon = ""
    # By column of `sortable_by`, the expression that it is sorted by instead of its own values; it has an index.
    sort_expressions: Mapping[str, Any] = MappingProxyType({})
    # The field that a search without results fills in on the page that adds an object; empty to not offer it.
    command_add = ""
    empty_text: tuple[StrOrPromise, StrOrPromise] = (_("Nothing here yet"), "")
    # The plural noun shown below the list, if it differs from verbose_name_plural.
    noun_plural: StrOrPromise = ""
    # Whether the list can be exported as it is; False for a list with an export of its own.
    exports = True
    # Whether fields of several rows can be edited at once, if a form edits one of them.
    bulk_edits = True
    # Whether its list can be filtered by conditions on its fields.
    has_conditions = True
    # Columns that a list offers beside those of `list_display`.
    optional_columns: tuple[str, ...] = ()
    # Shown when the form that adds one was submitted twice.
    already_saved: StrOrPromise = ALREADY_SAVED

    def describe(self, obj: M) -> str:
        """The name of an object with what distinguishes it from its namesakes, for autocompletes and the search."""
        return str(obj)

    def object_url(self, obj: M) -> str:
        """The address the command palette links to."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])

    # --- Writing ------------------------------------------------------------------------------

    def asks_identity(self, request: HttpRequest, changed: Collection[str], *, adding: bool) -> bool:
        """Whether a form needs a recent proof of identity, when it is opened or when it changes these fields.

        changed: the names of the changed fields; empty when the form is opened. adding: the form adds an object.
        """
        return False

    def save_form(self, request: HttpRequest, form: ServiceForm, change: bool) -> Any:
        if self.asks_identity(request, form.changed_data, adding=not change):
            require_identity(request)
        return super().save_form(request, form, change)

    def create(self, request: HttpRequest, values: dict) -> Model:
        """Create an object through its service. Raises DomainError."""
        raise NotImplementedError

    def update(self, request: HttpRequest, obj: M, changes: dict) -> None:
        """Update an object through its service. Raises DomainError."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: M, form: ServiceForm, change: bool) -> None:
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            self.update(request, self.model._base_manager.get(pk=obj.pk), changes)
            self._check_deferred_constraints()
            return
        created = self.create(request, form.cleaned_data)
        self._check_deferred_constraints()
        obj.pk, obj._state = created.pk, created._state
        obj.refresh_from_db()

    def response_post_save_add(self, request: HttpRequest, obj: M) -> HttpResponse:
        """Open the page of the added object; in the list it would be hard to find."""
        if not self.has_view_or_change_permission(request, obj):
            return super().response_post_save_add(request, obj)
        filters = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        return HttpResponseRedirect(add_preserved_filters(filters, self.object_url(obj)))

    @staticmethod
    def _check_deferred_constraints() -> None:
        """Check deferred constraints now, while an error can still be shown on the form."""
        with translate_db_errors(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict | None = None
    ) -> HttpResponse:
        """The form's page. An error of the service is shown on it, and the entered values are kept."""
        if prompt := self._prompt_for_identity(request, object_id):
            return prompt
        extra_context = dict(extra_context or {})
        if object_id and (obj := self.get_object(request, object_id)) and self.has_view_permission(request, obj):
            extra_context |= self.page_context(request, obj, active="about", whole=False)
            # Django's is "Change mission"; every page of an object begins with its name.
            extra_context |= {"title": str(obj), "subtitle": None}
        view = partial(super().changeform_view, request, object_id, form_url, extra_context)
        try:
            return self._add_once(request, view) if object_id is None and request.method == "POST" else view()
        except DomainError as error:
            cast(SiteRequest, request).service_error = error
            return view()

    def _prompt_for_identity(self, request: HttpRequest, object_id: str | None) -> HttpResponse | None:
        if request.method == "POST" or not self.asks_identity(request, (), adding=object_id is None):
            return None
        obj = self.get_object(request, object_id) if object_id else None
        may_save = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        missing = object_id is not None and obj is None
        return prompt_for_identity(request) if may_save and not missing else None

    def _add_once(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        """Add the object once; the same form submitted again redirects to the object added first."""
        response = HttpResponse()

        def save() -> FormResult:
            nonlocal response
            response = view()
            if not hasattr(request, "added"):
                raise FormInvalid
            return FormResult(response.get("Location") or self._change_url(cast(SiteRequest, request).added))

        try:
            result = run_once(request, save)
        except FormInvalid:
            return response
        if not result.is_repeat:
            return response
        messages.info(request, self.already_saved)
        return HttpResponseRedirect(result.location)

    def log_addition(self, request: HttpRequest, obj: M, message: Any) -> Any:
        """Also record on the request that the form was valid and its object saved."""
        cast(SiteRequest, request).added = obj
        return super().log_addition(request, obj, message)

    def _change_url(self, obj: M) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])

    def get_form(self, request: HttpRequest, obj: M | None = None, change: bool = False, **kwargs: Any) -> Any:
        return self.form_with_error(request, super().get_form(request, obj, change=change, **kwargs))

    @staticmethod
    def form_with_error(request: HttpRequest, form: type[ServiceForm]) -> type[ServiceForm]:
        """The form class, with the error that the service raised for the submitted values."""
        if error := getattr(request, "service_error", None):
            return type(form.__name__, (form,), {"service_error": error})
        return form

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return super().formfield_for_foreignkey(db_field, request, **({"form_class": ForeignKeyField} | kwargs))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The form field without Django's links to related objects, which open pop-up windows."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        if field and isinstance(field.widget, AutocompleteSelect):
            widget = AutocompleteWidget(db_field, self.admin_site, attrs={"style": "width: 100%"})
            widget.choices, widget.is_required = field.choices, field.required
            field.widget, field.label_from_instance = widget, describe
        return field

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """No one deletes here: objects are archived, deactivated, ended or cancelled, and remain readable."""
        return False

    def has_object_permission(self, request: HttpRequest, obj: M) -> bool:
        """Whether the current member may run actions on this object at all."""
        return True

    # --- Lists --------------------------------------------------------------------------------

    def shows_every_row(self, request: HttpRequest) -> bool:
        """Whether the list shows all rows of its table, whose number PostgreSQL estimates without counting."""
        return True

    @property
    def fixed_columns(self) -> tuple[str, ...]:
        """The columns that a list shows always: those that link to its objects."""
        return tuple(self.list_display_links or self.list_display[:1])

    def get_list_display(self, request: HttpRequest) -> Any:
        default = super().get_list_display(request)
        return columns.chosen_columns(request, default, self.optional_columns, self.fixed_columns)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ChangeList

    def get_list_filter(self, request: HttpRequest) -> Any:
        """The filters of the list, and the conditions on its fields."""
        filters = super().get_list_filter(request)
        return [*filters, conditions.ConditionFilter] if self.has_conditions else filters

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Allow every lookup here; the change list rejects those that belong to no filter."""
        return True

    @property
    def search_fields(self) -> tuple[str, ...]:
        """Non-empty when there is a search, which is all Django needs to know; never used as lookups."""
        return ("pk",) if self.search else ()

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> Any:
        if not search_term.strip() or self.search is None:
            return queryset, False
        found = self.search.find(queryset, search_term)
        cast(SiteRequest, request).search_found_more = found.more
        return queryset.filter(pk__in=found.ids), False

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        """Buttons above the list: title, icon and link. Other apps add theirs with `register_list_button`."""
        return []

    def changelist_view(self, request: HttpRequest, extra_context: dict | None = None) -> HttpResponse:
        if request.method == "GET" and self.exports and request.GET.get(PARAMETER) in FORMATS:
            if not self.has_view_permission(request):
                raise PermissionDenied
            query = request.GET.copy()
            # The list would take it for a filter.
            kind = query.pop(PARAMETER)[-1]
            request.GET = cast(Any, query)
            return cast(HttpResponse, export_list(self, request, kind))
        if redirect := columns.joined(request) or conditions.joined(request):
            return redirect
        buttons = [*self.list_buttons(request), *list_buttons_of(self.model, request)]
        return super().changelist_view(request, {**(extra_context or {}), "buttons": buttons})

    def get_actions(self, request: HttpRequest) -> dict:
        actions: dict[str, Any] = {}
        if offers_bulk_edit(self, request):
            actions["bulk_edit"] = (bulk_edit_action, "bulk_edit", _("Edit fields"))
        for action in self.object_actions:
            if action.bulk_title and action.allowed(request):
                name = action.name.replace("-", "_")
                actions[name] = (_bulk_action(action), name, action.bulk_title)
        return actions

    # --- Pages --------------------------------------------------------------------------------

    @property
    def all_tabs(self) -> list[tab_pages.Tab | tab_pages.CustomTab]:
        """The tabs of this class, then those that other apps registered for its model."""
        return [*self.tabs, *tabs_of(self.model)]

    def get_urls(self) -> list:
        opts = self.opts
        views: list[tuple[str, Callable, object]] = [
            (action.name, self._action_view, action) for action in self.object_actions
        ]
        views += [(tab.name, self._tab_view, tab) for tab in self.all_tabs]
        urls = [
            path(
                f"<path:object_id>/{name}/",
                self._wrapped(partial(view, spec=spec), view),
                name=f"{opts.app_label}_{opts.model_name}_{name}",
            )
            for name, view, spec in views
        ]
        if type(self).update is not ModelAdmin.update and self.bulk_edits:
            edit = self._wrapped(partial(bulk_edit_view, self), bulk_edit_view)
            urls.insert(0, path("bulk-edit/", edit, name=f"{opts.app_label}_{opts.model_name}_bulk_edit"))
        return urls + super().get_urls()

    def _wrapped(self, view: Any, named: Any) -> Any:
        """A view of the admin site, which knows this model admin."""

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return self.admin_site.admin_view(view)(*args, **kwargs)

        cast(Any, wrapper).model_admin = self
        return update_wrapper(wrapper, named)

    def _action_view(self, request: HttpRequest, object_id: str, *, spec: Action) -> HttpResponse:
        return action_view(self, request, spec, object_id)

    def _tab_view(
        self, request: HttpRequest, object_id: str, *, spec: tab_pages.Tab | tab_pages.CustomTab
    ) -> HttpResponse:
        if isinstance(spec, tab_pages.CustomTab):
            return tab_pages.custom_tab_view(self, request, spec, object_id)
        return tab_pages.tab_view(self, request, spec, object_id)

    def page_context(self, request: HttpRequest, obj: M, *, active: str, whole: bool = True) -> dict:
        """The context that all pages of one object share: tabs and buttons."""
        opts = self.opts
        buttons = [
            {
                "title": action.title,
                "icon": action.icon,
                "link": f"{reverse(f'admin:{opts.app_label}_{opts.model_name}_{action.name}', args=[obj.pk])}"
                f"?next={request.path}",
            }
            for action in self.object_actions
            if action.allowed_on(request, obj) and action.available(obj) and self.has_object_permission(request, obj)
        ]
        context = {
            "tab_list": tab_pages.navigation(self, request, obj, active),
            "buttons": [*buttons, *self.extra_buttons(request, obj)],
            "person": person_head(obj, request),
            "show_history": False,
        }
        if whole:
            context |= self.admin_site.each_context(request) | context | {"opts": opts, "original": obj, "object": obj}
        return context

    def extra_buttons(self, request: HttpRequest, obj: M) -> list[dict]:
        """Buttons beside the actions: title, icon and link."""
        return []


class ReadOnlyModelAdmin(ModelAdmin[M]):
    """Base class for read-only models."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        return False


def _bulk_action(action: Action) -> Any:
    def run(model_admin: ModelAdmin, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return bulk_view(model_admin, request, queryset, action)

    return run
