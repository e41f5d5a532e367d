"""The production line of the README, run for real: what it serves, and what becomes of it when something is amiss."""

import contextlib
import csv
import http.client
import io
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from groups.models import CommunityMember
from missionsite import embedded
from missionsite.demo.services import web_command
from tests.common.test_live import web_server
from tests.common.test_worker import until
from tests.support.admin import client, client_of, staff
from tests.support.concurrency import execute_as_owner
from tests.support.factories.tokens import make_token
from tests.support.sample import asks_all

# Only what looks at rows itself is cleaned up after; the others ask the server alone.
with_rows = pytest.mark.django_db(transaction=True)

PATIENCE = 60  # seconds
BODY_SECONDS = 3
HALF_SENT = 200
EXPORT = "/admin/groups/communitymember/export/"


@contextlib.contextmanager
def site(tmp_path, *, workers: int = 1, **environment: str) -> Iterator[tuple[subprocess.Popen, int]]:
    surroundings = {
        "DJANGO_SETTINGS_MODULE": "tests.common.serving_settings",
        "TEST_BODY_SECONDS": str(BODY_SECONDS),
        "CONN_MAX_AGE": "0",
    }
    with web_server(tmp_path, workers=workers, **surroundings | environment) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory, django_db_setup, django_db_blocker) -> Iterator[int]:
    with django_db_blocker.unblock(), site(tmp_path_factory.mktemp("web")) as (_process, port):
        yield port


@pytest.fixture(scope="module")
def killed_site(tmp_path_factory, django_db_setup, django_db_blocker) -> Iterator[tuple[subprocess.Popen, int]]:
    """A site of two web processes that tests kill; each is replaced."""
    with django_db_blocker.unblock(), site(tmp_path_factory.mktemp("killed"), workers=2) as running:
        yield running


def processes_of(port: int) -> set[int]:
    """The web processes that answer. A connection that ends with a killed process counts as no answer."""
    found = set()
    for _ in range(20):
        with contextlib.suppress(OSError, http.client.HTTPException):
            found.add(json.loads(ask(port, "/state").text)["process"])
    return found


def ask(port: int, path: str, method: str = "GET", body=None, seconds: float = PATIENCE, **headers: str):
    """The answer to one request, read to its end."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        asked.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = asked.getresponse()
        answer.text = answer.read().decode()
        return answer
    finally:
        asked.close()


def half_sent(port: int, path: str = "/admin/login/") -> socket.socket:
    """A request of which nine bytes of the body arrive."""
    opened = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    opened.sendall(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nusername=".encode())
    return opened


def session_of(role: str) -> str:
    return f"sessionid={client(role).cookies['sessionid'].value}"


def test_readme_gives_the_line_that_is_tested_here():
    line = re.search(r"`\.venv/bin/granian (.*?)`", (settings.BASE_DIR / "README.md").read_text())[1].split()
    tested = web_command(8000)[3:]
    timeout = tested.index("--workers-kill-timeout") + 1
    tested[timeout] = line[line.index("--workers-kill-timeout") + 1]
    assert line == tested


def test_request_arrives_as_it_was_sent(server):
    answer = ask(
        server, "/echo/caf%C3%A9?a=1&a=2&b=%C3%A9", "POST", "größe".encode(), Content_Type="text/x", Cookie="a=1",
        X_Some="value", X_Under_="kept",
    )  # fmt: skip
    said = json.loads(answer.text)
    assert said["body"] == "größe"
    assert bytes.fromhex(said["path"]).decode() == "/echo/café"
    assert said["query"] == {"a": "2", "b": "é"}
    meta = said["meta"]
    assert (meta["CONTENT_TYPE"], meta["CONTENT_LENGTH"], meta["HTTP_COOKIE"]) == ("text/x", "7", "a=1")
    assert (meta["HTTP_X_SOME"], meta["REMOTE_ADDR"]) == ("value", "127.0.0.1")


def test_header_with_an_underscore_does_not_pass_for_another(server):
    asked = http.client.HTTPConnection("127.0.0.1", server, timeout=PATIENCE)
    with contextlib.closing(asked):
        asked.putrequest("GET", "/echo")
        asked.putheader("X_Forwarded_Proto", "https")
        asked.endheaders()
        assert "HTTP_X_FORWARDED_PROTO" not in json.loads(asked.getresponse().read())["meta"]


def test_chunked_body_arrives_whole(server):
    answer = ask(server, "/echo", "POST", iter([b"one ", b"two"]))
    assert json.loads(answer.text)["body"] == "one two"


@pytest.mark.parametrize("path", ["/%ff", "/%00", "//", "/a/../b", "/%2e%2e/%2f", "/?%ff=%fe"])
def test_odd_addresses_are_answered(server, path):
    assert ask(server, path).status in (301, 302, 400, 404)


def test_body_above_every_limit_is_rejected_before_it_is_read(server):
    with socket.create_connection(("127.0.0.1", server), timeout=PATIENCE) as opened:
        opened.sendall(b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\nx")
        assert opened.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.seed("site the production line: a killed process, half-sent bodies, open live pages")
def test_half_sent_bodies_do_not_stop_the_site(server):
    """The log-in page answers from the first connection to the last 408."""
    with contextlib.ExitStack() as opened, ThreadPoolExecutor(1) as sender:
        ask(server, "/login/")
        begun = sender.submit(lambda: [opened.enter_context(half_sent(server)) for _ in range(HALF_SENT)])
        seconds, all_sent, waiting = [], False, True
        while waiting:
            began, all_sent = time.monotonic(), begun.done()
            assert ask(server, "/login/").status == 200
            seconds.append(time.monotonic() - began)
            waiting = not all_sent or select.select(begun.result(), [], [], 0)[0] != begun.result()
        assert json.loads(ask(server, "/echo", "POST", b"a whole one").text)["body"] == "a whole one"
        assert {each.recv(12) for each in begun.result()} == {b"HTTP/1.1 408"}
    # A build runs other tests meanwhile.
    assert max(seconds) < (1 if asks_all() else 5)
    assert len(seconds) > 20


@pytest.mark.long
@pytest.mark.seed("site the production line: a killed process, half-sent bodies, open live pages")
@pytest.mark.parametrize("path", ["/admin/login/", "/api/missions"])
def test_half_sent_body_ends_with_408(server, path):
    with half_sent(server, path) as opened:
        answer = http.client.HTTPResponse(opened)
        answer.begin()
        assert answer.status == 408
        text = answer.read().decode()
        assert "did not arrive in time" in text
        if path.startswith("/api/"):
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert json.loads(text)["status"] == 408
        # The connection is closed, not kept for the rest.
        assert opened.recv(1) == b""


@pytest.mark.long
def test_slow_body_that_keeps_arriving_is_taken(server):
    def pieces() -> Iterator[bytes]:
        for _ in range(BODY_SECONDS + 2):
            yield b"x" * 10_000
            select.select([], [], [], 1)

    assert len(json.loads(ask(server, "/echo", "POST", pieces()).text)["body"]) == 10_000 * (BODY_SECONDS + 2)


def test_large_body_goes_through_disk(server):
    assert len(json.loads(ask(server, "/echo", "POST", b"x" * 2_000_000).text)["body"]) == 2_000_000


@pytest.mark.seed("site the production line: a killed process, half-sent bodies, open live pages")
def test_site_goes_on_when_a_web_process_is_killed(killed_site):
    process, port = killed_site
    until(lambda: len(processes_of(port)) == 2, "both processes")
    first = processes_of(port).pop()
    os.kill(first, signal.SIGKILL)

    def answers() -> bool:
        # What waited for the killed process is lost with it.
        with contextlib.suppress(OSError, http.client.HTTPException):
            return ask(port, "/login/", seconds=20).status == 200
        return False

    until(answers, "the other process")
    until(lambda: len(others := processes_of(port)) == 2 and first not in others, "a process in its place")
    assert process.poll() is None


@pytest.mark.seed("site the production line: a killed process, half-sent bodies, open live pages")
@pytest.mark.long
@with_rows
def test_open_live_pages_leave_every_thread_of_requests_free(tmp_path):
    with site(tmp_path, WEB_THREADS="1", LIVE_STREAMS="8") as (_process, port), contextlib.ExitStack() as opened:
        cookie = session_of("Fallback Reviewer")
        statuses = []
        for _ in range(24):
            asked = opened.enter_context(contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)))
            asked.request("GET", "/admin/fallback/missionfallbackitem/review/events/", headers={"Cookie": cookie})
            statuses.append(asked.getresponse().status)
        assert set(statuses) <= {200, 503}
        assert statuses.count(200) >= 8
        for _ in range(10):
            assert ask(port, "/login/", seconds=20).status == 200


@with_rows
def test_requests_take_turns_in_a_few_threads(server):
    with ThreadPoolExecutor(16) as people:
        assert {each.status for each in people.map(lambda _: ask(server, "/ask"), range(64))} == {200}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = ''"
            " AND pid <> pg_backend_pid()"
        )
        assert cursor.fetchone()[0] <= settings.WEB_THREADS


# --- Without a database, and with one that takes no changes ---------------------------------------


def is_a_page_for_later(answer) -> bool:
    return (answer.status, answer.headers["Retry-After"]) == (503, "5") and "temporarily unavailable" in answer.text


def is_a_problem_for_later(answer) -> bool:
    return (
        (answer.status, answer.headers["Retry-After"]) == (503, "5")
        and answer.headers["Content-Type"] == "application/problem+json"
        and json.loads(answer.text)["status"] == 503
    )


@pytest.mark.seed("site 503 while the database is stopped or read-only")
@pytest.mark.long
def test_stopped_database_is_a_503_on_pages_and_api(tmp_path, tmp_path_factory):
    var = tmp_path_factory.mktemp("cluster") / "var"
    try:
        server = embedded.start(var, tests=True)
        with site(tmp_path, DATABASE_URL=server.app_url, CONN_MAX_AGE="60") as (_process, port):
            until(lambda: ask(port, "/ask").status == 200, "the database")
            embedded.stop(var)
            cookie = f"sessionid={'x' * 32}"
            for path in ("/ask", "/", "/admin/", "/me/", "/login/"):
                assert is_a_page_for_later(ask(port, path, Cookie=cookie)), path
            assert is_a_problem_for_later(ask(port, "/api/missions", Authorization="Bearer ms_" + "x" * 43))
            embedded.start(var, tests=True)
            # Each thread finds out about its own connection.
            until(lambda: {ask(port, "/ask").status for _ in range(12)} == {200}, "pages to come back")
    finally:
        embedded.remove(var)


@pytest.fixture
def read_only():
    """The database takes no changes from connections that are made from now on."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    execute_as_owner(f"ALTER DATABASE {name} SET default_transaction_read_only = on", dbname="postgres")
    end_other_connections()
    try:
        yield
    finally:
        execute_as_owner(f"ALTER DATABASE {name} RESET default_transaction_read_only", dbname="postgres")
        end_other_connections()


def end_other_connections() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture
def administrator():
    """A session and a token, made before the database takes no changes."""
    person = staff(is_superuser=True)
    _, token = make_token(person)
    return f"sessionid={client_of(person).cookies['sessionid'].value}", f"Bearer {token}"


@pytest.mark.seed("site 503 while the database is stopped or read-only")
@with_rows
def test_read_only_database_is_a_503_for_what_writes(server, administrator, read_only):
    cookie, token = administrator
    # A connection that was ended may have been in use, or another is not open in time.
    until(lambda: ask(server, "/login/").status == 200, "a page that only reads")
    page = ask(server, "/login/")
    assert page.status == 200
    crumb = re.search(r"csrftoken=(\w+)", page.headers["Set-Cookie"])[1]
    fields = f"csrfmiddlewaretoken={crumb}&username=a@example.org&password=x"
    form = {"Content_Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={crumb}"}
    assert is_a_page_for_later(ask(server, "/login/", "POST", fields, **form))
    form["Cookie"] += f"; {cookie}"
    assert is_a_page_for_later(ask(server, "/admin/logout/", "POST", f"csrfmiddlewaretoken={crumb}", **form))
    assert ask(server, "/admin/", Cookie=cookie).status == 200
    assert is_a_problem_for_later(ask(server, "/api/missions", Authorization=token))


# --- Downloads ------------------------------------------------------------------------------------


def curl(port: int, path: str, cookie: str, target, *options: str) -> subprocess.Popen:
    command = ["curl", "--silent", "--fail", "--cookie", cookie, "--output", str(target), *options]
    return subprocess.Popen([*command, f"http://127.0.0.1:{port}{path}"])


needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


def fill_directory(rows: int) -> None:
    CommunityMember.objects.bulk_create(
        CommunityMember(name=f"Row {turn} {'x' * 100}", primary_role="other", telegram_id=str(turn))
        for turn in range(rows)
    )


@pytest.mark.seed("site a file that breaks is no whole file")
@with_rows
@needs_curl
def test_export_whose_query_is_broken_off_fails(server, tmp_path):
    """Before, it was a 200 with a clean end and some of the rows."""
    fill_directory(6_000)
    cookie = session_of("Community Manager")
    whole = curl(server, EXPORT, cookie, tmp_path / "whole.csv")
    assert whole.wait(PATIENCE) == 0
    assert sum(1 for _ in csv.reader(io.StringIO((tmp_path / "whole.csv").read_text()))) == 6_001
    broken = curl(server, EXPORT, cookie, tmp_path / "broken.csv")
    ended = 0
    with connection.cursor() as cursor:
        while not ended and broken.poll() is None:
            cursor.execute(
                """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()
                     AND query LIKE '%FETCH%_django_curs%'"""
            )
            ended = cursor.fetchone()[0]
    assert ended == 1
    # 22: the answer was an error.
    assert broken.wait(PATIENCE) == 22
    assert not (tmp_path / "broken.csv").exists()


@pytest.mark.seed("site a file that breaks is no whole file")
@needs_curl
@pytest.mark.long
def test_download_whose_web_process_dies_is_cut(killed_site, tmp_path):
    process, port = killed_site
    broken = curl(port, "/download?kilobytes=50000", "a=1", tmp_path / "broken.txt", "--limit-rate", "1M")
    until(lambda: (tmp_path / "broken.txt").exists(), "the first bytes")
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    # 18: less than announced; 56: the connection was reset.
    assert broken.wait(PATIENCE) in (18, 56)


@pytest.mark.seed("site a file that breaks is no whole file")
def test_every_file_that_is_made_is_sent_with_its_length():
    """What streams without a length ends like a whole one when it breaks; only live pages may."""
    root = settings.BASE_DIR
    apps = [root / name for name in ("missionsite", "groups", "engagement", "fallback", "missiondeck")]
    found = {
        str(path.relative_to(root))
        for app in apps
        for path in app.rglob("*.py")
        if "StreamingHttpResponse(" in path.read_text()
    }
    assert found == {"missionsite/common/live.py"}


# --- Many live pages ------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.seed("site 2,000 open live pages on one machine while the site answers")
@with_rows
@pytest.mark.parametrize("pages", [200, 2000])
def test_site_answers_while_live_pages_are_open(tmp_path, pages):
    """Each page gets the event, no page takes a thread, and the memory of the site stays small."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    channel = "many"
    urls = {"DJANGO_SETTINGS_MODULE": "tests.common.live_settings"}
    try:
        with web_server(tmp_path, workers=2, **urls) as (process, port), contextlib.ExitStack() as opened:
            sockets = []
            for _ in range(pages):
                one = opened.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
                one.settimeout(PATIENCE)
                one.sendall(f"GET /live?channel={channel} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                sockets.append(one)
            for one in sockets:
                read_until(one, b"event: ready")
            began = time.monotonic()
            assert ask(port, "/state").status == 200
            assert time.monotonic() - began < 1
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, %s)", [channel, '{"n": 1}'])
            for one in sockets:
                read_until(one, b'data: {"n": 1}')
            took = time.monotonic() - began
            processes = [process.pid, *map(int, children_of(process.pid))]
            threads = sum(len(os.listdir(f"/proc/{each}/task")) for each in processes)
            assert threads < 60
            assert took < 10
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def read_until(one: socket.socket, text: bytes) -> None:
    found = b""
    while text not in found:
        piece = one.recv(65536)
        assert piece, found
        found += piece


def children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
