"""SQL files by name: for queries, and for migrations that install one version of a function, trigger or policy."""

import re
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import migrations

# What a file creates, with the statement that drops it. Functions and views have one name each, without overloads.
# Policies may stand in a DO block, so they alone may be indented.
_CREATED = {
    r"^CREATE (?:OR REPLACE )?FUNCTION (?P<name>\w+)": "DROP FUNCTION IF EXISTS {name}",
    r"^CREATE (?:OR REPLACE )?(?:CONSTRAINT )?TRIGGER (?P<name>\w+)\s[^;]*?\sON (?P<table>\w+)": (
        "DROP TRIGGER IF EXISTS {name} ON {table}"
    ),
    r"^ *CREATE POLICY (?P<name>\w+)\s+ON (?P<table>\w+)": "DROP POLICY IF EXISTS {name} ON {table}",
    r"^ *ALTER TABLE (?P<table>\w+) (?P<kind>ENABLE|FORCE) ROW LEVEL SECURITY": (
        "ALTER TABLE {table} {kind} ROW LEVEL SECURITY"
    ),
    r"^CREATE (?:OR REPLACE )?VIEW (?P<name>\w+)": "DROP VIEW IF EXISTS {name}",
    r"^CREATE (?:UNLOGGED )?TABLE (?P<name>\w+)": "DROP TABLE IF EXISTS {name}",
    r"^CREATE SEQUENCE (?P<name>\w+)": "DROP SEQUENCE IF EXISTS {name}",
}
_OPPOSITE = {"ENABLE": "DISABLE", "FORCE": "NO FORCE"}


def sql_folder(label: str) -> Path:
    """Return the folder of an app's SQL files."""
    return Path(apps.get_app_config(label).path) / "sql"


def read_sql(name: str, version: int | None = None) -> str:
    """Return the SQL text of `<app label>/<path without .sql>`, such as `engagement/functions/claim_messages`.

    The live text is in `<app>/sql/<path>.sql`; version None returns it. Older versions are in
    `<app>/sql/versions/<path>.<version>.sql`. The live text is the version after the last of these.
    """
    label, _, path = name.partition("/")
    folder = sql_folder(label)
    if version is not None:
        older = folder / "versions" / f"{path}.{version}.sql"
        if older.exists():
            return older.read_text(encoding="utf-8")
        live = live_version(name)
        if version != live:
            raise FileNotFoundError(f"{name} has no version {version}; the live one is {live}.")
    return (folder / f"{path}.sql").read_text(encoding="utf-8")


def live_version(name: str) -> int:
    """Return the version of the live text of a SQL file: 1, and one more for each file in `sql/versions`."""
    label, _, path = name.partition("/")
    return 1 + len(list((sql_folder(label) / "versions").glob(f"{path}.*.sql")))


class SQLFile(migrations.RunSQL):
    """Install one version of a SQL file. Reversed, install the version before it, or undo version 1.

    The triggers and policies of the replaced version are dropped first: not all of them can be created OR REPLACE.
    Version 1 is undone by `<path>.reverse.sql`, or without that file by dropping what the text created.
    name: see read_sql().
    """

    def __init__(self, name: str, version: int = 1) -> None:
        self.name, self.version = name, version
        text = read_sql(name, version)
        if version == 1:
            label, _, path = name.partition("/")
            reverse = sql_folder(label) / f"{path}.reverse.sql"
            super().__init__(text, reverse.read_text(encoding="utf-8") if reverse.exists() else drop_statements(text))
        else:
            before = read_sql(name, version - 1)
            super().__init__(_replace(before, by=text), _replace(text, by=before))

    def deconstruct(self) -> Any:
        return type(self).__name__, [], {"name": self.name, "version": self.version}

    def describe(self) -> str:
        return f"Install {self.name}, version {self.version}"


def _replace(text: str, *, by: str) -> str:
    drops = [line for line in drop_statements(text).splitlines() if line.startswith(("DROP TRIGGER", "DROP POLICY"))]
    return "\n".join([*drops, by])


def drop_statements(sql: str) -> str:
    """Return the statements that undo a text, last one first.

    They drop its functions, triggers, policies, views, tables and sequences, and switch row security off.
    """
    found = {}
    for pattern, statement in _CREATED.items():
        for match in re.finditer(pattern, sql, re.MULTILINE):
            names = match.groupdict()
            if "kind" in names:
                names["kind"] = _OPPOSITE[names["kind"]]
            found[match.start()] = statement.format(**names) + ";"
    return "\n".join(found[start] for start in sorted(found, reverse=True))
