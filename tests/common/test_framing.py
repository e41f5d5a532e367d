"""Where a request ends: the web server leaves no room for a second one inside the first. Source: RFC 9112, 6.3."""

import re
import socket

import pytest

from tests.common.test_serving import PATIENCE, server  # noqa: F401 - a fixture


def answers(port: int, head: str, body: bytes) -> tuple[list[str], list[str]]:
    """The statuses of the answers to what is sent at once, and the bodies that the site received."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as opened:
        opened.sendall(f"POST /echo HTTP/1.1\r\nHost: localhost\r\n{head}\r\n".encode() + body)
        received = b""
        while piece := opened.recv(65_536):
            received += piece
    text = received.decode()
    return re.findall(r"HTTP/1\.1 (\d{3}) ", text), re.findall(r'"body": "(.*?)"', text)


LAST = b"GET /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def test_length_beside_chunks_is_ignored(server):  # noqa: F811
    """By length, the hidden request would be a part of the body; by chunks, it would be a request of its own."""
    chunks = b"0\r\n\r\n"
    statuses, bodies = answers(
        server, f"Content-Length: {len(chunks + LAST)}\r\nTransfer-Encoding: chunked\r\n", chunks + LAST
    )
    # The connection may be closed after the first.
    assert (set(statuses), set(bodies)) == ({"200"}, {""})
    # Negative control: without chunks all of it is a body, and two requests after each other are two.
    assert answers(server, f"Connection: close\r\nContent-Length: {len(chunks)}\r\n", chunks)[1] == [r"0\r\n\r\n"]
    assert answers(server, "Content-Length: 3\r\n", b"abc" + LAST) == (["200", "200"], ["abc", ""])


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 3\r\nContent-Length: 60\r\n",
        "Content-Length: +3\r\n",
        "Content-Length: 3, 60\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding : chunked\r\n",
    ],
)
def test_ambiguous_length_is_rejected(server, head):  # noqa: F811
    assert answers(server, head, b"abc" + LAST) == (["400"], [])
