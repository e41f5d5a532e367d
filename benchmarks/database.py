"""A database of the benchmarks' own: an embedded PostgreSQL in `var/benchmarks`, emptied and migrated at each run."""

import hashlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

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
    migrate_empty_schema(server)
    return server


def migrate_empty_schema(server: embedded.Server) -> None:
    """Drop what is in the schema `public`, and make its tables anew.

    The first migrated schema is kept as a dump and restored for as long as no migration changes: migrating takes up to
    a minute, restoring a second or two.
    """
    import psycopg
    from django.core.management import call_command
    from django.db import connection

    from missionsite.common.roles import as_owner

    connection.close()
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        owner.execute("DROP SCHEMA public CASCADE")
    dump = _dump()
    if dump.exists():
        restore_schema(server)
        return
    say("Migrating an empty schema")
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC")
        call_command("migrate", verbosity=0)
    for old in dump.parent.glob("schema-*.sql"):
        old.unlink()
    new = dump.with_name(f"{dump.name}.new")
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        # pg_dump stops where a policy may leave out rows; the owner's own connection is one of those.
        forced = owner.execute("SELECT oid::regclass::text FROM pg_class WHERE relforcerowsecurity").fetchall()
        again = "".join(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY;\n" for (name,) in forced)
        owner.execute(again.replace(" FORCE ", " NO FORCE "))
        _run("pg_dump", "--schema=public", f"--file={new}", server.owner_url)
        owner.execute(again)
    with new.open("a") as file:
        # pg_dump empties the search path.
        file.write(f"SET search_path = public;\n{again}")
    new.rename(dump)


def restore_schema(server: embedded.Server) -> None:
    """Make the migrated tables in a database without the schema `public`."""
    say("Restoring a migrated schema")
    _run("psql", "--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-1", "-f", str(_dump()), server.owner_url)


def _dump() -> Path:
    """Where the dump of an empty migrated schema is, or will be; the name changes with every migration."""
    migrations = [
        *embedded.CHECKOUT.glob("*/**/migrations/**/*.py"),
        *embedded.CHECKOUT.glob("*/**/migrations/**/*.sql"),
    ]
    digest = hashlib.sha256()
    for path in sorted({*migrations, embedded.CHECKOUT / "requirements.txt"}):
        digest.update(path.read_bytes())
    return embedded.var_dir() / f"schema-{digest.hexdigest()[:16]}.sql"


def _run(program: str, *arguments: str) -> None:
    """Run a program of the server; its messages end the benchmark where it fails."""
    asked = subprocess.run(  # noqa: S603 - the server's own programs
        [embedded.psql_path().with_name(program), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if asked.returncode:
        raise SystemExit(f"{program} failed: {asked.stderr}")


def truncate(cursor, *tables: str) -> None:
    """Empty these tables and every table that refers to them, append-only ones too.

    cursor: of the owner. Triggers against TRUNCATE are off meanwhile, and as they were afterwards.
    """
    with cursor.connection.transaction():
        guards = cursor.execute(
            """
            SELECT format('ALTER TABLE %I DISABLE TRIGGER %I', tgrelid::regclass, tgname),
                   format('ALTER TABLE %I ENABLE %s TRIGGER %I', tgrelid::regclass,
                       CASE tgenabled WHEN 'A' THEN 'ALWAYS' WHEN 'R' THEN 'REPLICA' ELSE '' END, tgname)
            FROM pg_trigger
            WHERE tgtype & 32 <> 0 AND tgenabled <> 'D' AND tgname LIKE '%no\\_truncate'
                AND tgrelid::regclass::text NOT LIKE '%.%'
            """
        ).fetchall()
        for off, _on in guards:
            cursor.execute(off)
        cursor.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
        for _off, on in guards:
            cursor.execute(on)


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
