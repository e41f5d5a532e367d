"""Migration operations of common; the migrations of fallback and missiondeck show the rest."""

import pytest
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from missionsite.common.operations import OnDelete, RenderOnce

pytestmark = pytest.mark.django_db

CREATE = RenderOnce(
    migrations.CreateModel("Shelf", [("id", models.IntegerField(primary_key=True))], {"db_table": "shelves"}),
    migrations.CreateModel(
        "Book",
        [
            ("id", models.IntegerField(primary_key=True)),
            ("shelf", models.ForeignKey("common.Shelf", models.DO_NOTHING, null=True)),
        ],
        {"db_table": "books"},
    ),
)


def sql_of(*operations, backwards: bool = False) -> str:
    """Return the SQL of a migration with these operations, without executing it."""
    migration = migrations.Migration("0001", "common")
    migration.operations = list(operations)
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        (migration.unapply if backwards else migration.apply)(ProjectState(), editor, collect_sql=True)
    return "\n".join(editor.collected_sql)


def test_on_delete_extends_foreign_keys_of_new_tables():
    assert "ON DELETE" not in sql_of(CREATE)
    sql = sql_of(CREATE, OnDelete("SET NULL", "books.shelf_id"))
    assert 'REFERENCES "shelves" ("id") ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED' in sql


def test_on_delete_raises_for_unknown_foreign_key():
    with pytest.raises(LookupError, match=r"books\.id"):
        sql_of(CREATE, OnDelete("CASCADE", "books.id"))


def test_render_once_gives_same_sql_as_its_operations():
    def statements(*operations) -> list[str]:
        return [line for line in sql_of(*operations).splitlines() if not line.startswith("--")]

    assert len(statements(CREATE)) == 4
    assert statements(CREATE) == statements(*CREATE.operations)


def test_render_once_reverses_in_opposite_order():
    sql = sql_of(CREATE, backwards=True)
    assert sql.index('DROP TABLE "books"') < sql.index('DROP TABLE "shelves"')
