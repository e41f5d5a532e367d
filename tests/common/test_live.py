"""Live pages on the real web server: from NOTIFY in PostgreSQL to events in the browser."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import RequestFactory

from missionsite.common import live
from missionsite.common.accounts.sessions import end_access
from missionsite.demo.services import web_command
from missionsite.embedded.cluster import free_port
from tests.common.test_worker import until
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 30  # seconds
CHANNEL = "project:01J9ZK4W3X5V6T7R8Q9P0N1M2K:fallback"
PLACES = 3


@contextlib.contextmanager
def web_server(tmp_path, *, workers: int = 1, **environment: str) -> Iterator[tuple[subprocess.Popen, int]]:
    """granian as the demo starts it, on the test database; the process and its port."""
    own = connection.settings_dict
    secret = f":{own['PASSWORD']}" if own["PASSWORD"] else ""
    host = own["HOST"].replace("/", "%2F")
    environment = os.environ | {
        "DATABASE_URL": f"postgres://{own['USER']}{secret}@{host}:{own['PORT']}/{own['NAME']}",
        "DJANGO_SETTINGS_MODULE": "tests.common.live_settings",
        "SECRET_KEY": settings.SECRET_KEY,
        "STATIC_ROOT": str(tmp_path),
        **environment,
    }
    port = free_port()
    with open(tmp_path / "web.log", "a") as log:
        process = subprocess.Popen(
            web_command(port, workers=workers),
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        until(lambda: state(port, patient=True), "the web server")
        yield process, port
    finally:
        # Only what this test started: the session it was given.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(PATIENCE)


@pytest.fixture(scope="module")
def server(tmp_path_factory, django_db_setup, django_db_blocker) -> Iterator[int]:
    with (
        django_db_blocker.unblock(),
        web_server(tmp_path_factory.mktemp("web"), LIVE_STREAMS=str(PLACES), TEST_HEARTBEAT="0.5", WEB_THREADS="1") as (
            _process,
            port,
        ),
    ):
        yield port


@pytest.fixture
def port(server) -> Iterator[int]:
    """The port of the web server, without open streams before and after."""
    yield server
    until(lambda: not state(server)["listening"], "all places to be free")


def state(port: int, *, patient: bool = False) -> dict | None:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        asked.request("GET", "/state")
        return json.load(asked.getresponse())
    except ConnectionRefusedError:
        if patient:
            return None
        raise
    finally:
        asked.close()


def notify(channel: str, **payload) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, json.dumps(payload)])


class Page:
    """A minimal EventSource."""

    def __init__(self, port: int, *channels: str, **query: object) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.http.request("GET", "/live?" + urlencode([*(("channel", each) for each in channels), *query.items()]))
        self.answer = self.http.getresponse()

    def event(self) -> tuple[str, dict]:
        """The next event; comments are skipped."""
        event = None
        while line := self.answer.readline().decode():
            if line.startswith("event: "):
                event = line[7:-1]
            elif line.startswith("data: "):
                return event, json.loads(line[6:])
        raise EOFError

    def close(self) -> None:
        self.answer.close()
        self.http.close()


@contextlib.contextmanager
def page(port: int, *channels: str, **query: object) -> Iterator[Page]:
    """An open stream after its `ready` event."""
    opened = Page(port, *channels, **query)
    try:
        assert opened.answer.status == 200
        assert opened.answer.readline() == b"retry: 2000\n"
        assert opened.event() == ("ready", {})
        yield opened
    finally:
        opened.close()


def connections_named(application: str) -> list[int]:
    """The backend processes with this application_name, except one's own."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = %s AND pid <> pg_backend_pid()",
            [application],
        )
        return [pid for (pid,) in cursor.fetchall()]


@pytest.mark.seed("004 channel project:{id}:fallback")
@pytest.mark.parametrize("channel", [CHANNEL, 'quoted "; UNLISTEN *; -- ', "ünïcode", "a" * 63])
def test_notification_arrives_within_a_second(port, channel):
    with page(port, channel) as opened:
        assert opened.answer.headers["Content-Type"] == "text/event-stream"
        assert opened.answer.headers["Cache-Control"] == "no-cache"
        assert opened.answer.headers["X-Accel-Buffering"] == "no"
        for number in range(5):
            sent_at = time.monotonic()
            notify(channel, number=number, text="Zoë\nand a line")
            assert opened.event() == ("change", {"number": number, "text": "Zoë\nand a line"})
            assert time.monotonic() - sent_at < 1


def test_no_event_is_missed_after_ready(port):
    for number in range(8):
        with page(port, CHANNEL, f"other:{number}") as opened:
            notify(f"other:{number}", number=number)
            assert opened.event() == ("change", {"number": number})
        until(lambda: not state(port)["listening"], "the place to be free")


def test_rolled_back_change_sends_no_event(port):
    with page(port, CHANNEL) as opened:
        with transaction.atomic():
            notify(CHANNEL, number=1)
            transaction.set_rollback(True)
        notify(CHANNEL, number=2)
        assert opened.event() == ("change", {"number": 2})


def test_page_gets_only_its_channels(port):
    with page(port, "a") as first, page(port, "b", "c") as second:
        notify("nobody:listens", number=0)
        for number, channel in enumerate("abcabc"):
            notify(channel, number=number)
        assert [first.event()[1]["number"] for _ in range(2)] == [0, 3]
        assert [second.event()[1]["number"] for _ in range(4)] == [1, 2, 4, 5]
        # A channel that only one of them had is no longer listened to once that one is gone.
        second.close()
        until(lambda: notify("b") or state(port)["streams"] == 1, "the second page to be gone")
        notify("a", number=6)
        assert first.event() == ("change", {"number": 6})


def test_page_gets_only_accepted_events(port):
    with page(port, CHANNEL, number=3) as opened:
        for number in range(6):
            notify(CHANNEL, number=number)
        assert opened.event() == ("change", {"number": 3})
        notify(CHANNEL, number=3, last=True)
        assert opened.event() == ("change", {"number": 3, "last": True})


def test_open_stream_uses_no_django_connection(port):
    """One connection exists, of the only request thread."""
    with page(port, CHANNEL) as plain, page(port, CHANNEL, number=1) as choosy:
        notify(CHANNEL, number=1)
        assert plain.event() == choosy.event() == ("change", {"number": 1})
        assert len(connections_named(live.APPLICATION_NAME)) == 1
        # The server takes a moment to end what `accepts` had opened and closed.
        until(lambda: len(connections_named("")) == 1, "the other connections to end")


def test_stream_above_limit_gets_503(port):
    with contextlib.ExitStack() as pages:
        opened = [pages.enter_context(page(port, CHANNEL)) for _ in range(PLACES)]
        rejected = Page(port, CHANNEL)
        assert (rejected.answer.status, rejected.answer.headers["Retry-After"]) == (503, "30")
        rejected.close()
        assert state(port) == {"listening": 1, "streams": PLACES}
        # A browser that goes away frees its place and its thread by itself.
        opened[0].close()
        until(lambda: state(port)["streams"] == PLACES - 1, "the place to be free")
        pages.enter_context(page(port, CHANNEL))


def test_listener_ends_with_last_stream(port):
    with page(port, CHANNEL):
        assert len(connections_named(live.APPLICATION_NAME)) == 1
    until(lambda: not state(port)["listening"], "the thread to end")
    until(lambda: connections_named(live.APPLICATION_NAME) == [], "the connection to end")
    with page(port, CHANNEL) as opened:
        notify(CHANNEL, number=1)
        assert opened.event() == ("change", {"number": 1})


def test_lost_connection_is_replaced_with_resync(port):
    with page(port, CHANNEL) as first, page(port, "other") as second:
        for number in range(3):
            (listener,) = connections_named(live.APPLICATION_NAME)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s)", [listener])
            assert first.event() == second.event() == ("resync", {})
            notify(CHANNEL, number=number)
            notify("other", number=number)
            assert first.event() == second.event() == ("change", {"number": number})


@pytest.mark.long
def test_server_stops_with_open_streams(tmp_path):
    with web_server(tmp_path) as (process, port), page(port, CHANNEL):
        process.terminate()
        process.wait(10)


@pytest.fixture
def streams():
    """Opens streams in this process, and closes them."""
    with contextlib.ExitStack() as opened:

        def begin(*channels: str) -> Iterator[bytes]:
            response = live.stream(RequestFactory().get("/live"), channels=channels)
            opened.callback(response.close)
            frames = iter(response)
            assert next(frames) == b"retry: 2000\n\n"
            assert next(frames) == live.frame("ready", {})
            return frames

        yield begin


def test_idle_stream_sends_comments(streams, monkeypatch):
    frames = streams(CHANNEL)
    monkeypatch.setattr(live, "HEARTBEAT", 0.05)
    assert next(frames) == next(frames) == b": still here\n\n"


def test_stream_ends_after_maximum_duration(streams, monkeypatch, settings):
    settings.LIVE_STREAMS = 1
    monkeypatch.setattr(live, "LONGEST_LIFE", 1)
    frames = streams(CHANNEL)
    assert live.stream(RequestFactory().get("/live"), channels=[CHANNEL]).status_code == 503
    assert list(frames) == []
    assert next(streams(CHANNEL), None) is None


def test_unread_response_is_released(settings):
    settings.LIVE_STREAMS = 1
    for _ in range(3):
        response = live.stream(RequestFactory().get("/live"), channels=[CHANNEL])
        assert response.status_code == 200
        response.close()
        response.close()


def test_slow_browser_gets_resync(streams, monkeypatch):
    monkeypatch.setattr(live, "LONGEST_QUEUE", 3)
    slow = streams(CHANNEL)
    monkeypatch.undo()
    quick = streams(CHANNEL)
    for number in range(5):
        notify(CHANNEL, number=number)
    assert [next(quick) for _ in range(5)][-1] == live.frame("change", {"number": 4})
    # The quick one may be told before the slow one of the same event.
    until(lambda: slow_queue(slow) == 2, "the last event to be queued")
    assert [next(slow), next(slow)] == [live.frame("resync", {}), live.frame("change", {"number": 4})]


def slow_queue(frames) -> int:
    """The queued events of the first stream."""
    return max(each._queue.qsize() for each in live._listener._streams)


@pytest.mark.parametrize("payload", ["", "no json", "[1]", "5", '"text"', "null", "{"])
def test_invalid_payload_is_logged_and_skipped(streams, caplog, payload):
    frames = streams(CHANNEL)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
    notify(CHANNEL, number=1)
    assert next(frames) == live.frame("change", {"number": 1})
    assert "not a JSON object" in caplog.text


@pytest.mark.parametrize("channel", ["", "a" * 64, "ü" * 32, "a\x00b"])
def test_invalid_channel_name_is_rejected(channel):
    with pytest.raises(ValueError, match="is not a valid channel"):
        live.stream(RequestFactory().get("/live"), channels=[channel])


def test_stream_accepts_only_get():
    assert live.stream(RequestFactory().head("/live"), channels=[CHANNEL]).status_code == 405


def test_forked_process_has_own_listener(streams):
    parents = streams(CHANNEL)
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            response = live.stream(RequestFactory().get("/live"), channels=[CHANNEL])
            childs = iter(response)
            assert [next(childs), next(childs)] == [b"retry: 2000\n\n", live.frame("ready", {})]
            os.write(writable, b".")
            assert next(childs) == live.frame("change", {"number": 1})
            code = 0
        finally:
            os._exit(code)
    os.close(writable)
    assert os.read(readable, 1) == b"."
    os.close(readable)
    assert len(connections_named(live.APPLICATION_NAME)) == 2
    notify(CHANNEL, number=1)
    assert next(parents) == live.frame("change", {"number": 1})
    assert os.waitpid(child, 0)[1] == 0
    notify(CHANNEL, number=2)
    assert next(parents) == live.frame("change", {"number": 2})


def test_end_of_access_closes_live_pages_of_the_member_only():
    ended, other = MemberFactory(), MemberFactory()
    pages = []
    for member in (ended, other):
        request = RequestFactory().get("/live")
        request.user = member
        page = live.stream(request, channels=[CHANNEL])
        frames = iter(page.streaming_content)
        assert next(frames).startswith(b"retry:")
        assert next(frames) == live.frame("ready", {})
        pages.append((page, frames))
    end_access(actor=MemberFactory(), member=ended, reason="is_active")
    assert list(pages[0][1]) == []
    notify(CHANNEL, number=1)
    assert next(pages[1][1]) == live.frame("change", {"number": 1})
    for page, _frames in pages:
        page.close()
