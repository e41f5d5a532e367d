"""Primary keys that the database generates."""

from typing import Any

from django.db import connection
from django.db.models import CharField, Func


class Ulid(Func):
    """The database function `ulid()`: 26 characters that sort by creation time."""

    function = "ulid"
    output_field = CharField(max_length=26)


class UlidField(CharField):
    """A primary key with a ULID of 26 characters as database default."""

    def __init__(self, **kwargs: Any) -> None:
        # Collation C compares faster, and a ULID has only capital letters and digits.
        defaults: dict[str, Any] = {
            "primary_key": True,
            "editable": False,
            "db_default": Ulid(),
            "db_collation": "C",
            "max_length": 26,
        }
        super().__init__(**(defaults | kwargs))

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "missionsite.common.ids.UlidField", args, kwargs


def new_ids(count: int) -> list[str]:
    """New ULIDs in ascending order, for bulk_create, which does not return database defaults."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ulid() FROM generate_series(1, %s)", [count])
        return sorted(row[0] for row in cursor.fetchall())
