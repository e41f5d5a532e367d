"""Editing fields of many rows of a list at once: rows that are selected, or all rows of the filter.

Each row goes through the form and the service of its own page: rights, validation and errors are the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import FieldDoesNotExist, PermissionDenied, ValidationError
from django.db.models import Field, ManyToManyField, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from missionsite.common.admin.actions import render_page
from missionsite.common.admin.form_keys import FormKeyMissing, FormKeyReused, FormResult, result_response, run_once
from missionsite.common.admin.formats import EMPTY, format_number
from missionsite.common.admin.forms import add_service_error
from missionsite.common.bulk_edits import MOST_AT_ONCE, CannotUndo, EditRow, run_bulk_edit, start_bulk_edit
from missionsite.common.errors import DomainError, NotAllowed
from missionsite.common.models import BulkEdit

if TYPE_CHECKING:
    from missionsite.common.admin.options import ModelAdmin

# The parameter with the keys of the selected rows; without it, the edit is for all rows of the filter.
ROWS = "_rows"
# Rows that are selected by hand: a page of a list.
MOST_SELECTED = 200
# Rows that the preview shows.
SHOWN = 20
PREFIX = "to"
_CHOSEN = "change"


class RowGone(DomainError):
    message = _("This row no longer exists, or you may not see it.")
    code = "row_gone"


class RowRejected(DomainError):
    message = _("A value is not valid for this row.")
    code = "row_rejected"


class PreviewedRow(NamedTuple):
    """A row of the preview, with the fields that change: label, value now, new value."""

    name: str
    changes: list[tuple[str, str, str]]


# --- Which fields ---------------------------------------------------------------------------------


def offers_bulk_edit(model_admin: ModelAdmin, request: HttpRequest) -> bool:
    """Whether a list has rows that are edited by a form of their own, which the current member may edit."""
    from missionsite.common.admin.options import ModelAdmin

    edits = type(model_admin).update is not ModelAdmin.update
    return edits and model_admin.bulk_edits and model_admin.has_change_permission(request)


def editable_fields(model_admin: ModelAdmin, request: HttpRequest, row: Model) -> list[str]:
    """The fields of a row that the current member may edit together with those of other rows.

    Left out are unique fields, and those that need a proof of identity, such as rights.
    """
    form = model_admin.get_form(request, row, change=True)
    return [
        name
        for name in form.base_fields
        if not _is_unique(model_admin.model, name) and not model_admin.asks_identity(request, (name,), adding=False)
    ]


def _is_unique(model: type[Model], name: str) -> bool:
    try:
        return bool(getattr(model._meta.get_field(name), "unique", False))
    except FieldDoesNotExist:
        # A field of the form alone, such as a confirmation.
        return True


# --- The page -------------------------------------------------------------------------------------


def bulk_edit_action(model_admin: Any, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
    """The entry of the action menu: opens the page with the selected rows."""
    keys = [str(key) for key in queryset.order_by("pk").values_list("pk", flat=True)[: MOST_SELECTED + 1]]
    if len(keys) > MOST_SELECTED:
        messages.error(request, gettext("Select at most {rows} rows.").format(rows=MOST_SELECTED))
        return None
    query = request.GET.copy()
    query[ROWS] = ",".join(keys)
    return HttpResponseRedirect(f"{_address(model_admin)}?{query.urlencode(safe=',')}")


def bulk_edit_link(model_admin: ModelAdmin, request: HttpRequest, query: str) -> str:
    """The address that edits all rows of a list with this query. Empty if the member may not."""
    return f"{_address(model_admin)}{query}" if offers_bulk_edit(model_admin, request) else ""


def _address(model_admin: ModelAdmin) -> str:
    return reverse(f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_bulk_edit")


def bulk_edit_view(model_admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """The page: a form with the fields, a preview, and then the edit itself."""
    if not offers_bulk_edit(model_admin, request):
        raise PermissionDenied
    back = reverse(f"admin:{model_admin.opts.app_label}_{model_admin.opts.model_name}_changelist")
    try:
        rows, selected, query = _rows(model_admin, request)
    except IncorrectLookupParameters:
        return HttpResponseRedirect(f"{back}?e=1")
    if query:
        back = f"{back}?{query}"
    # The fields are those of the first row that the member may edit.
    sample = next((row for row in rows[:MOST_SELECTED] if _may_edit(model_admin, request, row)), None)
    if sample is None:
        messages.info(request, gettext("There are no rows here that you may edit."))
        return HttpResponseRedirect(back)
    # Read by itself: its form reads its related rows.
    sample = _row(model_admin, request, str(sample.pk))
    offered = editable_fields(model_admin, request, sample)
    data = request.POST if request.method == "POST" else None
    chosen = [name for name in offered if data and data.get(f"{_CHOSEN}-{name}")]
    if not offered:
        messages.info(request, gettext("No field of this list can be edited for several rows at once."))
        return HttpResponseRedirect(back)
    form = _values_form(model_admin, request, sample, chosen, data)
    context: dict[str, Any] = {}
    if data is not None:
        if form.is_valid() and not chosen:
            form.add_error(None, gettext("Tick the fields to change."))
        if form.is_valid():
            values = {name: _raw(form, name, data) for name in chosen}
            context = _preview(model_admin, rows, form, chosen)
            digest = hashlib.sha256(json.dumps([values, context["total"], query, selected]).encode()).hexdigest()
            if data.get("previewed") == digest and "apply" in data:
                if response := _apply(request, rows, values, form):
                    return response
            else:
                context["previewed"] = digest
    empty = _values_form(model_admin, request, sample, offered, None)
    fields = [(f"{_CHOSEN}-{name}", name in chosen, (form if name in chosen else empty)[name]) for name in offered]
    total = context["total"] if context else _count(rows)
    return render_page(
        model_admin,
        request,
        "common/bulk_edit.html",
        title=gettext("Edit rows: {name}").format(name=model_admin.opts.verbose_name_plural),
        help_text=ngettext(
            "Tick the fields to change and enter their new values. %(count)s row is edited.",
            "Tick the fields to change and enter their new values. %(count)s rows are edited.",
            total,
        )
        % {"count": format_number(total)},
        form=form,
        media=model_admin.media + empty.media,
        fields=fields,
        back=back,
        preview=context if "previewed" in context else None,
    )


def _rows(model_admin: ModelAdmin, request: HttpRequest) -> tuple[QuerySet, str, str]:
    """The rows to edit, the keys of the selected ones as text, and the query of the list."""
    query = request.GET.copy()
    selected = query.pop(ROWS, [""])[-1]
    request.GET = cast(Any, query)
    rows = model_admin.get_changelist_instance(request).get_queryset(request)
    if selected:
        try:
            keys = [model_admin.opts.pk.to_python(key) for key in selected.replace("\x00", "").split(",")]
        except ValidationError as error:
            raise IncorrectLookupParameters from error
        rows = rows.filter(pk__in=keys[:MOST_SELECTED])
    return rows, selected, query.urlencode()


def _count(rows: QuerySet) -> int:
    return rows.order_by().values("pk").count()


def _values_form(
    model_admin: ModelAdmin, request: HttpRequest, sample: Model, names: list[str], data: Any
) -> forms.ModelForm:
    """The form for the new values: only these fields, empty, each validated by itself."""
    base = model_admin.get_form(request, sample, change=True)

    def each_by_itself(form: Any) -> Any:
        return form.cleaned_data

    form_class = type(base.__name__, (base,), {"clean": each_by_itself, "_post_clean": lambda form: None})
    form = form_class(data, instance=sample, prefix=PREFIX)
    form.initial = {}
    for name in list(form.fields):
        form.fields[name].initial = None
        if name not in names:
            del form.fields[name]
    return cast(forms.ModelForm, form)


def _raw(form: forms.BaseForm, name: str, data: QueryDict) -> dict[str, list[str]]:
    """What the form sent for a field, which may have several inputs."""
    start = form.add_prefix(name)
    return {
        key: data.getlist(key)
        for key in data
        if key == start or (key.startswith(f"{start}_") and key.removeprefix(f"{start}_").isdecimal())
    }


def _preview(model_admin: ModelAdmin, rows: QuerySet, form: forms.BaseForm, chosen: Iterable[str]) -> dict[str, Any]:
    """How many rows there are, how many of them change, and the first of those; three queries."""
    values = {name: form.cleaned_data[name] for name in chosen}
    differs = reduce(or_, (_differs(model_admin.model, name, value) for name, value in values.items()))
    changing = rows.filter(differs)
    related = [name for name in values if model_admin.model._meta.get_field(name).many_to_one]
    shown = [
        PreviewedRow(
            str(row),
            [
                (_label(form, name), before, after)
                for name, value in values.items()
                if (before := _text(row, name)) != (after := _text(_with(row, name, value), name))
            ],
        )
        for row in (changing.select_related(*related) if related else changing)[:SHOWN]
    ]
    total, change = _count(rows), _count(changing)
    return {
        "total": total,
        "summary": ngettext("%(change)s of %(total)s row changes.", "%(change)s of %(total)s rows change.", total)
        % {"change": format_number(change), "total": format_number(total)},
        "rows": shown,
        "more": format_number(change - len(shown)) if change > len(shown) else "",
        "in_background": total > MOST_AT_ONCE,
    }


def _differs(model: type[Model], name: str, value: Any) -> Q:
    field = cast(Field, model._meta.get_field(name))
    if isinstance(field, ManyToManyField):
        return Q()
    if value is None:
        return Q(**{f"{name}__isnull": False})
    same = Q(**{name: value})
    return ~same | Q(**{f"{name}__isnull": True}) if field.null else ~same


def _with(row: Model, name: str, value: Any) -> Model:
    field = row._meta.get_field(name)
    return row if isinstance(field, ManyToManyField) else type(row)(**{name: value})


def _text(row: Model, name: str) -> str:
    field = row._meta.get_field(name)
    if isinstance(field, ManyToManyField):
        return ""
    value = getattr(row, f"get_{name}_display")() if getattr(field, "choices", None) else getattr(row, name)
    if value is None or value == "":
        return EMPTY
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    return str(value)


def _label(form: forms.BaseForm, name: str) -> str:
    return capfirst(str(form.fields[name].label or name))


def _apply(request: HttpRequest, rows: QuerySet, values: dict, form: forms.BaseForm) -> HttpResponse | None:
    """Start the edit, and run it now if it has few rows. None if it was rejected, with the error in the form."""
    edits: list[BulkEdit] = []

    def save() -> FormResult:
        edit = start_bulk_edit(actor=cast(Any, request.user), rows=rows, fields=values, values=values)
        edits.append(edit)
        return FormResult(reverse("admin:common_bulkedit_change", args=[edit.pk]))

    try:
        result = run_once(request, save)
    except (DomainError, FormKeyMissing, FormKeyReused) as error:
        add_service_error(form, error)
        return None
    for edit in edits:
        if edit.total <= MOST_AT_ONCE:
            run_edit(edit)
    return result_response(request, result)


# --- Running --------------------------------------------------------------------------------------


def run_edit(edit: BulkEdit) -> None:
    """Edit the rows of a bulk edit, or revert those of the edit that it undoes."""
    run_bulk_edit(edit, lambda: _row_editor(edit))


def _row_editor(edit: BulkEdit) -> EditRow:
    """What edits a row, with the rights that the member has now."""
    model_admin = admin_of(edit)
    request = _request_of(edit)
    if edit.undoes_id:
        return lambda key: _revert_row(edit, model_admin, request, key)
    return lambda key: _edit_row(edit, model_admin, request, key)


def admin_of(edit: BulkEdit) -> ModelAdmin:
    """The model admin of the rows of an edit."""
    found = (each for model, each in admin.site._registry.items() if model._meta.label_lower == edit.model)
    return cast(Any, next(found))


def _request_of(edit: BulkEdit) -> HttpRequest:
    """A request of the member who started an edit, whose rights are read again."""
    request = HttpRequest()
    request.method = "POST"
    request.user = type(edit.started_by)._default_manager.get(pk=edit.started_by_id)
    request.path = request.path_info = _address(admin_of(edit))
    return request


def _row(model_admin: ModelAdmin, request: HttpRequest, key: str) -> Model:
    row = model_admin.get_object(request, key)
    if row is None:
        raise RowGone
    if not _may_edit(model_admin, request, row):
        raise NotAllowed
    return row


def _may_edit(model_admin: ModelAdmin, request: HttpRequest, row: Model) -> bool:
    return model_admin.has_change_permission(request, row) and model_admin.has_object_permission(request, row)


def _edit_row(edit: BulkEdit, model_admin: ModelAdmin, request: HttpRequest, key: str) -> bool:
    row = _row(model_admin, request, key)
    if missing := set(edit.fields) - set(editable_fields(model_admin, request, row)):
        names = ", ".join(str(_verbose(model_admin.model, name)) for name in sorted(missing))
        raise RowRejected(gettext("You cannot edit {names} of this row.").format(names=names))
    data = QueryDict(mutable=True)
    for inputs in edit.values.values():
        for name, given in inputs.items():
            data.setlist(name, given)
    form = model_admin.get_form(request, row, change=True)(data, instance=row, prefix=PREFIX)
    for name, field in form.fields.items():
        # All other fields keep their values.
        field.disabled = name not in edit.fields
    if not form.is_valid():
        raise RowRejected(_first_error(form))
    changes = {name: form.cleaned_data[name] for name in form.changed_data}
    if not changes:
        return False
    try:
        model_admin.update(request, model_admin.model._base_manager.get(pk=row.pk), changes)
    except PermissionDenied as error:
        raise NotAllowed from error
    model_admin._check_deferred_constraints()
    return True


def _first_error(form: forms.BaseForm) -> str:
    field, errors = next(iter(form.errors.items()))
    return f"{_label(form, field)}: {errors[0]}" if field in form.fields else str(errors[0])


def _verbose(model: type[Model], name: str) -> str:
    return str(cast(Field, model._meta.get_field(name)).verbose_name)


def _revert_row(edit: BulkEdit, model_admin: ModelAdmin, request: HttpRequest, key: str) -> bool:
    row = _row(model_admin, request, key)
    changeset = cast(Any, edit.undoes).rows.values_list("changeset_id", flat=True).get(object_key=key)
    change = next((each for each in model_admin.changes_of(row) if each.changeset_id == changeset), None)
    if change is None:
        raise CannotUndo(gettext("The history of this row no longer has the change."))
    if not model_admin.may_revert(request, row, {field.name for field in change.fields}):
        raise NotAllowed
    model_admin.revert(request, row, change)
    return True


def can_undo(edit: BulkEdit) -> bool:
    """Whether an edit changed rows of a model whose changes can be reverted, and was not undone."""
    model_admin = admin_of(edit)
    reverts = model_admin.has_history and model_admin.can_revert
    return reverts and not (edit.is_active or edit.undoes_id) and edit.changed > 0 and not edit.undone_by.exists()
