"""An upgrade of a seeded 0.1.0 loses no row and ends with the schema of a new database; shipped migrations stay.

`bin/dump-release` writes the files of a release.
"""

import gzip
import json
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from missionsite import embedded
from tests import database as test_database
from tests.migrating import Database, databases_of
from tests.support.releases import migration_digests

DATA = Path(settings.BASE_DIR) / "tests" / "data"
RELEASES = ["0.1.0"]
KEYS = """
    SELECT c.relname, array_agg(a.attname ORDER BY array_position(i.indkey::smallint[], a.attnum))
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
    WHERE i.indisprimary AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1
"""
TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"


@pytest.fixture(scope="module", params=RELEASES)
def release(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def databases(request, django_db_setup, django_db_blocker):
    return databases_of(request.config, django_db_blocker)


@pytest.fixture(scope="module")
def upgraded(databases, release):
    """A seeded database of a release, upgraded."""
    database = databases.copy(None, "upgraded")
    restore(database, gzip.decompress((DATA / f"missionsite-{release}.sql.gz").read_bytes()))
    database.keys_then, database.rows_then = dict(database.sql(KEYS)), {}
    for (table,) in database.sql(TABLES):
        database.rows_then[table] = keys_of(database, table, database.keys_then.get(table))
    database.migrate()
    return database


def restore(database: Database, dump: bytes) -> None:
    """Run a dump as the superuser, who may give objects to the owner."""
    with test_database.connect(database.name) as session:
        parameters = session.info.get_parameters()
        password = session.info.password
    subprocess.run(
        [embedded.psql_path(), "--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-1", "-o", "/dev/null"],
        input=dump,
        env={"PGPASSWORD": password, **{f"PG{key.upper()}": parameters[key] for key in ("host", "port", "user")}}
        | {"PGDATABASE": database.name},
        check=True,
        timeout=300,
    )


def restored_schema(databases, of: Database) -> str:
    """Return the schema after a dump and a restore, which write some expressions in another way."""
    database = databases.copy(None, "restored_schema")
    restore(database, of.schema().encode())
    return database.schema()


def keys_of(database: Database, table: str, columns: list[str] | None) -> list[str]:
    """Return the primary keys of a table; of one without a key, its rows."""
    row = f"ROW({', '.join(columns)})" if columns else "t"
    return sorted(key for (key,) in database.sql(f"SELECT ({row})::text FROM {table} t"))


def test_upgrade_loses_no_row(upgraded):
    assert len(upgraded.rows_then["members"]) > 10
    assert upgraded.rows_then["django_migrations"]
    for table, rows in upgraded.rows_then.items():
        assert set(rows) <= set(keys_of(upgraded, table, upgraded.keys_then.get(table))), table


def test_upgrade_gives_schema_of_new_database(databases, upgraded):
    new = databases.copy_of_tests("new")
    with test_database.connect(new.name) as session:
        # What the tests add to a migrated database.
        session.execute("DROP SCHEMA baseline CASCADE")
    with test_database.connect(upgraded.name) as session:
        # What missionsite/embedded/roles.sql grants in the database of the site.
        session.execute("REVOKE ALL ON SCHEMA public FROM missionsite_owner")
    assert restored_schema(databases, upgraded) == restored_schema(databases, new)


def test_shipped_migrations_are_frozen(release):
    shipped = json.loads((DATA / f"migrations-{release}.json").read_text())
    assert len(shipped) > 5
    assert {name: migration_digests().get(name) for name in shipped} == shipped
