from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from itertools import groupby

from django.apps import apps
from django.core import serializers
from django.core.management.commands.loaddata import Command as LoaddataCommand
from django.db import connections
from django.db.models import AutoField, Field, Model

EXAMPLES = "seeds"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Command(LoaddataCommand):
    """Django's loaddata, which leaves example data alone once it is there: by then people have worked with it.

    Loading a row again would set it back to how it was, which rules forbid where other rows have followed it since.
    Examples of an app with `seeds_written_on` are as old as on that day, whenever they are loaded: every instant in
    them is moved by whole days. Where a number of an example is taken by another row, the database gives it a new one:
    the key of a table that counts, and the fields an app names in `seeds_numbered`, as {model name: field}. After its
    examples were loaded an app is called with the rows: `seeds_loaded(rows)`.
    """

    def find_fixtures(self, fixture_label):
        found = super().find_fixtures(fixture_label)
        return [each for each in found if each[2] != EXAMPLES or not self._is_there(each[0])]

    def load_label(self, fixture_label):
        self._are_examples = fixture_label == EXAMPLES
        self._loaded: dict[str, list[Model]] = {}
        # What numbers of examples became: texts by their value, keys by model and value.
        self._texts: dict[str, str] = {}
        self._keys: dict[tuple[type[Model], int], int] = {}
        super().load_label(fixture_label)
        for app_label, rows in self._loaded.items():
            if loaded := getattr(apps.get_app_config(app_label), "seeds_loaded", None):
                loaded(rows)

    def save_obj(self, obj):
        if not self._are_examples:
            return super().save_obj(obj)
        row = obj.object
        written = getattr(row._meta.app_config, "seeds_written_on", None)
        if written:
            days = timedelta(days=max(0, (datetime.now(UTC).date() - written).days))
            for field in _written(row):
                setattr(row, field.attname, later(getattr(row, field.attname), days))
        self._follow_numbers(row)
        taken = {field: getattr(row, field.attname) for field in self._numbers(row) if self._is_taken(row, field)}
        for field in taken:
            setattr(row, field.attname, None if field.primary_key else field.get_default())
        if taken or not may_update(row._meta.db_table, self.using):
            # Django would first look by an UPDATE whether the row is there.
            obj.save = partial(obj.save, force_insert=True)
        saved = super().save_obj(obj)
        if saved and taken:
            row.refresh_from_db(using=self.using)
            for field, before in taken.items():
                self._note(row, field, before)
        if saved:
            self._loaded.setdefault(row._meta.app_label, []).append(row)
        return saved

    def _numbers(self, row: Model) -> list[Field]:
        """The fields of a row whose value the database gives."""
        named = getattr(row._meta.app_config, "seeds_numbered", {}).get(row._meta.model_name)
        fields = [row._meta.get_field(named)] if named else []
        return [row._meta.pk, *fields] if isinstance(row._meta.pk, AutoField) else fields

    def _is_taken(self, row: Model, field: Field) -> bool:
        """Whether another row has this number, or has had it."""
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

    def _note(self, row: Model, field: Field, before: str | int) -> None:
        after = getattr(row, field.attname)
        if field.primary_key:
            self._keys[type(row), before] = after
        elif isinstance(before, str):
            self._texts[before] = after

    def _follow_numbers(self, row: Model) -> None:
        """Let a row point to what its numbers became."""
        for field in _written(row):
            value = getattr(row, field.attname)
            if field.remote_field and (field.remote_field.model, value) in self._keys:
                setattr(row, field.attname, self._keys[field.remote_field.model, value])
            elif isinstance(value, str) and field not in self._numbers(row):
                setattr(row, field.attname, self._texts.get(value, value))

    def _is_there(self, path: str) -> bool:
        """Whether any row of a fixture is in the database; those the database makes by itself say nothing."""
        with open(path, encoding="utf-8") as file:
            rows = [each.object for each in serializers.deserialize("json", file, handle_forward_references=True)]
        return any(
            self._has_one_of(model, list(of_model))
            for model, of_model in groupby(rows, type)
            if not getattr(model, "made_by_database", False)
        )

    def _has_one_of(self, model: type[Model], rows: list[Model]) -> bool:
        """Whether one of the rows is in the database. A key that counts may be another row's: then by unique fields."""
        fields = [model._meta.pk]
        if isinstance(model._meta.pk, AutoField):
            fields = [field for field in model._meta.concrete_fields if field.unique and not field.primary_key]
        return any(
            model._base_manager.using(self.using)
            .filter(**{f"{field.attname}__in": [getattr(row, field.attname) for row in rows]})
            .exists()
            for field in fields
        )


def _written(row: Model) -> list[Field]:
    """The fields of a row that are written; the others the database computes."""
    return [field for field in row._meta.concrete_fields if not field.generated]


@cache
def may_update(table: str, using: str) -> bool:
    """Whether the site may change rows of a table; of a log it may not."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'UPDATE')", [table])
        return cursor.fetchone()[0]


def later(value, by: timedelta):
    """A value with every instant in it moved, and a day where it is one; anything else as it is."""
    if isinstance(value, date):
        return value + by
    if isinstance(value, str) and INSTANT.fullmatch(value):
        return (datetime.fromisoformat(value) + by).isoformat()
    if isinstance(value, list):
        return [later(each, by) for each in value]
    if isinstance(value, dict):
        return {key: later(each, by) for key, each in value.items()}
    return value
