"""Reads of the audit: the objects and values of entries as people read them, and the changes of one object."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.db.models import Field, ForeignKey, Model, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext

from missionsite.common.audit.events import event_changes
from missionsite.common.audit.history import Change, FieldChange
from missionsite.common.audit.identities import identity_of
from missionsite.common.models import AuditEntry

LONGEST_VALUE = 2_000


def model_of(object_type: str) -> type[Model] | None:
    """The model of a kind of object; None for none, or one that no longer exists."""
    try:
        return apps.get_model(object_type)
    except (LookupError, ValueError):
        return None


def kind_label(object_type: str) -> str:
    """The name of a kind of object."""
    model = model_of(object_type)
    return str(capfirst(model._meta.verbose_name)) if model else ""


def objects_of(entries: Iterable[AuditEntry]) -> dict[tuple[str, str], Model]:
    """Return the objects of entries that exist, by kind and ID; one query per kind."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        if entry.object_id:
            wanted[entry.object_type].add(entry.object_id)
    found = {}
    for object_type, keys in wanted.items():
        if model := model_of(object_type):
            field = identity_of(object_type)
            for each in _with_links(model).filter(**{f"{field}__in": sorted(keys)}):
                found[object_type, str(getattr(each, field))] = each
    return found


Names = Mapping[tuple[str, str], str]


def names_of(entries: Iterable[AuditEntry]) -> Names:
    """Return the names of what changed foreign keys refer to, by model and key; one query per column referred to."""
    wanted: dict[tuple[type[Model], str], set[str]] = defaultdict(set)
    for entry in entries:
        model = model_of(entry.object_type)
        columns = _columns(model) if model else {}
        for column, values in _changed(entry).items():
            field = columns.get(column)
            if isinstance(field, ForeignKey) and isinstance(related := field.related_model, type):
                wanted[related, field.target_field.attname] |= {str(value) for value in values if value is not None}
    return {
        (model._meta.label_lower, str(getattr(each, key))): str(each)
        for (model, key), values in wanted.items()
        if values
        for each in _with_links(model).filter(**{f"{key}__in": sorted(values)})
    }


def field_changes(entry: AuditEntry, names: Names) -> list[FieldChange]:
    """Return the values before and after of an entry, as texts; none if they were erased. names: see names_of()."""
    content = entry.details.content if hasattr(entry, "details") else None
    if not content:
        return []
    model = model_of(entry.object_type)
    if (changed := _changed(entry)) and model:
        columns = _columns(model)
        return [
            FieldChange(
                column,
                str(capfirst(columns[column].verbose_name)) if column in columns else column,
                *(_text(columns.get(column), value, names) for value in values),
            )
            for column, values in sorted(changed.items())
        ]
    changes = event_changes(content.get("payload") or {})
    empty = gettext("empty")
    return [FieldChange(label, label, before or empty, after or empty) for label, before, after in changes]


def changes_of_object(object_type: str, object_id: str, *, prefix: str = "row.", limit: int = 200) -> list[Change]:
    """Return the changes of one object, newest first. prefix: the beginning of the actions of its entries."""
    entries = (
        AuditEntry.objects.filter(object_type=object_type, object_id=object_id, action__startswith=prefix)
        .select_related("actor__member", "details")
        .order_by("-occurred_at", "-pk")[:limit]
    )
    shown = list(entries)
    names = names_of(shown)
    return [_change(entry, names) for entry in shown]


def _change(entry: AuditEntry, names: Names) -> Change:
    kinds = {"added": "insert", "created": "insert", "deleted": "delete"}
    origin = (entry.details.origin if hasattr(entry, "details") else None) or {}
    return Change(
        pgh_id=entry.pk,
        when=entry.occurred_at,
        label=kinds.get(entry.action.rpartition(".")[2], "update"),
        actor=entry.actor.member if entry.actor else None,
        where=origin.get("url", ""),
        job=origin.get("job", ""),
        changeset_id=entry.changeset_id,
        fields=field_changes(entry, names),
    )


def _changed(entry: AuditEntry) -> Mapping[str, list]:
    """The changed columns of a row, with the values before and after."""
    content = (entry.details.content if hasattr(entry, "details") else None) or {}
    return content.get("changed") or {}


def _with_links(model: type[Model]) -> QuerySet:
    """The rows of a model with the objects they refer to, of which their names may be made."""
    links = [field.name for field in model._meta.concrete_fields if field.is_relation]
    return model._base_manager.select_related(*links)


def _columns(model: type[Model]) -> dict[str, Field]:
    return {str(field.column): field for field in model._meta.concrete_fields}


def _text(field: Field | None, value: Any, names: Names) -> str:
    """A stored value as a person reads it."""
    if value is None or value == "" or value == []:
        return gettext("empty")
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if field is not None and isinstance(related := field.related_model, type):
        return names.get((related._meta.label_lower, str(value)), gettext("(deleted)"))
    if field is not None and field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if field is not None and field.get_internal_type() == "DateTimeField" and (instant := parse_datetime(str(value))):
        return date_format(timezone.localtime(instant), "DATETIME_FORMAT")
    text = ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
