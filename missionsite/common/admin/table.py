"""Renders the rows of a change list as HTML in one pass.

A list of a hundred rows has a thousand cells. Unfold renders a template and looks up the column for each cell, which
takes longer than the rest of the page; here each column is looked up once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import label_for_field
from django.core.exceptions import FieldDoesNotExist
from django.db.models import BooleanField, Field, Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.templatetags.unfold_list import CHECKBOX_CLASSES, LINK_CLASSES, ROW_CLASSES
from unfold.utils import display_for_field, display_for_value
from unfold.widgets import CHECKBOX_CLASSES as BOX_CLASSES

if TYPE_CHECKING:
    from missionsite.common.admin.changelist import ChangeList

# Placeholder of the key in addresses that are reversed once for all rows.
_KEY = "00000000-0000-4000-8000-00000000face"


@cache
def _address(view_name: str) -> tuple[str, str]:
    """The parts before and after the key in the address of a view."""
    before, after = reverse(view_name, args=[_KEY]).split(_KEY)
    return before, after


def address_of(view_name: str, key: Any) -> str:
    """`reverse` with a cache, for a view that takes one key of letters, digits and hyphens."""
    before, after = _address(view_name)
    return f"{before}{key}{after}"


def render_rows(cl: ChangeList) -> SafeString:
    """The table body of a change list."""
    columns = [_Column(cl, name, number) for number, name in enumerate(cl.list_display)]
    html = []
    for number, obj in enumerate(cl.result_list):
        striped = " bg-base-50 dark:bg-white/[.02]" if number % 2 else ""
        cells = "".join([column.cell(obj) for column in columns])
        html.append(
            f'<tbody class="block relative lg:table-row-group{striped}"><tr class="data-row block border'
            " border-base-200 mb-3 relative rounded-default lg:table-row lg:border-none lg:mb-0 lg:rounded-none"
            f' dark:border-base-800">{cells}</tr></tbody>'
        )
    return mark_safe("".join(html))  # noqa: S308  (every value is escaped in its cell)


class _Column:
    """One column: how to read a value, how to show it, and the markup around it."""

    def __init__(self, cl: ChangeList, name: str, number: int) -> None:
        self.cl = cl
        self.is_checkbox = name == "action_checkbox"
        named = _("Select record") if self.is_checkbox else str(label_for_field(name, cl.model, cl.model_admin))
        heading = capfirst(named)
        classes = CHECKBOX_CLASSES if self.is_checkbox else [f"field-{name}", *ROW_CLASSES]
        # Unfold cuts cells that are too high, and capitalises every word of a heading on phones.
        omitted = ("h-[45px]", "overflow-hidden", "before:capitalize")
        classes = " ".join(klass for klass in classes if klass not in omitted)
        self.linked = name in (cl.list_display_links or ())
        self.tag = "th" if self.linked else "td"
        scope = ' scope="row"' if self.linked else ""
        self.start = f'<{self.tag}{scope} class="{classes}" data-label="{escape(heading)}">'
        self.end = f"</{self.tag}>"
        self.value, self.show = self._accessors(name)

    def cell(self, obj: Model) -> str:
        shown = self.show(self.value(obj))
        if self.linked:
            shown = f'<a href="{escape(self._link(obj))}" class="{" ".join(LINK_CLASSES)}">{shown}</a>'
        return f"{self.start}{shown}{self.end}"

    def _link(self, obj: Model) -> str:
        opts = self.cl.opts
        url = address_of(f"admin:{opts.app_label}_{opts.model_name}_change", obj.pk)
        if not self.cl.preserved_filters:
            return url
        return add_preserved_filters({"preserved_filters": self.cl.preserved_filters, "opts": opts}, url)

    def _accessors(self, name: str) -> tuple[Callable, Callable]:
        if self.is_checkbox:
            return (lambda obj: obj), _checkbox
        try:
            field: Field = self.cl.opts.get_field(name)
        except FieldDoesNotExist:
            method = getattr(self.cl.model_admin, name)
            return method, _formatter(method, self.cl.model_admin.get_empty_value_display())
        empty = self.cl.model_admin.get_empty_value_display()
        if isinstance(field, BooleanField):
            show = cache(lambda value: display_for_field(value, field, empty))
            return (lambda obj: getattr(obj, field.attname)), show
        if field.choices or not isinstance(field.get_internal_type(), str):
            return (lambda obj: getattr(obj, field.attname)), lambda value: display_for_field(value, field, empty)
        return (lambda obj: getattr(obj, field.attname)), _plain(empty, lambda v: display_for_field(v, field, empty))


def _formatter(method: Callable, empty: str) -> Callable:
    """A function that formats the return value of a display method."""
    empty = getattr(method, "empty_value_display", empty)
    if getattr(method, "boolean", False):
        return cache(lambda value: display_for_value(value, empty, boolean=True))
    return _plain(empty, lambda value: conditional_escape(display_for_value(value, empty)))


def _plain(empty: str, otherwise: Callable) -> Callable:
    def show(value: Any) -> str:
        if value is None or value == "":
            return conditional_escape(empty)
        if isinstance(value, str):
            return conditional_escape(value)
        return conditional_escape(otherwise(value))

    return show


@cache
def _box() -> str:
    return f'type="checkbox" name="{ACTION_CHECKBOX_NAME}" class="action-select {" ".join(BOX_CLASSES)}"'


def _checkbox(obj: Model) -> str:
    name = escape(gettext("Select %(name)s") % {"name": obj})
    return f'<input {_box()} value="{obj.pk}" aria-label="{name}">'


@cache
def label(text: str, variant: str) -> SafeString:
    """A coloured label, rendered once for each text and colour."""
    return mark_safe(render_to_string("unfold/helpers/label.html", {"text": text, "variant": variant}))  # noqa: S308
