"""Databases for the tests of migrations: copies of a few that are migrated once, all of them in this process."""

import gc
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import psycopg
import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo

from missionsite import embedded
from missionsite.apps import grant_reading
from missionsite.common.hardening import harden_functions
from missionsite.common.migrating import Executor
from missionsite.common.roles import as_owner

# Every database of this process; they are dropped at the end of the session.
PREFIX = f"migrating_{os.getpid()}"
KEY = pytest.StashKey["Databases"]()
# What tests begin with, each made from the one before it.
MIGRATED = {
    "groups_0001": (None, ("groups", "0001")),
    "groups": ("groups_0001", ("groups",)),
    "engagement": ("groups", ("engagement",)),
    "fallback_0001": ("groups", ("fallback", "0001")),
    "missiondeck": ("groups", ("missiondeck",)),
    "everything": ("groups", ()),
}


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Migrate in it: Django makes every model anew at every step, and the collector would go through all of them."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Database:
    """A database of a test, reached as its owner and migrated by this process."""

    def __init__(self, name: str, blocker) -> None:
        """blocker: pytest-django's, which keeps tests from a database they did not ask for."""
        self.name, self.blocker = name, blocker
        owner = settings.DATABASE_OWNER
        self.owner = {key: owner[key.upper()] for key in ("host", "port", "user", "password")}

    def connect(self, database: str | None = None) -> psycopg.Connection:
        return psycopg.connect(make_conninfo(**self.owner, dbname=database or self.name), autocommit=True)

    def sql(self, query: str, parameters=None) -> list[tuple]:
        with self.connect() as session:
            cursor = session.execute(query, parameters)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def as_default(self, *, owner: bool = True) -> Iterator[None]:
        """Connect the default database here, as the owner or as the site."""
        with self.blocker.unblock(), as_owner() if owner else nullcontext():
            connection.close()
            of_the_tests = connection.settings_dict["NAME"]
            connection.settings_dict["NAME"] = self.name
            # Its keys are those of the other database.
            ContentType.objects.clear_cache()
            try:
                yield
            finally:
                ContentType.objects.clear_cache()
                connection.close()
                connection.settings_dict["NAME"] = of_the_tests

    def manage(self, command: str, *arguments: str, **options) -> None:
        """Run a command of manage.py on this database, in this process. It ends with an error where manage.py does."""
        with self.as_default():
            call_command(command, *arguments, **options)

    def migrate(self, *target: str) -> None:
        with without_garbage_collection():
            self.manage("migrate", *target, verbosity=0)

    def migrate_alone(self, app: str, to: str | None, *, at: Callable[[str, str], object] | None = None) -> None:
        """Migrate one app without Django's signals, then harden functions and grant reading, as the site's signals do.

        to: None takes the app back to nothing.

        at: called after each step with "apply" or "unapply" and the name of the migration.
        """

        def report(action: str, migration=None, fake=False) -> None:
            if at and action.endswith("_success") and migration:
                at(action.removesuffix("_success"), migration.name)

        with without_garbage_collection(), self.as_default():
            Executor(connection, report).migrate([(app, to)])
            harden_functions()
            grant_reading()

    def environment(self) -> dict[str, str]:
        """What leads a process of its own to this database, as the site and as the owner."""
        app = settings.DATABASES["default"]
        site = {key: app[key.upper()] for key in ("host", "port", "user", "password")}
        site["host"] = site["host"].replace("/", "%2F")
        url = "postgres://{user}:{password}@{host}:{port}/" + self.name
        return {
            "DATABASE_URL": url.format(**site),
            "DATABASE_OWNER_URL": url.format(**self.owner),
            "SECRET_KEY": settings.SECRET_KEY,
        }

    def schema(self) -> str:
        dump = subprocess.run(
            [embedded.psql_path().with_name("pg_dump"), "--schema-only", make_conninfo(**self.owner, dbname=self.name)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        # Newer versions guard a dump with a random word.
        return re.sub(r"^\\(un)?restrict .*$", "", dump, flags=re.MULTILINE)


class Databases:
    """Makes databases, each a copy of another or empty."""

    def __init__(self, blocker) -> None:
        self.blocker = blocker
        self.made: dict[str, Database] = {}
        self.prepared: set[str] = set()

    def copy(self, of: str | None, name: str) -> Database:
        """Make a database anew. of: a database made before, or None for an empty one."""
        return self._create(name, f"{PREFIX}_{of}" if of else None)

    def copy_of_tests(self, name: str) -> Database:
        """Make a copy of the database of the tests: with every migration, and what other tests have left in it."""
        connection.close()
        return self._create(name, connection.settings_dict["NAME"])

    def once(self, name: str, of: str | None, prepare: Callable[[Database], object]) -> str:
        """Make and prepare a database once in a session; returns its name. It is to be copied, not to be changed."""
        if name not in self.prepared:
            prepare(self.copy(of, name))
            self.prepared.add(name)
        return name

    def migrated(self, name: str) -> str:
        """Return the name of a database with an app migrated and what it needs, without rows. name: of MIGRATED."""
        earlier, target = MIGRATED[name]
        return self.once(name, earlier and self.migrated(earlier), lambda database: database.migrate(*target))

    def drop(self) -> None:
        for database in self.made.values():
            self._drop(database)

    def _create(self, name: str, template: str | None) -> Database:
        database = Database(f"{PREFIX}_{name}", self.blocker)
        self._drop(database)
        command = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database.name))
        if template:
            command += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        deadline = time.monotonic() + 60
        with database.connect("postgres") as session:
            while True:
                try:
                    session.execute(command)
                    break
                except psycopg.errors.ObjectInUse:
                    # A thread of an earlier test may still be leaving; the server waits five seconds by itself.
                    if time.monotonic() > deadline:
                        raise
        self.made[name] = database
        return database

    @staticmethod
    def _drop(database: Database) -> None:
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database.name))
        deadline = time.monotonic() + 60
        while True:
            try:
                with database.connect("postgres") as session:
                    session.execute(drop)
                    return
            except psycopg.errors.InsufficientPrivilege:
                # Of another role: a vacuum ends by itself, what the site has left open is ended by the site.
                if time.monotonic() > deadline:
                    raise
                with psycopg.connect(database.environment()["DATABASE_URL"]) as session:
                    session.execute(
                        """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                           WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"""
                    )


def databases_of(config: pytest.Config, blocker) -> Databases:
    """Return the databases of this session: what one module has made, another copies."""
    if KEY not in config.stash:
        config.stash[KEY] = Databases(blocker)
        config.add_cleanup(config.stash[KEY].drop)
    return config.stash[KEY]
