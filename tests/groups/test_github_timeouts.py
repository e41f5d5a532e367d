"""The time limit of requests to GitHub, over real connections to a local server."""

import os
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from groups.github import (
    GitHubUnavailable,
    client,
    fetch_profile,
)
from tests.groups.github_requests import rejection
from tests.support.github_server import (
    dripping,
    resetting,
    silent,
)

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


@pytest.mark.long
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
