"""The filters of a list as plain inputs of one form.

Built without a template for each input, which would take longer than querying the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.admin.widgets import AutocompleteSelect
from django.forms import DateField
from django.forms.utils import flatatt
from django.utils.formats import date_format
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter, RangeNumericFilter
from unfold.utils import parse_date_str

from missionsite.common.admin.conditions import MODIFIERS, PARAMETER, ConditionFilter

if TYPE_CHECKING:
    from missionsite.common.admin.changelist import ChangeList


def render_filters(cl: ChangeList) -> SafeString:
    """All filters of a list, and the other parameters of the address as hidden inputs."""
    shown = {name for spec in cl.filter_specs for name in spec.expected_parameters()}
    hidden = [
        format_html('<input type="hidden" name="{}" value="{}">', name, value)
        for name, values in cl.filter_params.items()
        if name not in shown
        for value in values
    ]
    return mark_safe("".join([*hidden, *(_filter(spec, cl) for spec in cl.filter_specs)]))  # noqa: S308


class ActiveFilter(NamedTuple):
    """A filter that restricts a list: its title and value, and the address of the list without it."""

    title: str
    value: str
    link: str


def active_filters(cl: ChangeList) -> list[ActiveFilter]:
    """The search and the filters that restrict a list, in the order of its filters."""
    found = [ActiveFilter(gettext("Search"), cl.query, cl.get_query_string({SEARCH_VAR: None}))] if cl.query else []
    for spec in cl.filter_specs:
        if isinstance(spec, ConditionFilter):
            found += _conditions(spec, cl)
            continue
        names = [name for name in spec.expected_parameters() if any(cl.filter_params.get(name, ()))]
        if names:
            link = cl.get_query_string(dict.fromkeys(names))
            found.append(ActiveFilter(capfirst(str(spec.title)), _value(spec, cl), link))
    return found


def _conditions(spec: ConditionFilter, cl: ChangeList) -> list[ActiveFilter]:
    """The conditions of a list, each with the address of the list with the others."""
    return [
        ActiveFilter(
            each.column.label,
            " ".join(filter(None, (str(MODIFIERS[each.modifier]), each.value))),
            cl.get_query_string({PARAMETER: [other for other in spec.given if other != each.given] or None}),
        )
        for each in spec.conditions
    ]


def _value(spec: Any, cl: ChangeList) -> str:
    """The value of an active filter, as a person reads it."""
    form = next(iter(spec.choices(cl)))["form"]
    if isinstance(spec, RangeDateFilter | RangeNumericFilter):
        start, end = (_day(form.data.get(name) or "") for name in form.fields)
        if start and end:
            return gettext("{start} to {end}").format(start=start, end=end)
        return gettext("from {start}").format(start=start) if start else gettext("until {end}").format(end=end)
    ((name, field),) = form.fields.items()
    value = str(form.data.get(name) or "")
    if isinstance(field.widget, AutocompleteSelect):
        options = [option for _, group, _ in field.widget.optgroups(name, [value]) for option in group]
        return next((str(option["label"]) for option in options if option["selected"]), value)
    if hasattr(field, "choices"):
        return next((str(label) for key, label in field.choices if str(key) == value), value)
    return _day(value) if isinstance(field, DateField) else value


def _day(value: str) -> str:
    """A day as the site writes it; other text unchanged."""
    day = parse_date_str(value) if "-" in value[1:] else None
    return date_format(day) if day else value


def _filter(spec: Any, cl: ChangeList) -> str:
    if isinstance(spec, ConditionFilter):
        return spec.render()
    title = capfirst(str(spec.title))
    form = next(iter(spec.choices(cl)))["form"]
    if isinstance(spec, RangeDateFilter | RangeNumericFilter):
        kind = "date" if isinstance(spec, RangeDateFilter) else "number"
        ends = zip(form.fields, (_("From"), _("To")), strict=True)
        boxes = "".join(
            format_html(
                '<label>{} <input type="{}" name="{}" value="{}"></label>', end, kind, name, form.data.get(name) or ""
            )
            for name, end in ends
        )
        return format_html("<fieldset><legend>{}</legend>{}</fieldset>", title, mark_safe(boxes))  # noqa: S308
    ((name, field),) = form.fields.items()
    value = form.data.get(name)
    value = "" if value is None else str(value)
    if isinstance(field.widget, AutocompleteSelect):
        control = _autocomplete(name, field, value)
    elif hasattr(field, "choices"):
        options = "".join(
            f'<option value="{escape(str(key))}"{" selected" if str(key) == value else ""}>{conditional_escape(text)}'
            "</option>"
            for key, text in field.choices
        )
        control = f'<select name="{escape(name)}">{options}</select>'
    else:
        kind = "date" if isinstance(field, DateField) else "text"
        control = format_html('<input type="{}" name="{}" value="{}">', kind, name, value)
    return f"<label><span>{escape(title)}</span>{control}</label>"


def _autocomplete(name: str, field: Any, value: str) -> str:
    """A select with autocomplete; its only option is the selected one."""
    attrs = flatatt(field.widget.build_attrs(field.widget.attrs, {"style": "width: 100%"}))
    selected = "".join(
        format_html('<option value="{}" selected>{}</option>', option["value"], option["label"])
        for _, options, _ in (field.widget.optgroups(name, [value]) if value else [])
        for option in options
        if option["selected"]
    )
    return f'<select name="{escape(name)}"{attrs}><option value=""></option>{selected}</select>'
