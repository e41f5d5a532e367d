"""Error pages are in the visitor's language, also those that are sent before a view or the site is reached."""

import asyncio

import pytest
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from missionsite.common import serving
from missionsite.common.language import COOKIE
from missionsite.urls import handler400, handler403, handler404, handler500, urlpatterns
from tests.support.admin import page_text, staff
from tests.support.factories.groups import MemberFactory

# A 403 is an event of the security log.
pytestmark = pytest.mark.django_db

PORTUGUESE = {"Accept-Language": "pt-BR,pt;q=0.9"}
HEADINGS = {
    400: ("This request cannot be read", "Não foi possível ler esta requisição"),
    403: ("Access denied", "Acesso negado"),
    404: ("Page not found", "Página não encontrada"),
    408: ("The request took too long", "A requisição demorou demais"),
    413: ("The request is too large", "A requisição é grande demais"),
    500: ("Something went wrong", "Algo deu errado"),
    503: ("Missionsite is temporarily unavailable", "O Missionsite está temporariamente indisponível"),
}
ERRORS = {403: PermissionDenied, 500: ValueError, 503: OperationalError}

__all__ = ["handler400", "handler403", "handler404", "handler500"]


def fail(request: HttpRequest, status: int) -> HttpResponse:
    raise ERRORS[status]


urlpatterns = [path("fail/<int:status>/", fail), path("admin/fail/<int:status>/", fail), *urlpatterns]
ADDRESSES = {400: "/?q=%00", 404: "/nothing", **{status: f"/fail/{status}/" for status in ERRORS}}


@pytest.fixture
def visitor():
    return Client(raise_request_exception=False)


@pytest.fixture
def site_of_this_module(settings):
    settings.ROOT_URLCONF = __name__


def heading(language: str, text: str) -> str:
    """Return the parts of the page that show its language."""
    assert f'<html lang="{language}">' in text
    return text.partition("<h1>")[2].partition("</h1>")[0]


@pytest.mark.parametrize("status", ADDRESSES)
def test_error_page_has_language_of_browser(visitor, site_of_this_module, status):
    english, portuguese = HEADINGS[status]
    answer = visitor.get(ADDRESSES[status])
    assert (answer.status_code, heading("en", answer.content.decode())) == (status, english)
    answer = visitor.get(ADDRESSES[status], headers=PORTUGUESE)
    assert (answer.status_code, heading("pt-br", answer.content.decode())) == (status, portuguese)
    assert answer["Content-Language"] == "pt-br"


def test_cookie_of_language_buttons_wins(visitor):
    visitor.cookies[COOKIE] = "en"
    assert heading("en", visitor.get("/nothing", headers=PORTUGUESE).content.decode()) == "Page not found"


def test_form_without_csrf_token_has_language_of_browser():
    answer = Client(enforce_csrf_checks=True).post("/login/", headers=PORTUGUESE)
    assert (answer.status_code, heading("pt-br", answer.content.decode())) == (403, "Este formulário expirou")


@pytest.mark.parametrize(("status", "length"), [(408, b"5"), (413, b"2000")])
def test_request_rejected_by_server_has_language_of_browser(monkeypatch, status, length):
    monkeypatch.setattr(serving, "BODY_SECONDS", 0)
    headers = [(b"content-length", length), (b"accept-language", b"pt")]
    scope = {"type": "http", "method": "POST", "path": "/login/", "query_string": b"", "http_version": "1.1"}
    sent = []

    async def receive() -> dict:
        await asyncio.Event().wait()

    async def send(message: dict) -> None:
        sent.append(message)

    site = serving.ThreadedSite(None, threads=1, largest=1_000)
    asyncio.run(site(scope | {"headers": headers}, receive, send))
    start, body = sent
    assert (start["status"], heading("pt-br", body["body"].decode())) == (status, HEADINGS[status][1])
    assert (b"content-type", b"text/html; charset=utf-8") in start["headers"]


@pytest.fixture
def auditor(client):
    client.raise_request_exception = False
    client.force_login(staff("Auditor"))
    staff("Administrator", display_name="Ada", email="ada@example.org")
    return client


@pytest.mark.parametrize(
    ("address", "status"), [("/admin/nothing/", 404), ("/admin/fail/403/", 403), ("/admin/fail/500/", 500)]
)
def test_staff_see_error_in_frame_with_whom_to_ask(auditor, site_of_this_module, address, status):
    answer = auditor.get(address)
    text = answer.content.decode()
    assert answer.status_code == status
    assert HEADINGS[status][0] in text.partition("<h1")[2].partition("</h1>")[0]
    assert f"<title> {HEADINGS[status][0]} | Missionsite</title>" in text
    for part in ('aria-label="Main navigation"', "Search everything", "ada@example.org", answer["X-Request-ID"]):
        assert part in text


def test_denied_page_names_roles_that_allow_it(auditor):
    text = page_text(auditor.get("/admin/groups/mission/add/"))
    assert "Roles that allow it: Administrator, Mission Manager." in text
    action = f"/admin/groups/member/{MemberFactory().pk}/add-to-mission/"
    assert "Roles that allow it: Administrator, Community Manager, Mission Manager." in page_text(auditor.get(action))


def test_bare_page_is_shown_when_frame_fails(auditor, monkeypatch):
    monkeypatch.setattr("missionsite.common.admin.error_frame._administrators", lambda: 1 / 0)
    assert heading("en", auditor.get("/admin/nothing/").content.decode()) == "Page not found"


def test_members_see_no_names_of_administrators(client):
    staff("Administrator", email="ada@example.org")
    client.force_login(MemberFactory())
    assert "ada@example.org" not in client.get("/admin/nothing/", follow=True).content.decode()
