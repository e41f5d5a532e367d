"""Log records of rejected requests: the request id and no traceback."""

import io
import logging

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client, override_settings
from django.urls import path

from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
ID = "test-request-17"


def denied(request):
    raise PermissionDenied


def broken(request):
    raise ValueError("a fault of the site")


def streamed(request):
    from django.http import StreamingHttpResponse

    def body():
        logging.getLogger("tests.stream").warning("a line of the body")
        yield b"x"

    return StreamingHttpResponse(body())


urlpatterns = [path("denied/", denied), path("broken/", broken), path("streamed/", streamed)]


@pytest.fixture
def lines():
    """The lines that the site's handler wrote since the last call."""
    [handler] = [each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler]
    written = io.StringIO()
    before = handler.setStream(written)

    def read() -> list[str]:
        found = written.getvalue().splitlines()
        written.seek(0)
        written.truncate()
        return found

    yield read
    handler.setStream(before)


def test_caller_cannot_write_a_log_line(client, lines):
    client.get("/nothing%0A2026-01-01T00:00:00.000+00:00%20INFO%20forged")
    logging.getLogger("tests.forged").warning("one\r\ntwo\x1b[31m\u2028three")
    found = lines()
    assert not any(line.startswith(("2026-01-01", "two", "three")) for line in found)
    assert any(r"one\x0d\x0atwo\x1b[31m\u2028three".replace(r"\u2028", r"\x2028") in line for line in found)
    # The time has its offset.
    assert all(line.split(" ")[0].endswith("+00:00") for line in found)


def assert_own_lines(found: list[str], text: str) -> None:
    """The log lines of one request, with its id and without a traceback."""
    assert any(text in line for line in found), found
    for line in found:
        assert f" {ID} " in line, line


def assert_one_line(found: list[str], text: str) -> None:
    """One line about a rejected request, besides that of the security log."""
    assert_own_lines(found, text)
    assert len([line for line in found if " missionsite.security " not in line]) == 1, found


@pytest.mark.parametrize(
    ("target", "status", "text"),
    [("/nowhere/", 404, "Not Found: /nowhere/"), ("/join/nothing/", 404, "Not Found: /join/")],
)
def test_not_found_has_the_request_id(client, lines, target, status, text):
    assert client.get(target, headers={"X-Request-ID": ID}).status_code == status
    assert_own_lines(lines(), text)


def test_forbidden_page_has_no_traceback(client, lines):
    client.force_login(MemberFactory(is_staff=True))
    lines()
    assert client.get("/admin/groups/member/", headers={"X-Request-ID": ID}).status_code == 403
    assert_one_line(lines(), "/admin/groups/member/")


@override_settings(ROOT_URLCONF=__name__)
def test_permission_denied_has_no_traceback(client, lines):
    assert client.get("/denied/", headers={"X-Request-ID": ID}).status_code == 403
    assert_one_line(lines(), "Forbidden")


@pytest.mark.parametrize("target", ["/login/", "/admin/", "/api/me"])
def test_foreign_host_has_no_traceback(client, lines, target):
    answer = client.get(target, headers={"Host": "scanner.example.org", "X-Request-ID": ID})
    assert answer.status_code == 400
    assert_one_line(lines(), "Invalid HTTP_HOST header")


def test_forged_form_has_the_request_id(lines):
    answer = Client(enforce_csrf_checks=True).post("/login/", {}, headers={"X-Request-ID": ID})
    assert answer.status_code == 403
    assert_own_lines(lines(), "CSRF")


def test_too_many_requests_has_the_request_id(client, lines, settings):
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 1
    form = {"username": "nobody@example.org", "password": "wrong"}
    for _ in range(2):
        answer = client.post("/admin/login/", form, headers={"X-Request-ID": ID})
    assert answer.status_code == 429
    assert_own_lines(lines(), "Too Many Requests: /admin/login/")


@override_settings(ROOT_URLCONF=__name__)
def test_server_error_keeps_traceback(client, lines):
    client.raise_request_exception = False
    assert client.get("/broken/", headers={"X-Request-ID": ID}).status_code == 500
    found = lines()
    assert f" {ID} " in found[0]
    assert "Traceback (most recent call last):" in found
    assert "ValueError: a fault of the site" in found


@override_settings(ROOT_URLCONF=__name__)
def test_streaming_log_line_has_request_id(client, lines):
    answer = client.get("/streamed/", headers={"X-Request-ID": ID})
    assert b"".join(answer.streaming_content) == b"x"
    answer.close()
    assert_own_lines(lines(), "a line of the body")
    logging.getLogger("tests.stream").warning("after it")
    assert " - after it" in lines()[-1]
