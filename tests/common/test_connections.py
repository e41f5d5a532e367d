"""How processes connect: the pool, a pooler in transaction mode with and without DATABASE_DIRECT_URL, the checks."""

import contextlib
import csv
import io
import os
import signal
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from django.core.checks import run_checks
from django.db import OperationalError, connection, connections
from psycopg_pool import PoolTimeout

from missionsite.common.connections import connect_directly, direct_params, is_pooled, most_connections, use_pool
from missionsite.common.models import WorkerProcess
from missionsite.common.postgres.base import DatabaseWrapper
from missionsite.settings import _database
from tests.common.jobs import hold
from tests.common.test_live import CHANNEL, notify, page, web_server
from tests.common.test_serving import EXPORT, ask, site
from tests.common.test_worker import a_worker, empty_queue, gate, lines, of_the_tests, running_worker, status_of, until
from tests.support.admin import client_of, staff
from tests.support.factories.directory import EntryFactory
from tests.support.pooler import needs_pooler, pooler

__all__ = ["empty_queue", "gate"]
pytestmark = pytest.mark.django_db(transaction=True)


def url_of_the_tests() -> str:
    return of_the_tests()["DATABASE_URL"]


@pytest.fixture
def through_pooler(django_db_setup) -> Iterator[str]:
    """The URL of the tests' database through PgBouncer in transaction mode."""
    # Not in the folder of the tests, which only its owner may enter.
    with tempfile.TemporaryDirectory() as folder, pooler(Path(folder), url_of_the_tests()) as url:
        yield url


@contextlib.contextmanager
def settings_of(url: str) -> Iterator[None]:
    """Connect the default database by this URL within the block."""
    was = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update({key: _database(url)[key] for key in ("HOST", "PORT", "USER", "PASSWORD", "NAME")})
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.clear()
        connection.settings_dict.update(was)


def ids(databases=("default",)) -> set[str]:
    return {each.id for each in run_checks(databases=databases) if each.id.startswith("missionsite.")}


# --- The pool -------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.seed("site connections through a pooler, and never more than configured")
def test_web_process_opens_at_most_the_pool(tmp_path):
    """Twelve requests at a time in six threads, with two connections."""
    url = f"{url_of_the_tests()}?{urlencode({'application_name': 'pooled'})}"
    with site(tmp_path, DATABASE_URL=url, WEB_THREADS="6", DATABASE_POOL_SIZE="2", CONN_MAX_AGE="60") as (_, port):
        with ThreadPoolExecutor(12) as threads:
            answers = list(threads.map(lambda _: ask(port, "/ask").status, range(60)))
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pooled'")
            assert 1 <= cursor.fetchone()[0] <= 2
    assert answers == [200] * 60


def test_request_fails_at_once_after_another_waited_in_vain(monkeypatch):
    monkeypatch.setitem(connections.settings["default"], "OPTIONS", {"pool": {"max_size": 1}})
    monkeypatch.setattr(DatabaseWrapper, "_unavailable_until", {})
    waited = []

    def wait(self, params):
        waited.append(1)
        raise PoolTimeout("waited in vain")

    monkeypatch.setattr("django.db.backends.postgresql.base.DatabaseWrapper.get_new_connection", wait)
    another = connections.create_connection("default")
    for _ in range(5):
        with pytest.raises(OperationalError):
            another.ensure_connection()
    assert len(waited) == 1


def test_pool_takes_the_place_of_persistent_connections(settings, monkeypatch):
    default = dict(connections.settings["default"]) | {"CONN_MAX_AGE": 60}
    monkeypatch.setitem(connections.settings, "default", default)
    settings.DATABASE_POOL_SIZE = 7
    use_pool()
    assert default["CONN_MAX_AGE"] == 0
    assert (default["OPTIONS"]["pool"]["max_size"], default["OPTIONS"]["pool"]["max_idle"]) == (7, 60)


# --- A pooler -------------------------------------------------------------------------------------


@needs_pooler
def test_pooler_is_detected(through_pooler):
    with psycopg.connect(through_pooler) as pooled, psycopg.connect(url_of_the_tests()) as direct:
        assert (is_pooled(pooled), is_pooled(direct)) == (True, False)


@pytest.mark.seed("site connections through a pooler, and never more than configured")
@needs_pooler
def test_check_names_a_pooler_that_is_not_bypassed(through_pooler, settings):
    direct = _database(url_of_the_tests())
    with settings_of(through_pooler):
        assert "missionsite.W004" in ids()
        settings.DATABASE_DIRECT = direct
        assert not ids() & {"missionsite.W004", "missionsite.E002"}
        settings.DATABASE_DIRECT = _database(through_pooler)
        assert "missionsite.E002" in ids()


@needs_pooler
def test_worker_and_listener_connect_past_the_pooler(through_pooler, settings):
    settings.DATABASE_DIRECT = _database(url_of_the_tests())
    with settings_of(through_pooler):
        with psycopg.connect(**direct_params()) as listening:
            assert not is_pooled(listening)
        connect_directly()
        connection.ensure_connection()
        assert not is_pooled(connection.connection)


def export(port: int, cookie: str) -> tuple[int, int]:
    """The status of an export, and its rows without the headings."""
    answer = ask(port, EXPORT, Cookie=cookie)
    return answer.status, len(list(csv.reader(io.StringIO(answer.text)))) - 1 if answer.status == 200 else 0


def export_at_once(tmp_path, **environment: str) -> list[tuple[int, int]]:
    """24 exports of 300 rows, six at a time."""
    EntryFactory.create_batch(300)
    cookie = f"sessionid={client_of(staff(is_superuser=True)).cookies['sessionid'].value}"
    with site(tmp_path, WEB_THREADS="6", **environment) as (_, port), ThreadPoolExecutor(6) as threads:
        return list(threads.map(lambda _: export(port, cookie), range(24)))


@pytest.mark.seed("site connections through a pooler, and never more than configured")
@needs_pooler
@pytest.mark.long
def test_exports_through_a_pooler_are_complete(tmp_path, through_pooler):
    found = export_at_once(tmp_path, DATABASE_URL=through_pooler, DATABASE_DIRECT_URL=url_of_the_tests())
    assert found == [(200, 300)] * 24


@pytest.mark.seed("site connections through a pooler, and never more than configured", control=True)
@needs_pooler
@pytest.mark.long
def test_export_that_breaks_is_an_error_and_no_short_file(tmp_path, through_pooler):
    """The control: with cursors of a session, which a pooler loses, an export is either whole or an error."""
    found = export_at_once(tmp_path, DATABASE_URL=through_pooler)
    assert any(status >= 500 for status, _ in found)
    assert {rows for status, rows in found if status == 200} <= {300}


def changes_seen(tmp_path, seconds: float, **environment: str) -> bool:
    """Whether a live page gets a change within this time."""
    with web_server(tmp_path, **environment) as (_, port), page(port, CHANNEL) as opened:
        opened.http.sock.settimeout(seconds)
        notify(CHANNEL, number=1)
        try:
            return opened.event() == ("change", {"number": 1})
        except TimeoutError:
            return False


@pytest.mark.seed("site connections through a pooler, and never more than configured")
@needs_pooler
@pytest.mark.long
def test_live_page_gets_changes_past_a_pooler(tmp_path, through_pooler):
    direct = {"DATABASE_DIRECT_URL": url_of_the_tests()}
    assert changes_seen(tmp_path, 20, DATABASE_URL=through_pooler, **direct)
    # The control: LISTEN ends with the transaction's connection.
    assert not changes_seen(tmp_path, 3, DATABASE_URL=through_pooler)


@pytest.mark.seed("site connections through a pooler, and never more than configured")
@needs_pooler
def test_killed_worker_behind_a_pooler_takes_no_connection_with_it(tmp_path, through_pooler, gate):
    report = tmp_path / "report"
    with psycopg.connect(through_pooler, autocommit=True, prepare_threshold=None) as innocent:
        innocent.execute("SELECT 1")
        with running_worker(DATABASE_URL=through_pooler):
            job = hold.defer(report=str(report), gate=str(gate))
            until(lambda: lines(report) == ["started"], "the job to start")
            first = a_worker()
            with connection.cursor() as cursor:
                cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [first.tag])
                assert cursor.fetchone() == (0,)
            # Within a transaction, the pooler gives it one connection; others it may close for reasons of its own.
            with innocent.transaction():
                (backend,) = innocent.execute("SELECT pg_backend_pid()").fetchone()
                os.kill(first.pid, signal.SIGKILL)
                until(lambda: lines(report) == ["started", "started"], "the job to start again")
                assert innocent.execute("SELECT pg_backend_pid()").fetchone() == (backend,)
            gate.write_text("")
            until(lambda: status_of(job)[0] == "succeeded", "the job to end")
            assert not WorkerProcess.objects.filter(tag=first.tag).exists()


# --- Checks ---------------------------------------------------------------------------------------


def test_check_compares_connections_with_the_limit(settings):
    settings.WEB_PROCESSES, settings.WORKER_PROCESSES = 4, 2
    settings.DATABASE_POOL_SIZE, settings.DATABASE_DIRECT = 4, None
    assert most_connections() == 4 * 5 + 2 * 10
    assert "missionsite.W005" not in ids()
    settings.WEB_PROCESSES = 400
    assert "missionsite.W005" in ids()
    settings.WEB_PROCESSES = settings.WORKER_PROCESSES = 0
    assert "missionsite.W005" not in ids()


def test_deploy_check_names_documents_that_cannot_be_written(settings, tmp_path):
    (tmp_path / "file").touch()
    settings.STORAGES = settings.STORAGES | {
        "documents": {
            "BACKEND": "missionsite.common.documents.LocalDocuments",
            "OPTIONS": {"location": tmp_path / "file"},
        }
    }
    [error] = [each for each in run_checks(include_deployment_checks=True) if each.id == "missionsite.E003"]
    assert "cannot be written: File exists" in error.msg
