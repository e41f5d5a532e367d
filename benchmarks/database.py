"""A database of the benchmarks' own: an embedded PostgreSQL in `var/benchmarks`, emptied and migrated at each run."""

import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from missionsite import embedded


def prepare(*, settings: str = "shared_buffers=2GB max_wal_size=8GB max_connections=100") -> embedded.Server:
    """Start the server, migrate an empty schema, and set Django up as the site would be.

    settings: PostgreSQL settings, `name=value` separated by blanks.
    """
    folder = embedded.var_dir() / "benchmarks"
    os.environ |= {
        "DATABASE_URL": "",
        "MISSIONSITE_VAR_DIR": str(folder),
        "MISSIONSITE_POSTGRES_SETTINGS": settings,
        "DJANGO_SETTINGS_MODULE": "missionsite.settings",
    }
    embedded.stop(folder)
    server = embedded.start(folder)
    import django

    django.setup()
    migrate_empty_schema()
    return server


def migrate_empty_schema() -> None:
    """Drop what is in the schema `public`, and make its tables anew."""
    from django.core.management import call_command
    from django.db import connection

    from missionsite.common.roles import as_owner

    say("Migrating an empty schema")
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC;")
    call_command("migrate", verbosity=0)


@contextmanager
def bulk(cursor, *tables: str) -> Iterator[None]:
    """Load tables without triggers, foreign keys and secondary indexes; all are back, and analysed, afterwards."""
    cursor.execute(
        """
        SELECT format('ALTER TABLE %%I ADD CONSTRAINT %%I %%s', conrelid::regclass, conname, pg_get_constraintdef(oid)),
               format('ALTER TABLE %%I DROP CONSTRAINT %%I', conrelid::regclass, conname)
        FROM pg_constraint WHERE contype = 'f' AND conrelid::regclass::text = ANY (%(tables)s)
        UNION ALL
        SELECT indexdef, format('DROP INDEX %%I', indexname)
        FROM pg_indexes i WHERE schemaname = 'public' AND tablename = ANY (%(tables)s)
            AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = format('%%I', i.indexname)::regclass)
        """,
        {"tables": list(tables)},
    )
    set_aside = cursor.fetchall()
    for _create, drop in set_aside:
        cursor.execute(drop)
    for name in tables:
        cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    yield
    for create, _drop in reversed(set_aside):
        cursor.execute(create)
    for name in tables:
        cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")
        cursor.execute(f"VACUUM (ANALYZE) {name}")


def stop() -> None:
    """Stop the benchmarks' server; its data stays in `var/benchmarks` until the next run empties it."""
    embedded.stop(embedded.var_dir())


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text} …", file=sys.stderr, flush=True)


def medians(workloads: dict[str, Callable[[], float]], *, rounds: int) -> dict[str, float]:
    """The median figure of each workload, taken in turn A B C A B C …, after one round that does not count.

    A workload returns its own figure, such as seconds.
    """
    figures = {name: [] for name in workloads}
    for number in range(rounds + 1):
        for name, run in workloads.items():
            figure = run()
            if number:
                figures[name].append(figure)
    return {name: statistics.median(values) for name, values in figures.items()}


def table(rows: list[tuple], *, head: tuple[str, ...]) -> None:
    """Print rows under a head, columns aligned."""
    lines = [head, *[tuple(str(cell) for cell in row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
