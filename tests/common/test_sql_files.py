"""SQL files: each function, trigger and policy has one live file, and the database has what the file says."""

import re
from collections import Counter
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from missionsite.common.operations import RenderOnce, walk
from missionsite.common.sql_loader import SQLFile, drop_statements, live_version, read_sql
from tests.engagement.owner_connection import owner

OURS = ("missionsite", "common", "groups", "engagement", "fallback", "missiondeck")
APPS = [label for label in OURS if (Path(apps.get_app_config(label).path) / "sql" / "functions").is_dir()]
# Of packages: pghistory and pgtrigger, procrastinate; and those made from a template: audit/sources.py.
FOREIGN = re.compile(r"^(_?pgtrigger_|_pgh_|_?procrastinate_|audit_of_)")
FUNCTION = re.compile(r"^CREATE OR REPLACE FUNCTION (\w+)", re.MULTILINE)
TRIGGER = re.compile(r"^CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER (\w+)\s[^;]*?\sON (\w+)", re.MULTILINE)
POLICY = re.compile(r"^ *CREATE POLICY (\w+)\s+ON (\w+)", re.MULTILINE)
CREATE = re.compile(
    r"\bCREATE\s+(OR\s+REPLACE\s+)?(CONSTRAINT\s+)?(FUNCTION|PROCEDURE|TRIGGER|POLICY)\b", re.IGNORECASE
)

FUNCTIONS = """
    SELECT p.proname, pg_get_functiondef(p.oid), p.proacl::text FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f'
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    ORDER BY 1, 2
"""
TRIGGERS = """
    SELECT tgname, tgrelid::regclass::text, pg_get_triggerdef(oid), tgenabled FROM pg_trigger
    WHERE NOT tgisinternal ORDER BY 1, 2
"""
POLICIES = """
    SELECT policyname, tablename, permissive, roles::text, cmd, qual, with_check FROM pg_policies
    WHERE schemaname = 'public' ORDER BY 1, 2
"""
ROW_SECURITY = """
    SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1
"""


def live_files(pattern: str) -> list[str]:
    """Return the names of live files, as read_sql() takes them. pattern: a path below `sql/`, such as functions/*."""
    found = []
    for label in APPS:
        folder = Path(apps.get_app_config(label).path) / "sql"
        for path in sorted(folder.glob(f"{pattern}.sql")):
            if not path.name.endswith(".reverse.sql"):
                found.append(f"{label}/{path.relative_to(folder).with_suffix('')}")
    return found


def installed_files() -> Counter[tuple[str, int]]:
    """Return the name and version of each file that a migration installs, with the number of times."""
    found = Counter()
    for migration in MigrationLoader(None).disk_migrations.values():
        for operation in walk(migration.operations):
            if isinstance(operation, SQLFile):
                found[operation.name, operation.version] += 1
    return found


def of_the_database(query: str) -> list[tuple]:
    """Return what is ours."""
    with owner() as session:
        found = session.execute(query).fetchall()
    return [each for each in found if not FOREIGN.match(each[0])]


@pytest.mark.django_db
def test_each_function_has_one_file():
    files = live_files("functions/*")
    created = [name for file in files for name in FUNCTION.findall(read_sql(file))]
    assert created == [file.rpartition("/")[2] for file in files], "a file creates the function it is named for"
    assert sorted(created) == sorted({name for name, *_rest in of_the_database(FUNCTIONS)})


@pytest.mark.django_db
def test_each_trigger_has_one_file():
    files = live_files("triggers/*")
    created = [trigger for file in files for trigger in TRIGGER.findall(read_sql(file))]
    assert sorted(created) == [trigger[:2] for trigger in sorted(of_the_database(TRIGGERS))]
    for file in files:
        tables = {table for _name, table in TRIGGER.findall(read_sql(file))}
        assert [file.rpartition("/")[2].startswith(table) for table in tables] == [True], file


@pytest.mark.django_db
def test_each_policy_has_one_file():
    created = [policy for file in live_files("policies*") for policy in POLICY.findall(read_sql(file))]
    assert sorted(created) == [policy[:2] for policy in sorted(of_the_database(POLICIES))]


def test_migrations_install_every_live_file():
    installed = installed_files()
    live = [file for folder in ("functions/*", "triggers/*", "views/*", "*") for file in live_files(folder)]
    assert {(file, live_version(file)) for file in live} <= set(installed)
    assert {file for file, times in installed.items() if times > 1} == set()


def test_migrations_have_no_bodies_of_their_own():
    found = {
        str(path.relative_to(settings.BASE_DIR))
        for label in APPS
        for path in Path(apps.get_app_config(label).path).glob("migrations/**/*")
        if path.suffix in (".py", ".sql") and CREATE.search(path.read_text())
    }
    assert found == set()


def test_files_begin_with_what_and_why():
    for file in live_files("**/*"):
        assert read_sql(file).startswith("-- "), file


@pytest.mark.django_db(transaction=True)
def test_database_has_the_live_functions_and_triggers():
    """Installing the live files again changes nothing: bodies, settings and privileges are those of the files."""
    with owner() as session:
        before = session.execute(FUNCTIONS).fetchall(), session.execute(TRIGGERS).fetchall()
        for file in live_files("triggers/*"):
            session.execute(drop_statements(read_sql(file)))
        assert session.execute(TRIGGERS).fetchall() != before[1]
        for file in [*live_files("functions/*"), *live_files("triggers/*"), "common/after_migrate/functions"]:
            session.execute(read_sql(file))
        assert (session.execute(FUNCTIONS).fetchall(), session.execute(TRIGGERS).fetchall()) == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("file", live_files("policies*"))
def test_database_has_the_live_policies(file):
    with owner() as session:
        before = session.execute(POLICIES).fetchall(), session.execute(ROW_SECURITY).fetchall()
        session.execute(drop_statements(read_sql(file)))
        assert session.execute(POLICIES).fetchall() != before[0]
        session.execute(read_sql(file))
        assert (session.execute(POLICIES).fetchall(), session.execute(ROW_SECURITY).fetchall()) == before


@pytest.mark.django_db(transaction=True)
def test_control_changed_body_is_noticed():
    with owner() as session:
        before = session.execute(FUNCTIONS).fetchall()
        session.execute(read_sql("common/functions/current_member_id").replace("app.member_id", "app.someone"))
        assert session.execute(FUNCTIONS).fetchall() != before


def test_drop_statements_undo_in_reverse_order():
    text = """
-- A function: CREATE OR REPLACE FUNCTION in a comment is none.
CREATE OR REPLACE FUNCTION f(a integer) RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE OR REPLACE TRIGGER t AFTER UPDATE OF x, y ON tables FOR EACH ROW EXECUTE FUNCTION f();
ALTER TABLE tables ENABLE ROW LEVEL SECURITY;
DO $$ BEGIN
    CREATE POLICY p ON tables USING (true);
END $$;
CREATE UNLOGGED TABLE counts (id integer);
"""
    assert drop_statements(text).splitlines() == [
        "DROP TABLE IF EXISTS counts;",
        "DROP POLICY IF EXISTS p ON tables;",
        "ALTER TABLE tables DISABLE ROW LEVEL SECURITY;",
        "DROP TRIGGER IF EXISTS t ON tables;",
        "DROP FUNCTION IF EXISTS f;",
    ]


def test_read_sql_names_the_live_version():
    with pytest.raises(FileNotFoundError, match="common/functions/ulid has no version 2; the live one is 1"):
        read_sql("common/functions/ulid", version=2)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["engagement/policies", "fallback/triggers/missions", "groups/functions/get_active_missions"]
)
def test_second_version_can_be_installed_and_reversed(name, tmp_path, monkeypatch):
    path = name.partition("/")[2]
    live, older = tmp_path / f"{path}.sql", tmp_path / "versions" / f"{path}.1.sql"
    for file in (live, older):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(read_sql(name))
    monkeypatch.setattr("missionsite.common.sql_loader.sql_folder", lambda label: tmp_path)
    second = SQLFile(name, version=2)
    with owner() as session, session.transaction(force_rollback=True):
        session.execute(second.sql)
        session.execute(second.reverse_sql)


def test_operation_inside_another_is_found():
    inner = SQLFile("common/functions/ulid")
    assert list(walk([RenderOnce(inner)]))[1:] == [inner]
