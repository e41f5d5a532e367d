"""The base of every page of the back office."""

from collections.abc import Callable
from functools import partial, update_wrapper

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.widgets import AutocompleteSelect, RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from unfold.admin import ModelAdmin as UnfoldModelAdmin

from missionsite.common.admin import tabs as tab_pages
from missionsite.common.admin.actions import Action, action_view, bulk_view
from missionsite.common.admin.command import describe
from missionsite.common.admin.forms import Choice, Picker, ServiceForm
from missionsite.common.admin.lists import ChangeList
from missionsite.common.admin.once import ALREADY_SAVED, NothingSaved, Saved, once
from missionsite.common.admin.pagination import BoundedPaginator
from missionsite.common.admin.search import Search
from missionsite.common.errors import DomainError, translate_db_errors


class SelectedRows:
    """Actions of a list, with a word where a selected row cannot be one of it."""

    def response_action(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        for key in request.POST.getlist(ACTION_CHECKBOX_NAME):
            try:
                if "\x00" in key:
                    raise ValidationError("No key holds a NUL character.")
                self.opts.pk.to_python(key)
            except ValidationError:
                messages.warning(request, "One of the selected rows is not in this list. Select them again.")
                return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset)


class ModelAdmin(SelectedRows, UnfoldModelAdmin):
    """Lists that stay fast, jobs and tabs, writes through services, no deleting.

    search: what the search box looks through. jobs, tabs: see their classes. empty_words: what an empty list says,
    and what to do first.
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
    warn_unsaved_form = True
    view_on_site = False

    # The exact number of the table's rows, for a table whose rows are partly counted already; see Pages.
    total_sql = ""
    search: Search | None = None
    object_actions: tuple[Action, ...] = ()
    tabs: tuple[tab_pages.Tab | tab_pages.CustomTab, ...] = ()
    about_title = "About"
    # The icon beside its objects in the search across everything; empty keeps them out of it.
    command_icon = ""
    has_history = False
    empty_words = ("Nothing here yet", "")
    # What the list calls its rows, where the model's own name is not the word.
    noun_plural = ""
    # Shown when the form that adds one was submitted twice.
    already_saved = ALREADY_SAVED

    def describe(self, obj: Model) -> str:
        """An object's name with what tells it from its namesakes; pickers and the search show it."""
        return str(obj)

    def page_of(self, obj: Model) -> str:
        """The address the search leads to."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])

    # --- Writing ------------------------------------------------------------------------------

    def create(self, request: HttpRequest, values: dict) -> Model:
        """Call the service that makes one. Raises DomainError."""
        raise NotImplementedError

    def update(self, request: HttpRequest, obj: Model, changes: dict) -> None:
        """Call the service that changes one. Raises DomainError."""
        raise NotImplementedError

    def save_model(self, request: HttpRequest, obj: Model, form: ServiceForm, change: bool) -> None:
        if change:
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            self.update(request, self.model._base_manager.get(pk=obj.pk), changes)
            self._check_now()
            return
        created = self.create(request, form.cleaned_data)
        self._check_now()
        obj.pk, obj._state = created.pk, created._state
        obj.refresh_from_db()

    def response_post_save_add(self, request: HttpRequest, obj: Model) -> HttpResponse:
        """Open the page of what was added; the list would not show which one it is."""
        if not self.has_view_or_change_permission(request, obj):
            return super().response_post_save_add(request, obj)
        filters = {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts}
        return HttpResponseRedirect(add_preserved_filters(filters, self.page_of(obj)))

    @staticmethod
    def _check_now() -> None:
        """Check what the database would check at the commit, while a rejection can still be said on the form."""
        with translate_db_errors(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def changeform_view(self, request: HttpRequest, object_id=None, form_url="", extra_context=None) -> HttpResponse:
        """The form's page; a rejection of the service is said on it, with what was typed kept."""
        extra_context = dict(extra_context or {})
        if object_id and (obj := self.get_object(request, object_id)) and self.has_view_permission(request, obj):
            extra_context |= self.page_context(request, obj, active="about", whole=False)
        view = partial(super().changeform_view, request, object_id, form_url, extra_context)
        try:
            return self._add_once(request, view) if object_id is None and request.method == "POST" else view()
        except DomainError as rejection:
            request.rejection = rejection
            return view()

    def _add_once(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        """Add what the form describes; the same form submitted again leads to what was added first."""
        response = None

        def act() -> Saved:
            nonlocal response
            response = view()
            if not hasattr(request, "added"):
                raise NothingSaved
            return Saved(response.get("Location") or self._change_address(request.added))

        try:
            saved = once(request, act)
        except NothingSaved:
            return response
        if not saved.is_repeat:
            return response
        messages.info(request, self.already_saved)
        return HttpResponseRedirect(saved.location)

    def log_addition(self, request: HttpRequest, obj: Model, message):
        """Also note on the request that the form was valid and its object saved."""
        request.added = obj
        return super().log_addition(request, obj, message)

    def _change_address(self, obj: Model) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs):
        return self.with_rejection(request, super().get_form(request, obj, change=change, **kwargs))

    @staticmethod
    def with_rejection(request: HttpRequest, form: type[ServiceForm]) -> type[ServiceForm]:
        """The form, with the rejection of the values it was sent as an error."""
        if rejection := getattr(request, "rejection", None):
            return type(form.__name__, (form,), {"rejection": rejection})
        return form

    def formfield_for_foreignkey(self, db_field, request: HttpRequest, **kwargs):
        return super().formfield_for_foreignkey(db_field, request, **({"form_class": Choice} | kwargs))

    def formfield_for_dbfield(self, db_field, request: HttpRequest, **kwargs):
        """The field without Django's links that open another form in a window of its own."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        if field and isinstance(field.widget, AutocompleteSelect):
            widget = Picker(db_field, self.admin_site, attrs={"style": "width: 100%"})
            widget.choices, widget.is_required = field.choices, field.required
            field.widget, field.label_from_instance = widget, describe
        return field

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is deleted here: it is archived, deactivated, ended or cancelled, and stays readable."""
        return False

    def may_touch(self, request: HttpRequest, obj: Model) -> bool:
        """Whether this person may do jobs on this object at all."""
        return True

    # --- Lists --------------------------------------------------------------------------------

    def shows_every_row(self, request: HttpRequest) -> bool:
        """Whether the list holds all rows of its table, whose number PostgreSQL estimates without counting."""
        return True

    def get_changelist(self, request: HttpRequest, **kwargs) -> type[ChangeList]:
        return ChangeList

    def lookup_allowed(self, lookup: str, value, request=None) -> bool:
        """The list itself rejects whatever none of its filters asked for."""
        return True

    @property
    def search_fields(self) -> tuple[str, ...]:
        """Django asks for these to know that there is a search; none is ever used as a lookup."""
        return ("pk",) if self.search else ()

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str):
        if not search_term.strip() or self.search is None:
            return queryset, False
        found = self.search.find(queryset, search_term)
        request.search_found_more = found.more
        return queryset.filter(pk__in=found.ids), False

    def list_buttons(self, request: HttpRequest) -> list[dict]:
        """Buttons above the list: title, icon and link."""
        return []

    def changelist_view(self, request: HttpRequest, extra_context=None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "buttons": self.list_buttons(request)})

    def get_actions(self, request: HttpRequest) -> dict:
        actions = {}
        for job in self.object_actions:
            if job.bulk and job.allowed(request):
                name = job.name.replace("-", "_")
                actions[name] = (_bulk_action(job), name, job.bulk)
        return actions

    # --- Pages --------------------------------------------------------------------------------

    def get_urls(self) -> list:
        opts = self.opts
        views = [(job.name, self._action_view, job) for job in self.object_actions]
        views += [(tab.name, self._tab_view, tab) for tab in self.tabs]
        urls = [
            path(
                f"<path:object_id>/{name}/",
                self._wrapped(partial(view, spec=spec), view),
                name=f"{opts.app_label}_{opts.model_name}_{name}",
            )
            for name, view, spec in views
        ]
        if self.has_history:
            urls.append(
                path(
                    "<path:object_id>/history/<int:entry>/revert/",
                    self._wrapped(self.revert_view, self.revert_view),
                    name=f"{opts.app_label}_{opts.model_name}_revert",
                )
            )
        return urls + super().get_urls()

    def _wrapped(self, view, named):
        def wrapper(*args, **kwargs):
            return self.admin_site.admin_view(view)(*args, **kwargs)

        wrapper.model_admin = self
        return update_wrapper(wrapper, named)

    def _action_view(self, request: HttpRequest, object_id: str, *, spec: Action) -> HttpResponse:
        return action_view(self, request, spec, object_id)

    def _tab_view(
        self, request: HttpRequest, object_id: str, *, spec: tab_pages.Tab | tab_pages.CustomTab
    ) -> HttpResponse:
        if isinstance(spec, tab_pages.CustomTab):
            return tab_pages.custom_tab_view(self, request, spec, object_id)
        return tab_pages.tab_view(self, request, spec, object_id)

    def page_context(self, request: HttpRequest, obj: Model, *, active: str, whole: bool = True) -> dict:
        """What the pages of one object share: its tabs and its buttons."""
        opts = self.opts
        buttons = [
            {
                "title": job.title,
                "icon": job.icon,
                "link": f"{reverse(f'admin:{opts.app_label}_{opts.model_name}_{job.name}', args=[obj.pk])}"
                f"?next={request.path}",
            }
            for job in self.object_actions
            if job.allowed_on(request, obj) and job.offered(obj) and self.may_touch(request, obj)
        ]
        context = {
            "tab_list": tab_pages.navigation(self, request, obj, active),
            "buttons": [*buttons, *self.more_buttons(request, obj)],
            "show_history": False,
        }
        if whole:
            context |= self.admin_site.each_context(request) | context | {"opts": opts, "original": obj, "object": obj}
        return context

    def more_buttons(self, request: HttpRequest, obj: Model) -> list[dict]:
        """Buttons beside the jobs: title, icon and link."""
        return []

    # --- History ------------------------------------------------------------------------------

    def changes_of(self, obj: Model) -> list:
        """The changes of an object, newest first."""
        raise NotImplementedError

    def revert(self, request: HttpRequest, obj: Model, change) -> None:
        """Take one change back. Raises DomainError."""
        raise NotImplementedError

    def may_revert(self, request: HttpRequest, obj: Model, changed: set[str]) -> bool:
        """Whether this person may take back a change of these fields."""
        return self.has_change_permission(request, obj)

    def history_view(self, request: HttpRequest, object_id: str, extra_context=None) -> HttpResponse:
        """Who changed what and when, field by field, from any door."""
        obj = self.get_object(request, object_id)
        if obj is None or not self.has_history:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        context = {
            **self.page_context(request, obj, active="history"),
            "title": str(obj),
            "subtitle": "History",
            "changes": [(change, self._revertible(request, obj, change)) for change in self.changes_of(obj)],
            "revert_name": f"admin:{self.opts.app_label}_{self.opts.model_name}_revert",
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "missionsite/history.html", context)

    def _revertible(self, request: HttpRequest, obj: Model, change) -> bool:
        return bool(change.fields) and self.may_revert(request, obj, {field.name for field in change.fields})

    def revert_view(self, request: HttpRequest, object_id: str, entry: int) -> HttpResponse:
        """Ask, then take one change back."""
        obj = self.get_object(request, object_id)
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_history", args=[obj.pk])
        change = next((change for change in self.changes_of(obj) if change.pgh_id == entry), None)
        if change is None:
            messages.error(request, "There is no such change in this history.")
            return HttpResponseRedirect(back)
        if not self.may_revert(request, obj, {field.name for field in change.fields}):
            raise PermissionDenied
        rejection = ""
        if request.method == "POST":
            try:
                self.revert(request, obj, change)
            except DomainError as error:
                rejection = error.message
            else:
                messages.success(request, f"{obj}: the change was taken back.")
                return HttpResponseRedirect(back)
        context = {
            **self.page_context(request, obj, active="history"),
            "title": str(obj),
            "subtitle": "Take back a change",
            "change": change,
            "rejection": rejection,
            "back": back,
            "buttons": [],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "missionsite/revert.html", context)


class ReadOnlyModelAdmin(ModelAdmin):
    """Pages of a record: looked at, never edited."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _bulk_action(job: Action):
    def run(model_admin: ModelAdmin, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return bulk_view(model_admin, request, queryset, job)

    return run
