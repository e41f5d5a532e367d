from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import groupby

from django.core import serializers
from django.core.management.commands.loaddata import Command as LoaddataCommand
from django.db import connections

EXAMPLES = "seeds"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


class Command(LoaddataCommand):
    """Django's loaddata, which leaves example data alone once it is there: by then people have worked with it.

    Loading a row again would set it back to how it was, which rules forbid where other rows have followed it since.
    Examples of an app with `seeds_written_on` are as old as on that day, whenever they are loaded: every instant in
    them is moved by whole days.
    """

    def find_fixtures(self, fixture_label):
        found = super().find_fixtures(fixture_label)
        return [each for each in found if each[2] != EXAMPLES or not self._is_there(each[0])]

    def load_label(self, fixture_label):
        self._are_examples = fixture_label == EXAMPLES
        super().load_label(fixture_label)

    def save_obj(self, obj):
        written = getattr(obj.object._meta.app_config, "seeds_written_on", None)
        if self._are_examples and written:
            days = timedelta(days=max(0, (datetime.now(UTC).date() - written).days))
            for field in obj.object._meta.concrete_fields:
                setattr(obj.object, field.attname, later(getattr(obj.object, field.attname), days))
        if self._are_examples and not may_update(obj.object._meta.db_table, self.using):
            # Django would first look by an UPDATE whether the row is there.
            obj.save = partial(obj.save, force_insert=True)
        return super().save_obj(obj)

    def _is_there(self, path: str) -> bool:
        """Whether any row of a fixture is in the database; those the database makes by itself say nothing."""
        with open(path, encoding="utf-8") as file:
            rows = [each.object for each in serializers.deserialize("json", file, handle_forward_references=True)]
        return any(
            model._base_manager.using(self.using).filter(pk__in=[row.pk for row in of_model]).exists()
            for model, of_model in groupby(rows, type)
            if not getattr(model, "made_by_database", False)
        )


@cache
def may_update(table: str, using: str) -> bool:
    """Whether the site may change rows of a table; of a log it may not."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'UPDATE')", [table])
        return cursor.fetchone()[0]


def later(value, by: timedelta):
    """A value with every instant in it moved; anything else as it is."""
    if isinstance(value, datetime):
        return value + by
    if isinstance(value, str) and INSTANT.fullmatch(value):
        return (datetime.fromisoformat(value) + by).isoformat()
    if isinstance(value, list):
        return [later(each, by) for each in value]
    if isinstance(value, dict):
        return {key: later(each, by) for key, each in value.items()}
    return value
