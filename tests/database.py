"""The databases of the tests: one migrated template and a copy of it for each process, restored after real commits."""

import hashlib
import inspect
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models.signals import post_migrate
from psycopg import sql

from missionsite import embedded
from missionsite.common.roles import as_owner
from missionsite.embedded import files
from missionsite.embedded.cluster import SUPERUSER, Cluster

CHECKOUT = Path(settings.BASE_DIR)
PACKAGES = ("missionsite", "groups", "engagement", "fallback", "missiondeck")
RESTORE = Path(__file__).with_name("database.sql")
TEMPLATES = "template_missionsite_"
# Files of more bytes are shortened when their rows are gone: otherwise the next test would read through them.
LARGE = 1_000_000


def connect(database: str = "postgres") -> psycopg.Connection:
    """Connect to the server of the tests as its superuser, whom no trigger, policy or privilege holds back."""
    server, cluster = settings.DATABASE_OWNER, Cluster(embedded.var_dir(), tests=True)
    return psycopg.connect(
        host=server["HOST"],
        port=server["PORT"],
        user=SUPERUSER,
        password=files.read_private(cluster.superuser_file),
        dbname=database,
        autocommit=True,
    )


def fingerprint() -> str:
    """Return a digest of all that decides what a migrated database holds."""
    paths = {CHECKOUT / "requirements.txt", RESTORE, Path(__file__)}
    parts = ("constraints.py", "migrating.py", "operations.py", "sql_loader.py")
    paths |= {CHECKOUT / "missionsite/common" / name for name in parts}
    for package in PACKAGES:
        paths |= {*(CHECKOUT / package).rglob("migrations/*.py"), *(CHECKOUT / package).rglob("*.sql")}
    # What is written after migrations: permissions of the models, and what the receivers of the signal write.
    receivers = (receiver for each in post_migrate.receivers if callable(receiver := each[1]()))
    paths |= {Path(inspect.getsourcefile(receiver)) for receiver in receivers}
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(b"%s\0%d\0" % (str(path).removeprefix(str(CHECKOUT)).encode(), path.stat().st_size))
        digest.update(path.read_bytes())
    for model in apps.get_models():
        options = model._meta
        rights = options.default_permissions, options.permissions, options.verbose_name_raw
        digest.update(repr((options.label, *rights)).encode())
    return digest.hexdigest()[:16]


def make_template(*, again: bool = False) -> str:
    """Return the name of the migrated template, made unless there is one for this code. again: make it in any case.

    Another process that asks at the same time waits for it.
    """
    name = TEMPLATES + fingerprint()
    with files.locked(embedded.var_dir() / "template.lock"), closing(connect()) as session:
        found = session.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{TEMPLATES}%"])
        known = {each for (each,) in found}
        for old in known if again else known - {name}:
            session.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(old)))
        if again or name not in known:
            Cluster(embedded.var_dir(), tests=True).update_roles()
            # Under another name until it is whole: a run that is cut off leaves no half migrated template.
            unfinished = f"{TEMPLATES}unfinished"
            _copy(session, "template1", unfinished)
            with _named(unfinished), as_owner():
                call_command("migrate", verbosity=0, interactive=False)
            with closing(connect(unfinished)) as inside:
                inside.execute(RESTORE.read_text())
            session.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(unfinished), sql.Identifier(name))
            )
    return name


def make_copy(template: str, name: str) -> None:
    """Make the database of this process: a copy of the template."""
    # One after the other: a template must not be in use while it is copied.
    with files.locked(embedded.var_dir() / "template.lock"), closing(connect()) as session:
        _copy(session, template, name)


def drop(name: str) -> None:
    """Drop the database of this process and end what is still connected to it."""
    with closing(connect()) as session:
        session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def restore() -> None:
    """Give every table the rows it had after the migrations; waits for transactions that still write."""
    with closing(connect(connection.settings_dict["NAME"])) as session:
        try:
            tables = session.execute("SELECT baseline.restore(%s)", [LARGE]).fetchall()
        except psycopg.errors.DeadlockDetected:
            # A transaction of the test was not over yet. It goes on when this one is rolled back, and is waited for.
            tables = session.execute("SELECT baseline.restore(%s)", [LARGE]).fetchall()
        for (table,) in tables:
            session.execute(sql.SQL("VACUUM {}").format(sql.Identifier("public", table)))


def _copy(session: psycopg.Connection, template: str, name: str) -> None:
    names = sql.Identifier(name), sql.Identifier(settings.DATABASE_OWNER["USER"]), sql.Identifier(template)
    session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(names[0]))
    # File by file: through the log it takes three times as long.
    session.execute(sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY file_copy").format(*names))


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Connect the default database to another one within the block."""
    was = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = was
