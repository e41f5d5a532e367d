"""List filters. Invalid values are ignored."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import RangeDateFilter, RangeNumericFilter, TextFilter
from unfold.utils import parse_date_str

from missionsite.common.admin.tabs import read_day


class PeriodFilter(RangeDateFilter):
    """Filters a date-time by whole days in the current time zone, both ends included."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if start := self._day("_from"):
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": start})
        if end := self._day("_to"):
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": end + timedelta(days=1)})
        return queryset

    def _day(self, end: str) -> datetime | None:
        day = parse_date_str(self.used_parameters.get(f"{self.parameter_name}{end}") or "")
        if day is None or not 1900 <= day.year <= 9000:
            return None
        return timezone.make_aware(datetime.combine(day, time.min))


class NumberFilter(RangeNumericFilter):
    """Filters an integer by a range, both ends included."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        for end, lookup in (("_from", "gte"), ("_to", "lte")):
            given = self.used_parameters.get(f"{self.parameter_name}{end}") or ""
            try:
                queryset = queryset.filter(**{f"{self.parameter_name}__{lookup}": int(given)})
            except ValueError:
                continue
        return queryset


class _DayForm(forms.Form):
    def __init__(self, name: str, label: str, data: Any) -> None:
        super().__init__(data)
        self.fields[name] = forms.DateField(label=label, required=False, widget=forms.DateInput({"type": "date"}))


class DayFilter(TextFilter):
    """Filters by one day. Set `title` and `parameter_name` in a subclass, and write `rows_on`."""

    form_class = _DayForm

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        day = read_day(self.value())
        return self.rows_on(queryset, day) if day else queryset

    def rows_on(self, queryset: QuerySet, day: date) -> QuerySet:
        raise NotImplementedError


class ExactTextFilter(TextFilter):
    """Filters by the exact text of a column. Set `column` in a subclass."""

    column = ""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if value := (self.value() or "").replace("\x00", "").strip():
            return queryset.filter(**{self.column: value})
        return queryset
