from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any, cast

from django.apps import apps
from django.core import serializers
from django.core.management.base import CommandError
from django.core.management.commands.loaddata import Command as LoaddataCommand
from django.core.serializers.base import DeserializedObject
from django.db import connections
from django.db.models import AutoField, Field, Model

from missionsite.common.roles import as_owner

EXAMPLES = "seeds"
# Keys that a fixture may skip.
MOST_STEPS = 1_000_000
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Command(LoaddataCommand):
    """Django's loaddata, except that the example data (`seeds`) of an app is loaded only once.

    Loading it again would reset rows that were edited since, which constraints may forbid.
    The dates in the examples of an app with `seeds_written_on` are shifted by the days since then, so that the examples
    are always equally old; see days_to_shift(). If a number of an example is taken by another row, the database
    generates a new one: for auto-increment keys, and for the fields that an app names in `seeds_numbered` as
    {model name: field}. After loading, the app's `seeds_loaded(rows)` is called.
    """

    def handle(self, *fixture_labels: Any, **options: Any) -> None:
        """Load as the owner of the tables, whose events keep the times of the examples; the site's are always new."""
        if connections[options["database"]].in_atomic_block:
            super().handle(*fixture_labels, **options)
            return
        with as_owner():
            super().handle(*fixture_labels, **options)

    def find_fixtures(self, fixture_label: Any) -> Any:
        found = super().find_fixtures(fixture_label)
        return [each for each in found if each[2] != EXAMPLES or not self._is_loaded(each[0])]

    def load_label(self, fixture_label: Any) -> Any:
        self._are_examples = fixture_label == EXAMPLES
        self._loaded: dict[str, list[Model]] = {}
        # By table: whether the connected role may update its rows.
        self._updatable: dict[str, bool] = {}
        # New values of replaced numbers: texts by old value, keys by model and old value.
        self._new_texts: dict[str, str] = {}
        self._new_keys: dict[tuple[type[Model], int], int] = {}
        super().load_label(fixture_label)
        for app_label, rows in self._loaded.items():
            if loaded := getattr(apps.get_app_config(app_label), "seeds_loaded", None):
                loaded(rows)

    def reset_sequences(self, connection: Any, models: Iterable[type[Model]]) -> None:
        """Move the sequence of each key beyond the loaded rows, step by step: the site's role may not call setval."""
        with connection.cursor() as cursor:
            for model in models:
                key = model._meta.pk
                if not isinstance(key, AutoField):
                    continue
                table, column = model._meta.db_table, key.column
                cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [connection.ops.quote_name(table), column])
                (sequence,) = cursor.fetchone()
                cursor.execute(f"SELECT coalesce(max({column}), 0) FROM {table}")  # noqa: S608  (names of models)
                (highest,) = cursor.fetchone()
                cursor.execute(f"SELECT last_value, is_called FROM {sequence}")  # noqa: S608
                last, is_called = cursor.fetchone()
                steps = highest - (last if is_called else last - 1)
                if steps > MOST_STEPS:
                    raise CommandError(f"{table}: the key {highest} is too far from the last one, {last}.")
                cursor.execute("SELECT nextval(%s) FROM generate_series(1, %s)", [sequence, steps])

    def save_obj(self, obj: DeserializedObject) -> bool:
        if not self._are_examples:
            return super().save_obj(obj)
        row = obj.object
        if days := days_to_shift(row._meta.app_config, datetime.now(UTC).date()):
            for field in _writable_fields(row):
                setattr(row, field.attname, shift_dates(getattr(row, field.attname), timedelta(days=days)))
        self._replace_references(row)
        taken = {
            field: getattr(row, field.attname) for field in self._generated_fields(row) if self._is_taken(row, field)
        }
        for field in taken:
            setattr(row, field.attname, None if field.primary_key else field.get_default())
        table = row._meta.db_table
        if table not in self._updatable:
            self._updatable[table] = may_update(table, self.using)
        if taken or not self._updatable[table]:
            # Django would first try an UPDATE.
            cast(Any, obj).save = partial(obj.save, force_insert=True)
        saved = super().save_obj(obj)
        if saved and taken:
            row.refresh_from_db(using=self.using)
            for field, before in taken.items():
                self._record_new_value(row, field, before)
        if saved:
            self._loaded.setdefault(row._meta.app_label, []).append(row)
        return saved

    def _generated_fields(self, row: Model) -> list[Any]:
        """The fields whose value the database generates."""
        named = getattr(row._meta.app_config, "seeds_numbered", {}).get(row._meta.model_name)
        fields = [row._meta.get_field(named)] if named else []
        return [row._meta.pk, *fields] if isinstance(row._meta.pk, AutoField) else fields

    def _is_taken(self, row: Model, field: Field) -> bool:
        """Whether another row has or had this number."""
        value = getattr(row, field.attname)
        if getattr(type(row), "made_by_database", False) and field.primary_key:
            return False
        others = type(row)._base_manager.using(self.using).filter(**{field.attname: value})
        if field.primary_key:
            return others.exists()
        if others.exclude(pk=row.pk).exists():
            return True
        with connections[self.using].cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM retired_stable_ids WHERE stable_id = %s)", [str(value)])
            return cursor.fetchone()[0]

    def _record_new_value(self, row: Model, field: Field, before: str | int) -> None:
        after = getattr(row, field.attname)
        if field.primary_key:
            self._new_keys[type(row), cast(int, before)] = after
        elif isinstance(before, str):
            self._new_texts[before] = after

    def _replace_references(self, row: Model) -> None:
        """Replace references to replaced numbers."""
        for field in _writable_fields(row):
            value = getattr(row, field.attname)
            if field.remote_field and (field.remote_field.model, value) in self._new_keys:
                setattr(row, field.attname, self._new_keys[field.remote_field.model, value])
            elif isinstance(value, str) and field not in self._generated_fields(row):
                setattr(row, field.attname, self._new_texts.get(value, value))

    def _is_loaded(self, path: str) -> bool:
        """Whether any row of a fixture exists, except rows that the database creates itself."""
        with open(path, encoding="utf-8") as file:
            rows = [each.object for each in serializers.deserialize("json", file, handle_forward_references=True)]
        return any(
            self._has_any(model, list(of_model))
            for model, of_model in groupby(rows, type)
            if not getattr(model, "made_by_database", False)
        )

    def _has_any(self, model: type[Model], rows: list[Model]) -> bool:
        """Whether any of the rows exists: by key, or by unique fields for auto-increment keys."""
        fields = [model._meta.pk]
        if isinstance(model._meta.pk, AutoField):
            fields = [field for field in model._meta.concrete_fields if field.unique and not field.primary_key]
        return any(
            model._base_manager.using(self.using)
            .filter(**{f"{field.attname}__in": [getattr(row, field.attname) for row in rows]})
            .exists()
            for field in fields
        )


def _writable_fields(row: Model) -> list[Field]:
    """The concrete fields of a row except generated columns."""
    return [field for field in row._meta.concrete_fields if not field.generated]


def may_update(table: str, using: str) -> bool:
    """Whether the connected role may update rows of a table, which it may not in append-only tables."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'UPDATE')", [table])
        return cursor.fetchone()[0]


def days_to_shift(app: Any, today: date) -> int:
    """The days by which the dates in the examples of an app are shifted.

    With `seeds_written_on`, to the present. With `seeds_end_on`, only back, where the clock is before that day: nothing
    in the examples may be from the future.
    """
    if written := getattr(app, "seeds_written_on", None):
        return (today - written).days
    end = getattr(app, "seeds_end_on", today)
    return min(0, (today - end).days)


def shift_dates(value: Any, by: timedelta) -> Any:
    """A value with all dates and date-times in it shifted; other values unchanged."""
    if isinstance(value, date):
        return value + by
    if isinstance(value, str) and INSTANT.fullmatch(value):
        return (datetime.fromisoformat(value) + by).isoformat()
    if isinstance(value, list):
        return [shift_dates(each, by) for each in value]
    if isinstance(value, dict):
        return {key: shift_dates(each, by) for key, each in value.items()}
    return value
