"""What the audit is written from: the logs of the apps, and changes of rows that have no log.

Each app registers its logs and models in `AppConfig.ready`. After each `migrate`, one function and trigger per source
is made from `sql/after_migrate/audit_source.sql`. They run in the transaction of the change, with the privileges of the
owner of the tables, so that every entry point writes the audit, raw SQL included, and none can skip or forge it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Field, Model
from django.db.models.signals import post_migrate, pre_migrate

from missionsite.common.audit.events import actions_by_app
from missionsite.common.sql_loader import read_sql

PREFIX = "audit_of_"
# Columns that every change sets.
_TOUCHED = ("created_at", "updated_at")
# Changes of rows have one actor, whose pseudonym is read once; each row of a log names its own.
_PSEUDONYM_OF_CONTEXT = """IF context.actor IS NOT NULL THEN
        SELECT a.token INTO pseudonym FROM audit_actors a WHERE a.member_id = context.actor;
        IF NOT FOUND THEN
            INSERT INTO audit_actors (member_id) VALUES (context.actor) ON CONFLICT DO NOTHING;
            SELECT a.token INTO pseudonym FROM audit_actors a WHERE a.member_id = context.actor;
        END IF;
    END IF;"""
_PSEUDONYMS_OF_LOG = """INSERT INTO audit_actors (member_id)
    SELECT DISTINCT g.actor FROM ({source}) g
    WHERE g.actor IS NOT NULL AND NOT EXISTS (SELECT FROM audit_actors a WHERE a.member_id = g.actor)
    ORDER BY 1 ON CONFLICT DO NOTHING;"""
_TOKEN_OF_LOG = "(SELECT a.token FROM audit_actors a WHERE a.member_id = g.actor)"  # noqa: S105 - a pseudonym


@dataclass(frozen=True)
class Log:
    """A log table. table: a file `<app>/sql/audit/TABLE.sql` says how its rows appear in the audit."""

    app: str
    table: str


@dataclass(frozen=True)
class Rows:
    """A model whose rows are audited: added, changed column by column, deleted.

    without: columns left out. key: the column that is the object's ID in the audit; the primary key if empty.
    """

    model: str
    without: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True)
class Source:
    """A trigger of the audit. event: INSERT, UPDATE or DELETE. rows: the transition tables.

    pseudonyms: the statements that add missing pseudonyms. token: the pseudonym of the actor of a row.
    """

    name: str
    table: str
    event: str
    rows: str
    select: str
    app: str
    setting: str = ""
    pseudonyms: str = _PSEUDONYM_OF_CONTEXT
    token: str = "pseudonym"  # noqa: S105 - the name of a variable


_logs: dict[str, Log] = {}
_rows: dict[str, Rows] = {}
# The table and kind of object of the entries that are erased, by the table's column `erased_at`.
_erased: dict[str, str] = {}


def register_audited_log(app: str, table: str) -> None:
    """Register a log table; its rows are written to the audit as they are inserted."""
    _logs[table] = Log(app, table)


def register_audited_rows(model: str, *, without: Iterable[str] = (), key: str = "") -> None:
    """Register a model (`fallback.Project`). without: columns with personal data, and those that jobs set."""
    _rows[model] = Rows(model, tuple(without), key)


def register_erasure(table: str, object_type: str) -> None:
    """Register the table whose rows are erased persons: it has member_id, person_id and erased_at."""
    _erased[table] = object_type


def sources() -> list[Source]:
    """Return all sources: of each log one, of each model three."""
    found = [
        Source(
            f"{PREFIX}{log.table}",
            log.table,
            "INSERT",
            "NEW TABLE AS new_rows",
            read_sql(f"{log.app}/audit/{log.table}"),
            _app_of_action(log.app),
            pseudonyms=_PSEUDONYMS_OF_LOG,
            token=_TOKEN_OF_LOG,
        )
        for log in _logs.values()
    ]
    for rows in _rows.values():
        found += _row_sources(rows)
    return found


def expected_triggers() -> set[tuple[str, str]]:
    """Return name and table of each trigger that writes the audit."""
    return {(source.name, source.table) for source in sources()} | {(f"{PREFIX}erasure", table) for table in _erased}


def missing_triggers() -> list[str]:
    """Return the triggers of the audit that are missing or switched off, as `NAME on TABLE`."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(
            """SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
               WHERE c.relnamespace = 'public'::regnamespace AND t.tgenabled IN ('O', 'A')"""
        )
        active = set(cursor.fetchall())
    return sorted(f"{name} on {table}" for name, table in expected_triggers() - active)


def install_sources(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Make the functions and triggers of all sources whose tables exist. Connected to post_migrate.

    After a migration that failed, `migrate` calls it too: a table that lacks columns of its model gets none.
    """
    template = read_sql("common/after_migrate/audit_source")
    with connections[using].cursor() as cursor:
        tables = set(connections[using].introspection.table_names(cursor))
        if "audit_entries" not in tables:
            return
        incomplete = _incomplete_tables(cursor)
        for source in sources():
            if source.table in tables - incomplete:
                parts = {"function": source.name} | {
                    name: getattr(source, name) for name in ("table", "event", "rows", "app", "setting", "token")
                }
                text = template.replace("{pseudonyms}", source.pseudonyms).replace("{source}", source.select.strip())
                for name, value in parts.items():
                    text = text.replace(f"{{{name}}}", value)
                cursor.execute(text)
        for table, object_type in _erased.items():
            if table in tables:
                cursor.execute(_erasure(table, object_type))


def _incomplete_tables(cursor: Any) -> set[str]:
    """Return the tables of audited models that lack a column."""
    cursor.execute("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'")
    there = set(cursor.fetchall())
    models = {apps.get_model(rows.model): rows.without for rows in _rows.values()}
    return {
        model._meta.db_table
        for model, without in models.items()
        if any((model._meta.db_table, field.column) not in there for field in _audited_fields(model, without))
    }


def remove_row_sources(using: str = DEFAULT_DB_ALIAS, plan: Any = (), **kwargs: Any) -> None:
    """Drop the triggers on rows of apps that are migrated: their functions name columns. Connected to pre_migrate.

    plan: pairs of a migration and whether it runs backwards.
    """
    migrated = {migration.app_label for migration, _backwards in plan}
    if not migrated:
        return
    with connections[using].cursor() as cursor:
        tables = set(connections[using].introspection.table_names(cursor))
        for rows in _rows.values():
            for source in _row_sources(rows) if rows.model.partition(".")[0] in migrated else ():
                if source.table in tables:
                    cursor.execute(f"DROP TRIGGER IF EXISTS {source.name} ON {source.table}")


def connect() -> None:
    """Run before and after the migrations of each `migrate`."""
    common = apps.get_app_config("common")
    pre_migrate.connect(remove_row_sources, sender=common, dispatch_uid="missionsite.common.audit.remove")
    post_migrate.connect(install_sources, sender=common, dispatch_uid="missionsite.common.audit.install")


def _row_sources(rows: Rows) -> list[Source]:
    model = apps.get_model(rows.model)
    table, label = model._meta.db_table, model._meta.label_lower
    columns = [str(field.column) for field in _audited_fields(model, rows.without)]
    changes = ", ".join(f"'{name}', {_change(name)}" for name in columns)
    added = ", ".join(
        f"'{name}', CASE WHEN n.{name} IS NOT NULL THEN jsonb_build_array(NULL, n.{name}) END" for name in columns
    )
    deleted = ", ".join(
        f"'{name}', CASE WHEN o.{name} IS NOT NULL THEN jsonb_build_array(o.{name}, NULL) END" for name in columns
    )
    primary = cast(Field, model._meta.pk).column
    key = rows.key or primary
    both = f"old_rows o JOIN new_rows n ON n.{primary} = o.{primary}"
    changed = _select("row.changed", label, f"n.{key}", f"jsonb_strip_nulls(jsonb_build_object({changes}))", both)
    return [
        Source(
            f"{PREFIX}new_{table}",
            table,
            "INSERT",
            "NEW TABLE AS new_rows",
            _select("row.added", label, f"n.{key}", f"jsonb_strip_nulls(jsonb_build_object({added}))", "new_rows n"),
            f"'{model._meta.app_label}'",
        ),
        Source(
            f"{PREFIX}changed_{table}",
            table,
            "UPDATE",
            "OLD TABLE AS old_rows NEW TABLE AS new_rows",
            # Without OFFSET 0, the comparison would compute the changes a second time.
            f"SELECT * FROM ({changed} OFFSET 0) c WHERE content <> '{{\"changed\": {{}}}}'",  # noqa: S608
            f"'{model._meta.app_label}'",
            "SET enable_nestloop = off",
        ),
        Source(
            f"{PREFIX}old_{table}",
            table,
            "DELETE",
            "OLD TABLE AS old_rows",
            _select(
                "row.deleted", label, f"o.{key}", f"jsonb_strip_nulls(jsonb_build_object({deleted}))", "old_rows o"
            ),
            f"'{model._meta.app_label}'",
        ),
    ]


def _select(action: str, label: str, key: str, changed: str, rows: str) -> str:
    """The source of a kind of change. All parts are names of models and columns."""
    return f"""
        SELECT '{action}' AS action, context.actor AS actor, '{label}' AS object_type, {key}::text AS object_id,
            NULL::uuid AS member, context.origin AS origin, jsonb_build_object('changed', {changed}) AS content
        FROM {rows}"""  # noqa: S608


def _change(name: str) -> str:
    """A pair of the values before and after, or NULL if they are equal. jsonb_strip_nulls keeps nulls in arrays."""
    return f"CASE WHEN o.{name} IS DISTINCT FROM n.{name} THEN jsonb_build_array(o.{name}, n.{name}) END"


def _audited_fields(model: type[Model], without: tuple[str, ...]) -> list[Field]:
    left_out = {*without, *_TOUCHED}
    return [
        field
        for field in model._meta.concrete_fields
        if not field.primary_key and not field.generated and field.name not in left_out
    ]


def _app_of_action(otherwise: str) -> str:
    """The app of an entry, by its action; of an action that no app registered, the app of the log."""
    cases = " ".join(
        f"WHEN action IN ({', '.join(repr(action) for action in sorted(actions))}) THEN '{app}'"
        for app, actions in actions_by_app().items()
    )
    return f"CASE {cases} ELSE '{otherwise}' END" if cases else f"'{otherwise}'"


def _erasure(table: str, object_type: str) -> str:
    return f"""
        CREATE OR REPLACE TRIGGER {PREFIX}erasure AFTER UPDATE OF erased_at ON {table} FOR EACH ROW
        WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION erase_audit('{object_type}')"""
