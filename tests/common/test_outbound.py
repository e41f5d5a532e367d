"""Requests to addresses that users entered, over real connections to a local server."""

import ipaddress
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from missionsite.common import outbound
from missionsite.common.outbound import NotPublic, OutboundError, is_public, request


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        if self.path == "/slow":
            self.send_response(200)
            self.end_headers()
            # One byte now and then, so that no single read takes long.
            for _byte in range(100):
                self.wfile.write(b".")
                self.wfile.flush()
                if self.server.over.wait(0.1):
                    return
        self.send_response(302 if self.path.startswith("/to/") else 200)
        if self.path.startswith("/to/"):
            self.send_header("Location", self.server.targets.get(self.path, "/"))
        self.end_headers()
        self.wfile.write(b"x" * self.server.size)

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.seen, made.targets, made.size, made.over = [], {}, 10, threading.Event()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    made.url = f"http://127.0.0.1:{made.server_address[1]}"
    # The rest of the checks stays: only this one address counts as public.
    monkeypatch.setattr(outbound, "is_public", lambda address: str(address) == "127.0.0.1" or is_public(address))
    yield made
    made.over.set()
    made.shutdown()
    made.server_close()


def get(url: str, **options):
    return request(url, schemes=("http", "https"), **options)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        *(
            (address, False)
            for address in (  # noqa: SIM905
                "127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255"
                " ::1 :: fe80::1 fc00::1 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 2002:7f00:1::"
                " 2001:0:1::"
            ).split()
        ),
    ],
)
def test_only_public_addresses_count(address, expected):
    assert is_public(ipaddress.ip_address(address)) is expected


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254"]
)
def test_request_rejects_address_that_is_not_public(host):
    with pytest.raises(NotPublic, match="not public"):
        get(f"http://{host}:9/")


@pytest.mark.parametrize(
    "url", ["http://example.org", "ftp://example.org", "//x", "https://a:b@example.org", "https://"]
)
def test_request_rejects_other_urls(url):
    with pytest.raises(OutboundError):
        request(url)


def test_response_is_cut_at_limit(server):
    answer = get(server.url, max_bytes=4)
    assert (answer.status, answer.body, answer.is_cut, answer.is_ok) == (200, b"xxxx", True, True)


def test_redirect_is_checked_again(server):
    server.targets["/to/private"] = "http://169.254.169.254/latest"
    with pytest.raises(NotPublic):
        get(f"{server.url}/to/private", redirects=3)
    server.targets["/to/here"] = "/end"
    answer = get(f"{server.url}/to/here", redirects=3, headers={"X-Secret": "s"})
    assert (answer.status, answer.url) == (200, f"{server.url}/end")
    # Headers are for the first address only.
    assert ["X-Secret" in headers for _path, headers in server.seen[1:]] == [True, False]
    server.targets["/to/loop"] = "/to/loop"
    with pytest.raises(OutboundError, match="too many redirects"):
        get(f"{server.url}/to/loop", redirects=3)
    assert get(f"{server.url}/to/loop").status == 302


def test_name_that_changes_its_address_is_looked_up_once(server, monkeypatch):
    """A name that resolves to a private address the second time is not connected to that one."""
    looked_up, real = [], socket.getaddrinfo

    def rebinding(host, *arguments, **options):
        if host != "rebind.example":
            return real(host, *arguments, **options)
        looked_up.append(host)
        return real("127.0.0.1" if len(looked_up) == 1 else "10.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    port = server.server_address[1]
    assert get(f"http://rebind.example:{port}/").status == 200
    assert len(looked_up) == 1
    with pytest.raises(NotPublic):
        get(f"http://rebind.example:{port}/")


def test_name_with_one_private_address_is_rejected(server, monkeypatch):
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0)) for ip in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_arguments, **_options: answers)
    with pytest.raises(NotPublic):
        get("http://mixed.example/")


def test_slow_server_and_resolver_are_cut_off(server, monkeypatch):
    began = time.monotonic()
    with pytest.raises(OutboundError, match=r"within 0\.3 seconds"):
        get(f"{server.url}/slow", seconds=0.3)
    never = threading.Event()

    def stuck(*_arguments, **_options):
        never.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    with pytest.raises(OutboundError, match="in time"):
        get("http://slow.example/", seconds=0.3)
    never.set()
    assert time.monotonic() - began < 3


def test_unknown_name_and_closed_port_fail(server):
    with pytest.raises(OutboundError, match="unknown"):
        get("http://nothing.invalid/")
    with pytest.raises(OutboundError, match="connection failed"):
        get("http://127.0.0.1:1/")
