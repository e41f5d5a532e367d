"""Start a database for the benchmarks: an embedded PostgreSQL in `var/benchmarks`, migrated for each run."""

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
    """Start the server, migrate an empty schema, and set up Django with the site's settings.

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
    """Drop the schema `public` and create its tables again.

    The first migrated schema is stored as a dump and restored until a migration changes: migrating takes up to a
    minute, restoring a second or two.
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
    log("Migrating an empty schema")
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC")
        call_command("migrate", verbosity=0)
    for old in dump.parent.glob("schema-*.sql"):
        old.unlink()
    new = dump.with_name(f"{dump.name}.new")
    with psycopg.connect(server.owner_url, autocommit=True) as owner:
        # pg_dump fails where a policy may hide rows, also from the owner.
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
    """Create the migrated tables in a database without the schema `public`."""
    log("Restoring a migrated schema")
    _run("psql", "--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-1", "-f", str(_dump()), server.owner_url)


def _dump() -> Path:
    """Return the path of the dump of an empty migrated schema; the name changes with every migration."""
    migrations = [
        *embedded.CHECKOUT.glob("*/**/migrations/**/*.py"),
        *embedded.CHECKOUT.glob("*/**/migrations/**/*.sql"),
        *embedded.CHECKOUT.glob("*/**/sql/**/*.sql"),
    ]
    digest = hashlib.sha256()
    for path in sorted({*migrations, embedded.CHECKOUT / "requirements.txt"}):
        digest.update(path.read_bytes())
    return embedded.var_dir() / f"schema-{digest.hexdigest()[:16]}.sql"


def _run(program: str, *arguments: str) -> None:
    """Run a program of the server; exit with its messages when it fails."""
    done = subprocess.run(  # noqa: S603 - the server's own programs
        [embedded.psql_path().with_name(program), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{program} failed: {done.stderr}")


def truncate(cursor, *tables: str) -> None:
    """Empty these tables and every table that refers to them, also append-only ones.

    cursor: of the owner. Triggers against TRUNCATE are disabled meanwhile and restored afterwards.
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
    """Load tables without triggers, foreign keys and secondary indexes; restore and analyze them afterwards."""
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
    dropped = cursor.fetchall()
    for _create, drop in dropped:
        cursor.execute(drop)
    for name in tables:
        cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    yield
    for create, _drop in reversed(dropped):
        cursor.execute(create)
    for name in tables:
        cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")
        cursor.execute(f"VACUUM (ANALYZE) {name}")


def stop() -> None:
    """Stop the server of the benchmarks; its data remains in `var/benchmarks` until the next run."""
    embedded.stop(embedded.var_dir())


def log(text: str) -> None:
    """Print progress with the time to standard error."""
    print(f"{time.strftime('%H:%M:%S')} {text} …", file=sys.stderr, flush=True)


def medians(workloads: dict[str, Callable[[], float]], *, rounds: int) -> dict[str, float]:
    """Return the median figure of each workload, run in turn A B C A B C …, after one round for warming up.

    A workload returns its figure, such as seconds.
    """
    return {name: statistics.median(values) for name, values in in_turn(workloads, rounds=rounds).items()}


def in_turn(workloads: dict[str, Callable[[], float]], *, rounds: int) -> dict[str, list[float]]:
    """Return the figures of each workload, one a round, run as medians() does."""
    figures = {name: [] for name in workloads}
    for number in range(rounds + 1):
        for name, run in workloads.items():
            figure = run()
            if number:
                figures[name].append(figure)
    return figures


def ratios(one: list[float], other: list[float]) -> tuple[float, float, float]:
    """Return the median, lowest and highest ratio of the figures of the same rounds.

    Other work on the machine disturbs both workloads of a round alike, so ratios are steadier than the figures.
    """
    found = [mine / theirs for mine, theirs in zip(one, other, strict=True)]
    return statistics.median(found), min(found), max(found)


def goal(text: str, found: tuple[float, float, float], *, at_least: float = 0, at_most: float = float("inf")) -> tuple:
    """Return a row of a table: a goal, its ratio by ratios() with the spread, and whether the median meets it."""
    middle, low, high = found
    met = at_least <= middle <= at_most
    return text, f"{middle:,.2f}", f"{low:,.2f} to {high:,.2f}", "met" if met else "missed"


def table(rows: list[tuple], *, head: tuple[str, ...]) -> None:
    """Print rows below a head, with aligned columns."""
    lines = [head, *[tuple(str(cell) for cell in row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
