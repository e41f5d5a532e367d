"""Conditions on the fields of a list: is empty, contains, starts with, before, after, between and others.

A condition is a parameter of the address, `where=organization.starts.Coop`; a list may have several. They are on the
fields that the list and its pages show. One that is not valid is rejected and not ignored: without it the list, and
what is done with its rows, would be wider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib.admin import ListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from missionsite.common.admin.tabs import read_day
from missionsite.common.annotations import StrOrPromise

if TYPE_CHECKING:
    from missionsite.common.admin.options import ModelAdmin

PARAMETER = "where"
# The inputs of a new condition, which joined() makes a parameter of.
INPUTS = ("where_field", "where_is", "where_value", "where_until")
MOST = 10
LONGEST = 200
# What separates the ends of a range.
TO = ".."

_TEXT = (models.CharField, models.TextField)
_NUMBER = (models.IntegerField, models.DecimalField, models.FloatField)
_EMPTY = ("empty", "filled")
BY_KIND: dict[str, tuple[str, ...]] = {
    "text": ("contains", "starts", "is", "not", *_EMPTY),
    "number": ("is", "not", "min", "max", "between", *_EMPTY),
    "day": ("on", "before", "after", "between", *_EMPTY),
    "related": _EMPTY,
}
MODIFIERS: dict[str, StrOrPromise] = {
    "contains": _("contains"),
    "starts": _("starts with"),
    "is": _("is"),
    "not": _("is not"),
    "min": _("is at least"),
    "max": _("is at most"),
    "on": _("on"),
    "before": _("before"),
    "after": _("after"),
    "between": _("between"),
    "empty": _("is empty"),
    "filled": _("is not empty"),
}
# The lookups of modifiers.
_LOOKUPS = {"contains": "icontains", "starts": "istartswith", "is": "iexact", "min": "gte", "max": "lte"}


class Column(NamedTuple):
    """A field that can have conditions. kind: of BY_KIND."""

    name: str
    label: str
    kind: str
    field: models.Field


class Condition(NamedTuple):
    """One condition, as the address has it (`given`), as a filter of rows, and as a person reads it."""

    given: str
    column: Column
    modifier: str
    rows: Q
    value: str


def columns_of(model_admin: ModelAdmin) -> dict[str, Column]:
    """The fields that conditions can be on: those that the list offers or filters, or the page of an object shows."""
    filtered = [each[0] for each in model_admin.list_filter if isinstance(each, tuple)]
    names: list[Any] = [*model_admin.list_display, *model_admin.optional_columns, *filtered]
    names += flatten_fieldsets(model_admin.fieldsets or [(None, {"fields": model_admin.fields or ()})])
    found = {}
    for name in dict.fromkeys(names):
        try:
            field = model_admin.opts.get_field(name) if isinstance(name, str) else None
        except FieldDoesNotExist:
            continue
        if isinstance(field, models.Field) and (kind := _kind(field)):
            found[field.name] = Column(field.name, capfirst(str(field.verbose_name)), kind, field)
    return found


def _kind(field: models.Field) -> str:
    if field.choices:
        # The list has a filter of its own for them, or shows them as a badge.
        return ""
    if isinstance(field, models.ForeignKey):
        return "related" if field.null else ""
    if isinstance(field, models.DateField):
        return "day"
    if isinstance(field, _NUMBER):
        return "number"
    return "text" if isinstance(field, _TEXT) else ""


def joined(request: HttpRequest) -> HttpResponseRedirect | None:
    """Redirect to the address with a condition as one parameter, if the form of the filters was submitted."""
    if not any(name in request.GET for name in INPUTS):
        return None
    query = request.GET.copy()
    field, modifier, value, until = ((query.pop(name, [""])[-1]).strip() for name in INPUTS)
    if field and modifier:
        both = f"{value}{TO}{until}" if modifier == "between" else value
        given = f"{field}.{modifier}" if modifier in _EMPTY else f"{field}.{modifier}.{both}"
        query.setlist(PARAMETER, [*dict.fromkeys([*query.getlist(PARAMETER), given])])
    return HttpResponseRedirect(f"{request.path}?{query.urlencode(safe=',')}")


class ConditionFilter(ListFilter):
    """The conditions of a list."""

    title = _("Conditions")

    def __init__(self, request: HttpRequest, params: dict, model: type[models.Model], model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.columns = columns_of(model_admin)
        self.given = [text for text in params.pop(PARAMETER, []) if text]
        if len(self.given) > MOST:
            raise IncorrectLookupParameters
        self.conditions = [read_condition(text, self.columns) for text in self.given]
        if self.given:
            self.used_parameters[PARAMETER] = self.given

    def has_output(self) -> bool:
        return bool(self.columns)

    def expected_parameters(self) -> list[str | None]:
        return [PARAMETER]

    def choices(self, changelist: Any) -> Iterator[Any]:
        return iter(())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        for condition in self.conditions:
            queryset = queryset.filter(condition.rows)
        return queryset

    def render(self) -> SafeString:
        """The conditions that there are, each with a tick to keep it, and the inputs of one more."""
        parts = [
            format_html(
                '<label class="condition"><input type="checkbox" name="{}" value="{}" checked> {}</label>',
                PARAMETER,
                each.given,
                describe(each),
            )
            for each in self.conditions
        ]
        fields = "".join(
            format_html('<option value="{}" data-kind="{}">{}</option>', each.name, each.kind, each.label)
            for each in self.columns.values()
        )
        modifiers = "".join(
            format_html(
                '<option value="{}" data-kinds="{}">{}</option>',
                name,
                " ".join(kind for kind, names in BY_KIND.items() if name in names),
                text,
            )
            for name, text in MODIFIERS.items()
        )
        return format_html(
            '<fieldset class="conditions"><legend>{}</legend>{}<label>{}<select name="where_field"><option value="">'
            '</option>{}</select></label><label>{}<select name="where_is">{}</select></label><label>{}<input'
            ' name="where_value" maxlength="{}"></label><label>{}<input name="where_until" maxlength="{}"></label>'
            "</fieldset>",
            self.title,
            mark_safe("".join(parts)),  # noqa: S308
            gettext("Field"),
            mark_safe(fields),  # noqa: S308
            gettext("Condition"),
            mark_safe(modifiers),  # noqa: S308
            gettext("Value"),
            LONGEST,
            gettext("And (for “between”)"),
            LONGEST,
        )


def describe(condition: Condition) -> str:
    """A condition as a person reads it: field, modifier, value."""
    return " ".join(filter(None, (condition.column.label, str(MODIFIERS[condition.modifier]), condition.value)))


def read_condition(given: str, columns: dict[str, Column]) -> Condition:
    """Read a condition of an address. Raises IncorrectLookupParameters for one that is not valid."""
    name, modifier, value = [*given.split(".", 2), "", ""][:3]
    column = columns.get(name)
    if column is None or modifier not in BY_KIND[column.kind] or "\x00" in value or len(value) > 2 * LONGEST:
        raise IncorrectLookupParameters
    if modifier in _EMPTY:
        empty = _empty(column.field)
        return Condition(given, column, modifier, empty if modifier == "empty" else ~empty, "")
    if not value:
        raise IncorrectLookupParameters
    rows, shown = _READERS[column.kind](column, modifier, value)
    return Condition(given, column, modifier, rows, shown)


def _empty(field: models.Field) -> Q:
    nothing = Q(**{f"{field.name}__isnull": True})
    return nothing | Q(**{field.name: ""}) if isinstance(field, _TEXT) else nothing


def _text(column: Column, modifier: str, value: str) -> tuple[Q, str]:
    same = Q(**{f"{column.name}__{_LOOKUPS.get(modifier, 'iexact')}": value})
    return (~same if modifier == "not" else same), value


def _number(column: Column, modifier: str, value: str) -> tuple[Q, str]:
    first, last = _ends(modifier, value, _read_number)
    if modifier == "between":
        shown = gettext("{start} and {end}").format(start=number_format(first), end=number_format(last))
        return Q(**{f"{column.name}__range": (first, last)}), shown
    name = f"{column.name}__{_LOOKUPS[modifier]}" if modifier in ("min", "max") else column.name
    rows = Q(**{name: first})
    return (~rows if modifier == "not" else rows), number_format(first, force_grouping=True)


def _read_number(text: str) -> Decimal:
    try:
        number = Decimal(text.replace(",", ".").strip())
    except InvalidOperation as error:
        raise IncorrectLookupParameters from error
    # Within a bigint, and no NaN.
    if not number.is_finite() or abs(number) >= 2**63:
        raise IncorrectLookupParameters
    return number


def _day(column: Column, modifier: str, value: str) -> tuple[Q, str]:
    """Days are whole days in the current time zone; the ends of a range belong to it."""
    first, last = _ends(modifier, value, _read_day)
    has_time = isinstance(column.field, models.DateTimeField)

    def start(day: Any) -> Any:
        return timezone.make_aware(datetime.combine(day, time.min)) if has_time else day

    after = start(last + timedelta(days=1))
    match modifier:
        case "before":
            rows = Q(**{f"{column.name}__lt": start(first)})
        case "after":
            rows = Q(**{f"{column.name}__gte": after})
        case _:
            rows = Q(**{f"{column.name}__gte": start(first), f"{column.name}__lt": after})
    if modifier == "between":
        return rows, gettext("{start} and {end}").format(start=date_format(first), end=date_format(last))
    return rows, date_format(first)


def _read_day(text: str) -> Any:
    day = read_day(text)
    if day is None:
        raise IncorrectLookupParameters
    return day


def _ends(modifier: str, value: str, read: Callable[[str], Any]) -> tuple[Any, Any]:
    """The ends of a range; for all other modifiers, the same value twice."""
    if modifier != "between":
        return read(value), read(value)
    first, separator, last = value.partition(TO)
    if not separator:
        raise IncorrectLookupParameters
    return read(first), read(last)


_READERS: dict[str, Callable[[Column, str, str], tuple[Q, str]]] = {"text": _text, "number": _number, "day": _day}
