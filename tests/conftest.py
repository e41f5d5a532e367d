"""The frame of every test: a real PostgreSQL, tables made by the owner, tests run as the site's own role."""

import asyncio
import os
import threading
import time
from contextlib import nullcontext

import pytest

from tests.support import nplusone, sample

# Files that take longest: begun first. A worker that has nothing left takes over tests from the end of another's list,
# where only short ones are left.
LONGEST = (
    "tests/site/",
    "tests/browser/",
    "tests/groups/test_schema_migration.py",
    "tests/fallback/test_migration.py",
    "tests/engagement/test_migration.py",
    "tests/missiondeck/test_migration.py",
    "tests/fallback/test_cross_project.py",
    "tests/embedded/",
    "tests/demo/",
    "tests/fallback/",
    "tests/groups/",
)


# What --long repeats, unless the environment says how often.
REPEATED = {
    "RACE_ROUNDS": "200",
    "COUNTER_CHANGES": "100000",
    "MACHINE_RUNS": "500",
    "MACHINE_STEPS": "50",
    "MISSIONSITE_ASK_ALL": "1",
    "MISSIONSITE_FUZZ_EXAMPLES": "25",
}


def pytest_addoption(parser):
    parser.addoption("--pooler", action="store_true", help="connect through PgBouncer in transaction mode")
    parser.addoption("--long", action="store_true", help="run also the tests marked `long`, and repeat more often")


def pytest_configure(config):
    """Fix the turn and the repetitions before any worker starts: workers inherit them. Hash passwords fast."""
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    if config.getoption("long"):
        os.environ.update(REPEATED | os.environ)
    sample.turn()
    # Half a second each with the number of a site.
    PBKDF2PasswordHasher.iterations = 1_000
    find_static_files_once()
    nplusone.install()


def keep_times_of_fixtures() -> None:
    """Let loaddata write events with earlier times in the transaction of a test, where it cannot become the owner."""
    from django.db import connection

    from missionsite.common.management.commands.loaddata import Command
    from tests.support.database import kept_times

    load = Command.handle

    def handle(self, *labels, **options) -> None:
        # Other threads race in transactions of their own, in which a change of the function would block the others.
        is_main = threading.current_thread() is threading.main_thread()
        with kept_times() if connection.in_atomic_block and is_main else nullcontext():
            load(self, *labels, **options)

    Command.handle = handle


def find_static_files_once() -> None:
    """Let all test clients share the static files: the middleware of each would look through their folders again."""
    from whitenoise.middleware import WhiteNoiseMiddleware

    find, found = WhiteNoiseMiddleware.add_files_from_finders, {}

    def add_files_from_finders(self) -> None:
        if not found:
            find(self)
            found.update(self.files)
        self.files.update(found)

    WhiteNoiseMiddleware.add_files_from_finders = add_files_from_finders


def pytest_collection_modifyitems(config, items):
    """Leave out what is long, and begin with the longest files; of the site, with the tests that share its objects."""
    if not config.getoption("long"):
        long = [item for item in items if item.get_closest_marker("long")]
        if long:
            config.hook.pytest_deselected(items=long)
            items[:] = [item for item in items if not item.get_closest_marker("long")]

    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = [item for item in items if item.get_closest_marker("alone")]
        config.hook.pytest_deselected(items=shared)
        items[:] = [item for item in items if not item.get_closest_marker("alone")]

    def place(item) -> int:
        return next((number for number, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST))

    items.sort(key=lambda item: (place(item), "built" not in getattr(item, "fixturenames", ())))


def pytest_collection_finish() -> None:
    """Collect garbage as rarely as a web process."""
    from missionsite.common.collector import collect_rarely

    collect_rarely()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Hide the event loop of the browser, which goes on in the thread, from tests that do not use it."""
    if "playwright" in getattr(item, "fixturenames", ()) or (loop := asyncio._get_running_loop()) is None:
        return (yield)
    asyncio._set_running_loop(None)
    try:
        return (yield)
    finally:
        asyncio._set_running_loop(loop)


def pytest_report_header(config) -> str:
    asked = "all of it" if sample.asks_all() else "today's share; all of it with --long"
    return f"largest tests ask: {asked} (MISSIONSITE_TURN={sample.turn()})"


@pytest.fixture(autouse=True)
def _deletable(request) -> None:
    """Let a test marked `deletes("table", ...)` delete rows where the product never does."""
    if marker := request.node.get_closest_marker("deletes"):
        from tests.support.database import allow_delete

        request.getfixturevalue("_django_db_helper")
        allow_delete(*marker.args)


@pytest.fixture
def within_minute() -> None:
    """Start a test of limits per minute early enough in a minute: from its turn on, the limits count less."""
    rest = 60 - time.time() % 60
    if rest < 8:
        time.sleep(rest)


@pytest.fixture
def client():
    """A browser, which submits forms of the back office with a form key."""
    from tests.support.admin import OfficeClient

    return OfficeClient()


@pytest.fixture(scope="session")
def django_db_setup(
    request,
    django_test_environment,
    django_db_blocker,
    django_db_keepdb,
    django_db_createdb,
    django_db_modify_db_settings,
):
    """Make the database of this process from the migrated template; the tests connect to it as the site does.

    --create-db migrates again, --reuse-db keeps the database for a look at it afterwards.
    """
    from django.db import connection
    from django.test import TransactionTestCase

    from tests import database
    from tests.support.pooler import whole_site_through_pooler

    # A request of the live server runs in a thread of its own; a connection kept there would outlive the tests.
    connection.settings_dict["CONN_MAX_AGE"] = 0
    name = connection.creation._get_test_db_name()
    with django_db_blocker.unblock():
        template = database.make_template(again=django_db_createdb)
        database.make_copy(template, name)
        connection.close()
    connection.settings_dict["NAME"] = name
    keep_times_of_fixtures()
    # Django would empty all tables, also those without rows, and write the permissions again.
    TransactionTestCase._fixture_teardown = lambda self: database.restore()
    with whole_site_through_pooler() if request.config.getoption("pooler") else nullcontext():
        yield
    if not django_db_keepdb:
        with django_db_blocker.unblock():
            connection.close()
            database.drop(name)


@pytest.fixture(scope="module")
def seeds(django_db_setup, django_db_blocker):
    """Load the example data once for the tests of a module, all of which use them and none of which commits."""
    from django.core.management import call_command

    from tests.support.database import shared_rows

    with shared_rows(django_db_blocker):
        with django_db_blocker.unblock():
            call_command("loaddata", "seeds", verbosity=0)
        yield
