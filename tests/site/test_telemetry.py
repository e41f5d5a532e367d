"""Error reports and traces, sent by the real server to a local one. Needs requirements-telemetry.txt."""

import gzip
import http.server
import threading
from collections.abc import Iterator

import pytest
from django.core.exceptions import ImproperlyConfigured

from missionsite import telemetry
from tests.common.test_serving import ask, site
from tests.common.test_worker import until

SECRET = "a-secret-invitation-code"


@pytest.fixture
def collector() -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    """A server that keeps what is sent to it: its port, and paths and bodies."""
    received: list[tuple[str, bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, received
    server.shutdown()
    thread.join()
    server.server_close()


def bodies(received: list[tuple[str, bytes]], path: str) -> bytes:
    return b"".join(body for where, body in received if where.endswith(path))


@pytest.mark.django_db(transaction=True)
def test_error_is_reported_without_the_secret_in_its_address(tmp_path, collector):
    pytest.importorskip("sentry_sdk")
    port, received = collector
    with site(tmp_path, SENTRY_DSN=f"http://key@127.0.0.1:{port}/1") as (_, web):
        assert ask(web, f"/join/{SECRET}/fail?name=zoe", Cookie="sessionid=a-session").status == 500
        until(lambda: b"a fault of the site" in bodies(received, "/envelope/"), "the report")
    found = bodies(received, "/envelope/")
    assert b'"type":"ValueError"' in found
    assert not [each for each in (SECRET, "name=zoe", "a-session") if each.encode() in found]


@pytest.mark.django_db(transaction=True)
def test_request_is_traced_with_its_queries(tmp_path, collector):
    pytest.importorskip("opentelemetry.sdk")
    port, received = collector
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}", "OTEL_BSP_SCHEDULE_DELAY": "100"}
    with site(tmp_path, **environment) as (_, web):
        assert ask(web, "/ask").status == 200
        assert ask(web, f"/join/{SECRET}/fail").status == 500
        until(lambda: b"GET /join/<code>/fail" in bodies(received, "/v1/traces"), "the trace")
    found = bodies(received, "/v1/traces")
    assert b"missionsite-web" in found
    assert b"SELECT 1" in found
    assert SECRET.encode() not in found


def test_missing_packages_are_named(settings, monkeypatch):
    settings.SENTRY_DSN = "http://key@127.0.0.1/1"

    def missing(name: str):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(telemetry, "import_module", missing)
    with pytest.raises(ImproperlyConfigured, match=r"requirements-telemetry\.txt: No module named 'sentry_sdk'"):
        telemetry.start("missionsite-web")
