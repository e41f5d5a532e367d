"""Formatting of links, badges, dates and numbers in the back office."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode

from missionsite.common.admin.table import address_of, label
from missionsite.common.annotations import StrOrPromise
from missionsite.common.audit.events import event_details

EMPTY = "–"  # noqa: RUF001


def link_to(obj: Model | None, text: StrOrPromise = "") -> str:
    """A link to the page of an object. An object's `admin_model` names another model whose page shows it."""
    if obj is None:
        return EMPTY
    options = getattr(obj, "admin_model", type(obj))._meta
    address = address_of(f"admin:{options.app_label}_{options.model_name}_change", obj.pk)
    return format_html('<a class="row-link" href="{}">{}</a>', address, text or str(obj))


def list_url(model: type[Model], **filters: Any) -> str:
    """The address of a list with filters."""
    base = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{base}?{urlencode(filters)}" if filters else base


def badge(text: StrOrPromise, variant: str) -> str:
    """A coloured label. variant: one of Unfold's label variants, such as "success"."""
    return label(str(text), variant)


def definition_list(lines: Iterable[tuple[StrOrPromise, StrOrPromise]]) -> str:
    """Pairs of a name and a value as a definition list."""
    return format_html('<dl class="details">{}</dl>', format_html_join("", "<div><dt>{}</dt><dd>{}</dd></div>", lines))


def format_payload(payload: Mapping[str, Any] | None) -> str:
    """The fields of a JSON object as a definition list, with the labels of the fields of events."""
    details = event_details(payload or {})
    return definition_list(details) if details else EMPTY


def format_datetime(instant: datetime | None) -> str:
    """A date and time in the current time zone, to the minute."""
    return date_format(timezone.localtime(instant), "DATETIME_FORMAT") if instant else EMPTY


def format_number(value: int | None) -> str:
    """A number with a thousands separator."""
    return number_format(value or 0, force_grouping=True)
