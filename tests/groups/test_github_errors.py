"""Limits, failures and invalid answers of GitHub, over real connections to a local server."""

import json
import socket
import time
from datetime import UTC, datetime

import pytest

from groups.github import (
    GitHubBusy,
    GitHubRejected,
    GitHubUnavailable,
    client,
    fetch_profile,
)
from tests.groups.github_requests import rejection, soon
from tests.support.github_server import (
    endless,
    failing,
    half,
    rate_limited,
    raw,
    reply,
    resetting,
    secondary_limit,
    unauthorized,
)

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
