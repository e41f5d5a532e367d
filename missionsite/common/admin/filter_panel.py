"""The filters of a list as plain inputs of one form.

Built without a template for each input, which would take longer than querying the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.admin.widgets import AutocompleteSelect
from django.forms import DateField
from django.forms.utils import flatatt
from django.utils.html import conditional_escape, escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import RangeDateFilter, RangeNumericFilter

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


def _filter(spec: Any, cl: ChangeList) -> str:
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
