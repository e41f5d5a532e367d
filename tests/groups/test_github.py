"""The GitHub client: profiles and every kind of failure, over real connections to a local server."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as site

from groups.github import (
    GitHubBusy,
    GitHubError,
    GitHubNameInvalid,
    GitHubNotAPerson,
    GitHubRejected,
    GitHubUnavailable,
    GitHubUserUnknown,
    client,
    fetch_profile,
    profile,
)
from tests.support.github_server import (
    dripping,
    endless,
    failing,
    found,
    github,
    half,
    moved,
    rate_limited,
    raw,
    reply,
    resetting,
    secondary_limit,
    silent,
    unauthorized,
    unprocessable,
)

TOKEN = "token-of-the-site"
WORD = "missionsite-abcdefghij"


@pytest.fixture
def server(settings, monkeypatch):
    monkeypatch.setattr(client, "_FIRST_PAUSE", 0.01)
    with github() as running:
        settings.GITHUB_API_URL, settings.GITHUB_TOKEN, settings.GITHUB_TIMEOUT = running.url, TOKEN, 20
        yield running


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def rejection(kind: type[GitHubError], username: str = "octocat") -> GitHubError:
    """Return the error of a request, after checking that it contains no account name."""
    with pytest.raises(GitHubError) as caught:
        fetch_profile(username, code=WORD)
    assert type(caught.value) is kind or (kind is GitHubUnavailable and isinstance(caught.value, kind))
    printed = "".join(traceback.format_exception(caught.value))
    for secret in (username, WORD, TOKEN):
        assert not secret or secret not in printed
    assert caught.value.message.endswith(".")
    return caught.value


# --- Profile ----------------------------------------------------------------------------------


def test_profile_contains_four_figures(server):
    server.person("OctoCat", stars=[150, 50], public_repos=15, followers=50, commits=400, issues=60, pull_requests=40)
    before = datetime.now(UTC).replace(microsecond=0)
    found_profile = fetch_profile("octocat")
    fetched_at = datetime.fromisoformat(found_profile.data.pop("fetched_at"))
    assert before <= fetched_at <= datetime.now(UTC)
    assert found_profile.login == "OctoCat"
    assert found_profile.data == {
        "public_repos": 15,
        "followers": 50,
        "total_stars": 200,
        "contributions_last_year": 500,
        "html_url": "https://github.com/OctoCat",
        "created_at": "2011-01-25T18:44:36+00:00",
        "incomplete": [],
    }
    assert "example.org" not in repr(found_profile)
    with pytest.raises(FrozenInstanceError):
        found_profile.login = "someone-else"


def test_requests_sent_to_github(server):
    server.person("octocat", stars=[1])
    fetch_profile("octocat")
    since = f"{soon(-365 * 86400):%Y-%m-%d}"
    assert [(request.path, request.query) for request in server.requests] == [
        ("/users/octocat", {}),
        ("/users/octocat/repos", {"per_page": "100", "type": "owner"}),
        ("/search/commits", {"q": f"author:octocat author-date:>={since}", "per_page": "1"}),
        ("/search/issues", {"q": f"author:octocat created:>={since} is:issue", "per_page": "1"}),
        ("/search/issues", {"q": f"author:octocat created:>={since} is:pull-request", "per_page": "1"}),
    ]
    for request in server.requests:
        assert request.headers["Authorization"] == f"Bearer {TOKEN}"
        assert request.headers["Accept"] == "application/vnd.github+json"
        assert request.headers["X-GitHub-Api-Version"] == "2022-11-28"
        assert request.headers["User-Agent"] == "missionsite"


def test_no_authorization_header_without_token(server, settings):
    settings.GITHUB_TOKEN = ""
    server.person()
    fetch_profile("octocat")
    assert len(server.requests) == 5
    assert not any("Authorization" in request.headers for request in server.requests)


def test_api_url_with_path_is_used(server, settings):
    settings.GITHUB_API_URL = f"{server.url}/api/v3/"
    server.on("/api/v3/users/octocat", reply(server.person()))
    server.on("/api/v3/users/octocat/repos", reply([]))
    server.on("/api/v3/search/commits", reply(found(1)))
    server.on("/api/v3/search/issues", reply(found(2)))
    assert fetch_profile("octocat").data["contributions_last_year"] == 5
    assert all(request.path.startswith("/api/v3/") for request in server.requests)


@pytest.mark.parametrize("address", ["", "api.github.com", "ftp://api.github.com", "http://[", "https://"])
def test_invalid_api_url_is_unavailable(settings, address):
    settings.GITHUB_API_URL = address
    assert "GITHUB_API_URL" in rejection(GitHubUnavailable).message


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "tökén"])
def test_invalid_token_is_rejected_and_not_sent(server, settings, token):
    settings.GITHUB_TOKEN = token
    rejected = rejection(GitHubRejected)
    assert "GITHUB_TOKEN" in rejected.message
    assert token not in rejected.message
    assert server.requests == []


# --- Names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        *("", "-a", "a-", "a--b", "a" * 40, "..", "a/b", "../search", "a b", "a\\n", "ä", "a?x=1", "a#b", "a%2fb"),
        *("a.b", "dependabot[bot]", "a_b", "@a", "٣"),
    ],
)
def test_invalid_name_sends_no_request(server, name):
    with pytest.raises(GitHubNameInvalid):
        fetch_profile(name)
    assert server.requests == []


@pytest.mark.parametrize("name", ["a", "7", "a-b", "a-1-b", "A" * 39])
def test_valid_name_sends_request(server, name):
    rejection(GitHubUserUnknown, name if len(name) > 3 else "nobody")
    with pytest.raises(GitHubUserUnknown):
        fetch_profile(name)
    assert server.requests[-1].path == f"/users/{name}"


def test_unknown_name_takes_one_request(server):
    rejection(GitHubUserUnknown)
    assert server.counts() == {"/users/octocat": 1}


@pytest.mark.parametrize("kind", ["Organization", "Bot"])
def test_organisation_account_is_rejected(server, kind):
    server.person(type=kind)
    rejection(GitHubNotAPerson)
    assert server.counts() == {"/users/octocat": 1}


# --- Verification code ---------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["bio", "company", "blog", "location"])
def test_code_is_found_in_every_public_text(server, field):
    server.person(**{field: f"I write code. {WORD}"})
    assert fetch_profile("octocat", code=WORD).code_found


@pytest.mark.parametrize(
    ("bio", "stands"),
    [
        (WORD, True),
        (f"({WORD})", True),
        (f"{WORD}.", True),
        ("Missionsite-ABCDEFGHIJ", True),
        (f"🚀{WORD}\nRust, Go", True),
        (f"{WORD}k", False),
        (f"x{WORD}", False),
        ("missionsite-abcdefghi", False),
        ("missionsite abcdefghij", False),
        ("", False),
        (None, False),
    ],
)
def test_code_must_be_a_whole_word(server, bio, stands):
    server.person(bio=bio)
    assert fetch_profile("octocat", code=WORD).code_found is stands


def test_code_is_not_a_pattern(server):
    server.person(bio="anything at all")
    assert not fetch_profile("octocat", code=".*").code_found


@pytest.mark.parametrize("code", [None, ""])
def test_missing_code_is_never_found(server, code):
    server.person(bio="")
    assert not fetch_profile("octocat", code=code).code_found


def test_code_in_name_or_email_does_not_count(server):
    server.person(name=WORD, email=f"{WORD}@example.org", twitter_username=WORD)
    assert not fetch_profile("octocat", code=WORD).code_found


# --- Pages of repositories ---------------------------------------------------------------------


def test_stars_of_all_pages_are_summed(server):
    server.person(stars=list(range(250)))
    assert fetch_profile("octocat").data["total_stars"] == sum(range(250))
    pages = [request.query.get("page", "1") for request in server.requests if request.path.endswith("/repos")]
    assert pages == ["1", "2", "3"]


def test_too_many_pages_are_incomplete(server, monkeypatch):
    monkeypatch.setattr(profile, "MAX_PAGES", 2)
    server.person(stars=[1] * 201)
    data = fetch_profile("octocat").data
    assert (data["total_stars"], data["incomplete"]) == (200, ["total_stars"])
    assert server.counts()["/users/octocat/repos"] == 2


def test_maximum_pages_are_complete(server, monkeypatch):
    monkeypatch.setattr(profile, "MAX_PAGES", 2)
    server.person(stars=[1] * 200)
    data = fetch_profile("octocat").data
    assert (data["total_stars"], data["incomplete"]) == (200, [])


def test_repository_on_two_pages_is_counted_once(server):
    server.person()
    again = {"id": 2, "stargazers_count": 7}
    link = f'<{server.url}/user/1/repos?page=2>; rel="next", <{server.url}/user/1/repos?page=2>; rel="last"'
    server.on("/users/octocat/repos", reply([{"id": 1, "stargazers_count": 5}, again], Link=link))
    server.on("/user/1/repos", reply([again, {"id": 3, "stargazers_count": 1}]))
    assert fetch_profile("octocat").data["total_stars"] == 13


def test_circular_pages_end(server):
    server.person()
    link = f'<{server.url}/users/octocat/repos?page=1>; rel="next"'
    server.on("/users/octocat/repos", reply([{"id": 1, "stargazers_count": 5}], Link=link))
    data = fetch_profile("octocat").data
    assert (data["total_stars"], data["incomplete"]) == (5, ["total_stars"])
    assert server.counts()["/users/octocat/repos"] == profile.MAX_PAGES


# --- Searches ----------------------------------------------------------------------------------


def test_unfinished_search_is_incomplete(server):
    server.person(issues=3, pull_requests=4)
    server.search("commits", "", "octocat", reply(found(20, is_whole=False)))
    data = fetch_profile("octocat").data
    assert (data["contributions_last_year"], data["incomplete"]) == (27, ["contributions_last_year"])


def test_hidden_activity_is_incomplete(server):
    server.person(issues=3, pull_requests=4)
    server.search("commits", "", "octocat", unprocessable("The listed users cannot be searched."))
    data = fetch_profile("octocat").data
    assert (data["contributions_last_year"], data["incomplete"]) == (7, ["contributions_last_year"])


# --- Redirects ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("is_relative", [True, False])
def test_renamed_account_is_read_by_new_name(server, status, is_relative):
    server.person("NewName", stars=[3])
    server.on("/user/583231", server.answer("/users/NewName"))
    server.on("/users/octocat", moved("/user/583231" if is_relative else f"{server.url}/user/583231", status))
    found_profile = fetch_profile("octocat")
    assert (found_profile.login, found_profile.data["total_stars"]) == ("NewName", 3)
    assert server.counts()["/users/NewName/repos"] == 1


@pytest.mark.parametrize(
    "there",
    [
        "{other}/users/octocat",
        "//{host}/users/octocat",
        "{tls}/users/octocat",
        "http://[",
        "http://a:b/",
        "",
        "file:///etc/passwd",
        "https://github.com.example.org/",
    ],
)
def test_redirect_to_other_host_is_rejected(server, there):
    with github() as other:
        other.person()
        host = other.url.removeprefix("http://")
        server.on("/users/octocat", moved(there.format(other=other.url, host=host, tls=f"https://{host}")))
        rejection(GitHubUnavailable)
        assert other.requests == []
    assert len(server.requests) == 1


def test_next_page_on_other_host_is_rejected(server):
    with github() as other:
        server.person()
        server.on("/users/octocat/repos", reply([], Link=f'<{other.url}/users/octocat/repos?page=2>; rel="next"'))
        rejection(GitHubUnavailable)
        assert other.requests == []


def test_circular_redirects_end(server):
    server.on("/users/octocat", moved("/users/octocat"))
    rejection(GitHubUnavailable)
    assert server.counts() == {"/users/octocat": 4}


# --- Limits and rejections -----------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("path", ["/users/octocat", "/users/octocat/repos", "/search/commits", "/search/issues"])
def test_primary_rate_limit_gives_retry_time(server, path, status):
    server.person()
    resets_at = soon(1800).replace(microsecond=0)
    server.on(path, rate_limited(resets_at, status))
    busy = rejection(GitHubBusy)
    assert (busy.retry_at, busy.is_stated) == (resets_at, True)
    assert server.counts()[path] == 1


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("in_text", [True, False])
def test_secondary_rate_limit_gives_retry_time(server, status, in_text):
    instant = soon(90).replace(microsecond=0)
    server.on("/users/octocat", secondary_limit(instant if in_text else 90, status))
    earliest = soon(90)
    busy = rejection(GitHubBusy)
    if in_text:
        assert busy.retry_at == instant
    else:
        assert earliest <= busy.retry_at <= soon(90)
    assert busy.is_stated


def test_later_of_two_retry_times_is_used(server):
    resets_at = soon(600).replace(microsecond=0)
    headers = {"X_RateLimit_Remaining": "0", "X_RateLimit_Reset": str(int(resets_at.timestamp())), "Retry_After": "30"}
    server.on("/users/octocat", reply({}, 403, **headers))
    assert rejection(GitHubBusy).retry_at == resets_at


@pytest.mark.parametrize(
    "answer",
    [
        secondary_limit(None),
        secondary_limit(None, 429),
        secondary_limit(0),
        rate_limited(datetime(2001, 1, 1, tzinfo=UTC)),
        reply({}, 429, Retry_After="soon"),
        reply({}, 429, Retry_After="-5"),
        reply({}, 429, Retry_After="Sat, 99 Nov 2026 99:99:99 GMT"),
        reply({}, 403, X_RateLimit_Remaining="0"),
        reply({}, 403, X_RateLimit_Remaining="0", X_RateLimit_Reset="later"),
        reply({"message": "You have triggered an abuse detection mechanism."}, 403),
        reply(b"<html>", 429),
    ],
)
def test_missing_retry_time_defaults_to_one_minute(server, answer):
    server.on("/users/octocat", answer)
    earliest = soon(60)
    busy = rejection(GitHubBusy)
    assert earliest <= busy.retry_at <= soon(60)
    assert not busy.is_stated


@pytest.mark.parametrize("headers", [{"Retry_After": "9" * 30}, {"Retry_After": "Fri, 31 Dec 9999 23:59:59 -1200"}])
def test_retry_time_is_at_most_one_day(server, headers):
    server.on("/users/octocat", reply({}, 429, **headers))
    assert rejection(GitHubBusy).retry_at <= soon(86400)


def test_wrong_token_is_rejected(server):
    server.on("/users/octocat", unauthorized)
    assert "token" in rejection(GitHubRejected).message
    assert len(server.requests) == 1


def test_forbidden_is_not_a_rate_limit(server):
    server.on("/users/octocat", reply({"message": "Resource not accessible"}, 403, X_RateLimit_Remaining="4999"))
    rejection(GitHubRejected)


# --- Temporary failures ------------------------------------------------------------------------


@pytest.mark.parametrize("broken", [failing(500), failing(502), failing(503), failing(504), resetting, half({"a": 1})])
def test_temporary_error_is_retried(server, broken):
    user = server.person(stars=[4])
    server.on("/users/octocat", broken, broken, reply(user))
    assert fetch_profile("octocat").data["total_stars"] == 4
    assert server.counts()["/users/octocat"] == 3


@pytest.mark.parametrize("broken", [failing(500), resetting, half({"a": 1}), raw(b""), raw(b"octocat what\r\n\r\n")])
def test_permanent_error_fails_after_three_tries(server, broken):
    server.on("/users/octocat", broken)
    rejection(GitHubUnavailable)
    assert server.counts() == {"/users/octocat": 3}


def test_retry_pauses_grow(server, monkeypatch):
    monkeypatch.setattr(client, "_FIRST_PAUSE", 0.4)
    server.on("/users/octocat", failing(500))
    rejection(GitHubUnavailable)
    first, second, third = (request.at for request in server.requests)
    # Half to one and a half times the pause.
    assert second - first >= 0.2
    assert third - second >= 0.4


def test_retry_pauses_count_towards_timeout(server, settings, monkeypatch):
    monkeypatch.setattr(client, "_FIRST_PAUSE", 60)
    settings.GITHUB_TIMEOUT = 0.5
    server.on("/users/octocat", failing(500))
    began = time.monotonic()
    assert "0.5 seconds" in rejection(GitHubUnavailable).message
    assert 0.5 <= time.monotonic() - began < 10


def test_refused_connection_is_unavailable(settings):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings.GITHUB_API_URL = f"http://127.0.0.1:{taken.getsockname()[1]}"
    rejection(GitHubUnavailable)


def test_unresolvable_host_is_unavailable(settings):
    settings.GITHUB_API_URL = "http://github.invalid"
    rejection(GitHubUnavailable)


# --- Time --------------------------------------------------------------------------------------


def test_silent_server_times_out_early(server, monkeypatch):
    monkeypatch.setattr(client, "_READ_TIMEOUT", 0.3)
    server.on("/users/octocat", silent)
    began = time.monotonic()
    assert rejection(GitHubUnavailable).message == "GitHub does not answer."
    assert time.monotonic() - began < 10
    assert server.left_waiting.wait(10)
    assert len(server.requests) == 1


@pytest.mark.parametrize("part", ["status", "headers", "body"])
def test_slow_bytes_do_not_exceed_timeout(server, settings, part):
    settings.GITHUB_TIMEOUT = 1
    server.on("/users/octocat", dripping(part))
    began = time.monotonic()
    assert rejection(GitHubUnavailable).message == "GitHub did not finish within 1 seconds."
    assert 1 <= time.monotonic() - began < 10
    assert len(server.requests) == 1


def test_slow_responses_share_timeout(server, settings):
    settings.GITHUB_TIMEOUT = 1
    server.person(stars=[1] * 3000)
    pages = server.answer("/users/octocat/repos")

    def slowly(call):
        call.pause(0.15)
        pages(call)

    server.on("/users/octocat/repos", slowly)
    began = time.monotonic()
    assert "within 1 seconds" in rejection(GitHubUnavailable).message
    assert time.monotonic() - began < 10
    assert server.counts()["/users/octocat/repos"] < 30


def test_slow_bytes_exceed_timeout_without_deadline(server, settings, monkeypatch):
    """Negative control: the library's own timeouts do not end it."""
    settings.GITHUB_TIMEOUT = 1
    monkeypatch.setattr(client._Deadline, "_cut", lambda self: None)
    server.on("/users/octocat", dripping("headers"))
    ended = threading.Event()

    def look_up():
        with pytest.raises(GitHubUnavailable):
            fetch_profile("octocat")
        ended.set()

    thread = threading.Thread(target=look_up)
    thread.start()
    assert not ended.wait(4)
    server.stopping.set()
    thread.join(10)
    assert ended.is_set()


@contextmanager
def half_a_handshake():
    """Start a server that begins a TLS handshake and then sends single bytes; yields its address."""
    stopping = threading.Event()

    def serve(listening):
        connection, _address = listening.accept()
        with connection:
            # A record of sixteen thousand bytes is announced.
            connection.sendall(b"\x16\x03\x03\x40\x00\x02")
            try:
                while not stopping.wait(0.05):
                    connection.sendall(b"\x00")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        try:
            yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            stopping.set()
            thread.join()


def test_slow_tls_handshake_does_not_exceed_timeout(settings):
    settings.GITHUB_TIMEOUT = 1
    with half_a_handshake() as address:
        settings.GITHUB_API_URL = address
        began = time.monotonic()
        assert "within 1 seconds" in rejection(GitHubUnavailable).message
        assert 1 <= time.monotonic() - began < 10


def test_https_to_plain_server_is_unavailable(server, settings):
    settings.GITHUB_API_URL = server.url.replace("http:", "https:")
    rejection(GitHubUnavailable)
    assert server.requests == []


def test_call_leaves_no_thread_or_connection(server, settings):
    server.person(stars=[1])
    threads = set(threading.enumerate())
    files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    fetch_profile("octocat")
    server.on("/users/octocat", resetting)
    rejection(GitHubUnavailable)
    server.on("/users/octocat", dripping("body"))
    settings.GITHUB_TIMEOUT = 0.3
    rejection(GitHubUnavailable)
    server.stop()
    assert {thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)} <= threads
    if files:
        assert len(os.listdir("/proc/self/fd")) <= files


# --- Bodies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"not json", b"\xff\xfe\x00", b"[" * 200_000, b'{"public_repos": NaN}', b"1e5000", b"9" * 5000),
        b"\x1f\x8b\x08\x00not gzip",
    ],
)
@pytest.mark.parametrize("path", ["/users/octocat", "/users/octocat/repos", "/search/commits"])
def test_invalid_json_is_rejected(server, path, body):
    server.person()
    server.on(path, reply(body))
    rejection(GitHubUnavailable)
    assert server.counts()[path] == 1


@pytest.mark.parametrize("path", ["/users/octocat", "/users/octocat/repos", "/search/commits"])
@pytest.mark.parametrize("body", [None, True, 5, "text", [5], [None], [[]], {"a": 1}, [{"id": 1}]])
def test_json_of_another_shape_is_rejected(server, path, body):
    server.person()
    server.on(path, reply(body))
    rejection(GitHubUnavailable)


@pytest.mark.parametrize(
    "fields",
    [
        {"public_repos": "15"},
        {"public_repos": None},
        {"public_repos": True},
        {"public_repos": -1},
        {"public_repos": 10**12},
        {"followers": 1.5},
        {"followers": [5]},
        {"login": None},
        {"login": 5},
        {"login": "../search"},
        {"login": "a\u0000b"},
        {"type": None},
        {"type": 1},
        {"html_url": "javascript:alert(1)"},
        {"html_url": "https://github.com/\ud800"},
        {"html_url": "https://github.com/" + "a" * 300},
        {"html_url": None},
        {"created_at": "yesterday"},
        {"created_at": "2011-01-25T18:44:36"},
        {"created_at": None},
        {"bio": 5},
        {"bio": ["missionsite-abcdefghij"]},
        {"blog": {"a": 1}},
    ],
)
def test_user_with_wrong_field_type_is_rejected(server, fields):
    server.on("/users/octocat", reply(server.person() | fields))
    rejection(GitHubUnavailable)
    # Detected before the next request.
    assert server.counts() == {"/users/octocat": 1}


@pytest.mark.parametrize("missing", ["public_repos", "followers", "login", "type", "html_url", "created_at"])
def test_user_without_field_is_rejected(server, missing):
    user = server.person()
    del user[missing]
    server.on("/users/octocat", reply(user))
    rejection(GitHubUnavailable)


@pytest.mark.parametrize(
    "row", [{"id": 1, "stargazers_count": None}, {"id": "1", "stargazers_count": 1}, {"id": 1, "stargazers_count": -2}]
)
def test_repository_with_wrong_field_type_is_rejected(server, row):
    server.person()
    server.on("/users/octocat/repos", reply([row]))
    rejection(GitHubUnavailable)


@pytest.mark.parametrize(
    "answer", [{"total_count": 5}, {"total_count": "5", "incomplete_results": False}, {"incomplete_results": False}]
)
def test_search_with_wrong_field_type_is_rejected(server, answer):
    server.person()
    server.on("/search/issues", reply(answer))
    rejection(GitHubUnavailable)


def test_body_of_maximum_size_is_read(server):
    user = server.person()
    padding = client.MAX_BODY - len(json.dumps(user | {"name": ""}).encode())
    body = json.dumps(user | {"name": "a" * padding}).encode()
    assert len(body) == client.MAX_BODY
    server.on("/users/octocat", reply(body))
    assert fetch_profile("octocat").login == "octocat"
    server.on("/users/octocat", reply(body + b" "))
    assert rejection(GitHubUnavailable).message == "GitHub's answer is too long."


@pytest.mark.parametrize("path", ["/users/octocat", "/search/commits"])
def test_endless_body_is_cut_off(server, path):
    server.person()
    server.on(path, endless())
    began = time.monotonic()
    assert rejection(GitHubUnavailable).message == "GitHub's answer is too long."
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "answer",
    [
        raw(b"HTTP/1.1 200 OK\r\n" + b"X-Many: 1\r\n" * 5000 + b"\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}"),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nno colon octocat\r\n\r\nabcde"),
        raw(b"\x16\x03\x01\x00"),
        reply({}, 204),
        reply({}, 304),
        reply({}, 400),
        reply({}, 418),
        reply({}, 422),
    ],
)
def test_invalid_http_response_is_rejected(server, answer):
    server.on("/users/octocat", answer)
    rejection(GitHubUnavailable)


# --- Logging -------------------------------------------------------------------------------------


def test_debug_log_contains_no_names(server, caplog):
    caplog.set_level("DEBUG")
    server.person("octocat", stars=[1] * 101)
    fetch_profile("octocat", code=WORD)
    for answer in (resetting, failing(500), unauthorized, moved("http://127.0.0.1:9/octocat"), silent_headers):
        server.on("/users/octocat", answer)
        with pytest.raises(GitHubError):
            fetch_profile("octocat", code=WORD)
    said = "\n".join(record.getMessage() for record in caplog.records)
    assert not any(secret in said for secret in ("octocat", WORD, TOKEN))


silent_headers = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno colon octocat\r\n\r\n{}")


def test_library_log_contains_names(server, caplog, monkeypatch):
    """Negative control: the library logs the address."""
    caplog.set_level("DEBUG")
    caplog.set_level("DEBUG", logger="urllib3")
    server.person("octocat")
    fetch_profile("octocat")
    assert "octocat" in caplog.text


def run_python(code: str, **environment: str) -> None:
    subprocess.run(
        [sys.executable, "-c", code], cwd=site.BASE_DIR, check=True, env=os.environ | environment, timeout=60
    )


def test_import_does_not_load_django():
    run_python("import sys, groups.github; assert not [name for name in sys.modules if name.startswith('django')]")


def test_site_start_sends_no_request(server):
    # Everything a web process and a worker import, and the checks of the settings.
    own = site.DATABASES["default"]
    start = (
        "import django; django.setup(); "
        "import groups.tasks, groups.services.verification, missionsite.urls, missionsite.wsgi; "
        "from django.core.management import call_command; call_command('check')"
    )
    run_python(
        start,
        DJANGO_SETTINGS_MODULE="missionsite.settings",
        DATABASE_URL=f"postgres://{own['USER']}:x@127.0.0.1:9/none",
        SECRET_KEY="x" * 60,
        GITHUB_API_URL=server.url,
    )
    assert server.requests == []
