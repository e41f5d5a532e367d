"""The export of a list: the rows that it shows with its search and filters, with its columns, as CSV, XLSX or JSON.

It has the address of the list with `_export=csv`, and so its permission. It asks for a recent proof of identity,
and is recorded in the security log.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import date
from html import unescape
from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import label_for_field
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext, override

from missionsite.common.admin.formats import EMPTY
from missionsite.common.csvfiles import safe_cell
from missionsite.common.downloads import download, download_file, prompt_for_export
from missionsite.common.sheets import XLSX, write_xlsx

if TYPE_CHECKING:
    from missionsite.common.admin.options import ModelAdmin

PARAMETER = "_export"
FORMATS = {"csv": "CSV", "xlsx": "XLSX", "json": "JSON"}
# Rows read from the database at a time, so that memory does not depend on their number.
CHUNK = 2_000


def export_list(model_admin: ModelAdmin, request: HttpRequest, kind: str) -> HttpResponseBase:
    """The file with the rows of a list. kind: one of FORMATS. The request has the filters of the list."""
    if prompt := prompt_for_export(request, request.path):
        return prompt
    try:
        shown = model_admin.get_changelist_instance(request)
    except IncorrectLookupParameters:
        return HttpResponseRedirect(f"{request.path}?e=1")
    # A file has the same texts for everyone. Its rows are read after the response has left the middleware, in English.
    with override("en"):
        return _file_of(shown, model_admin, kind)


def _file_of(shown: Any, model_admin: ModelAdmin, kind: str) -> HttpResponseBase:
    names = [name for name in shown.list_display if name != "action_checkbox"]
    headings = ["ID", *(capfirst(str(label_for_field(name, shown.model, model_admin))) for name in names)]
    columns = [_column(shown, name) for name in names]

    def rows() -> Iterator[list[str]]:
        for obj in shown.queryset.iterator(chunk_size=CHUNK):
            yield [str(obj.pk), *(column(obj) for column in columns)]

    plural = slugify(str(shown.opts.verbose_name_plural))
    name = f"{plural}-{timezone.localdate().isoformat()}.{kind}"
    if kind == "xlsx":
        return download_file(lambda: write_xlsx(_all(headings, rows())), name=name, content_type=XLSX)
    if kind == "json":
        return download(lambda: _json(headings, rows()), name=name, content_type="application/json")
    return download(lambda: _csv(headings, rows()), name=name, content_type="text/csv; charset=utf-8")


def _column(shown: Any, name: str) -> Callable[[Model], str]:
    """A function that returns the text of a cell, as the list shows it; times in ISO 8601."""
    try:
        field = shown.opts.get_field(name)
    except FieldDoesNotExist:
        method = getattr(shown.model_admin, name)
        return lambda obj: _text(method(obj))
    if field.choices:
        return lambda obj: _text(getattr(obj, f"get_{name}_display")())
    return lambda obj: _text(getattr(obj, field.attname))


def _text(value: Any) -> str:
    if value is None or value == EMPTY:
        return ""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, date):
        return value.isoformat()
    # Only what a list would not escape has tags.
    return unescape(" ".join(strip_tags(value).split())) if isinstance(value, SafeString) else str(value)


def _all(headings: list[str], rows: Iterator[list[str]]) -> Iterator[list[str]]:
    yield headings
    yield from rows


def _csv(headings: list[str], rows: Iterator[list[str]]) -> Iterator[str]:
    # Spreadsheets read UTF-8 only with a byte order mark.
    yield "\ufeff"
    for row in _all(headings, rows):
        text = io.StringIO()
        csv.writer(text).writerow([safe_cell(cell) for cell in row])
        yield text.getvalue()


def _json(headings: list[str], rows: Iterator[list[str]]) -> Iterator[str]:
    """An array with one object a line."""
    separator = "[\n"
    for row in rows:
        yield separator + json.dumps(dict(zip(headings, row, strict=True)), ensure_ascii=False)
        separator = ",\n"
    yield "[]\n" if separator == "[\n" else "\n]\n"
