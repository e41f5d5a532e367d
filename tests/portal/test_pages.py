"""Headers and language of all pages of the portal."""

import re

import pytest
from django.test import Client
from django.utils import translation

from groups.errors import CodeRejected
from groups.models.directory import CommunityStatus, PrimaryRole, Tier
from missionsite.common.errors import DomainError, violated
from missionsite.common.language import COOKIE
from missionsite.portal.texts import DIRECTORY_CLOSED, LABELS, STATUS_DESCRIPTIONS, error_message
from tests.portal.helpers import entry, invitation, typed
from tests.support.admin import staff

pytestmark = pytest.mark.django_db
# A file of the site, the only kind of script these pages have.
OWN_SCRIPT = re.compile(r'<script src="/static/[\w./-]+"(?: defer)?></script>')
# What a script reads; a browser does not run it.
DATA = re.compile(r"<script [^>]*type=\"application/json\">.*?</script>", re.DOTALL)
ADDRESSES = [
    "/join/",
    "/join/x/",
    "/login/",
    "/logout/",
    "/me/",
    "/me/edit/",
    "/me/messages/",
    "/me/missions/",
    "/me/missions/FE-M-99999/",
    "/me/data/",
    "/me/password/",
    "/directory/",
]


@pytest.fixture
def ana():
    return entry(name="Ana")


@pytest.mark.parametrize("address", [*ADDRESSES, "/directory/1/", "/language/"])
def test_pages_are_not_cached_and_load_nothing_external(client, ana, address):
    for browser in (client, Client()):
        if browser is client:
            browser.force_login(ana.person)
        for answer in (browser.get(address), browser.post(address, {})):
            assert "no-store" in answer["Cache-Control"]
            assert answer["Referrer-Policy"] == "same-origin"
            policy = answer["Content-Security-Policy"]
            assert policy.startswith("default-src 'self'; base-uri 'none'")
            assert "unsafe" not in policy
            assert answer["X-Frame-Options"] == "DENY"
            assert {"Accept-Language", "Cookie"} <= {each.strip() for each in answer["Vary"].split(",")}
            if answer.streaming:
                assert answer["Content-Disposition"].startswith("attachment")
                continue
            page = DATA.sub("", OWN_SCRIPT.sub("", answer.content.decode()))
            for inline in ("<script", "<style", " style=", " onclick=", "http://", "https://"):
                assert inline not in page, inline


@pytest.mark.parametrize(
    ("asks", "gets"),
    [
        ("", "en"),
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt-br"),
        ("pt-PT", "pt-br"),
        ("PT", "pt-br"),
        ("fr,pt;q=0.3,en;q=0.2", "pt-br"),
        ("fr,en;q=0.3,pt;q=0.2", "en"),
        ("ja", "en"),
        ("*", "en"),
        ("x" * 5000, "en"),
        (";q=,,\u00e9", "en"),
    ],
)
def test_language_follows_browser(client, asks, gets):
    answer = client.get("/login/", headers={"Accept-Language": asks})
    assert answer["Content-Language"] == gets
    page = answer.content.decode()
    assert f'<html lang="{"pt-BR" if gets == "pt-br" else "en"}">' in page
    assert (">Entrar</button>" if gets == "pt-br" else ">Log in</button>") in page


def test_selected_language_overrides_browser(client):
    answer = client.post("/language/", {"language": "pt-br", "next": "/login/"})
    assert (answer.status_code, answer["Location"]) == (302, "/login/")
    cookie = answer.cookies[COOKIE]
    assert (cookie["samesite"], cookie["httponly"], cookie["max-age"]) == ("Lax", True, 365 * 24 * 60 * 60)
    assert client.get("/login/", headers={"Accept-Language": "en"})["Content-Language"] == "pt-br"
    client.post("/language/", {"language": "en"})
    assert client.get("/login/", headers={"Accept-Language": "pt"})["Content-Language"] == "en"


@pytest.mark.parametrize("code", ["fr", "", "../x", "pt-BR\r\nSet-Cookie: x=1"])
def test_unknown_language_is_ignored(client, code):
    assert COOKIE not in client.post("/language/", {"language": code}).cookies
    client.cookies[COOKIE] = "fr"
    assert client.get("/login/")["Content-Language"] == "en"


def test_language_change_returns_to_page(client):
    code = invitation().code
    assert f'name="next" value="/join/{code}/"' in client.get(f"/join/{code}/").content.decode()
    assert 'name="next" value="/join/"' in client.get("/join/ABCD/").content.decode()


def test_language_ends_with_request(client):
    client.cookies[COOKIE] = "pt-br"
    client.force_login(staff("Administrator"))
    for page in ("/login/", "/admin/"):
        client.get(page)
        assert translation.get_language() == "en"


def test_registration_is_translated(client):
    inviter = entry(name="Inês", telegram_id="4711")
    made = invitation(inviter)
    client.cookies[COOKIE] = "pt-br"
    page = client.post(f"/join/{made.spelled_code}/", typed(telegram_id="4711", password=""))
    assert "Senha: Este campo é obrigatório." in page.content.decode()
    page = client.post(f"/join/{made.spelled_code}/", typed(telegram_id="4711"))
    assert "O seu cadastro precisa de uma confirmação" in page.content.decode()
    client.post(f"/join/{made.spelled_code}/", typed())
    page = client.get("/me/").content.decode()
    for words in ("Aguardando aprovação", "Função", "Designer", "Novato(a)", "Convite de", "0 ponto"):
        assert words in page
    ana = entry(reputation_score=1125)
    client.force_login(ana.person)
    page = client.get("/me/").content.decode()
    assert "1.125 pontos" in page
    assert f"{ana.created_at:%d/%m/%Y}" in page


def test_errors_are_translated_with_default():
    for language, words in (("en", "Enter your Telegram ID."), ("pt-br", "Informe o seu ID")):
        with translation.override(language):
            assert error_message(violated("community_members_telegram_id_not_empty")).startswith(words)
            assert error_message(DomainError("In English.")) != "In English."
    assert error_message(CodeRejected()) == CodeRejected().message


def test_every_choice_and_status_has_label():
    labels = {str(label) for choices in (PrimaryRole, Tier, CommunityStatus) for label in choices.labels}
    assert labels == set(LABELS)
    assert set(STATUS_DESCRIPTIONS) == {*CommunityStatus.values, "removed"}
    assert set(DIRECTORY_CLOSED) == set(STATUS_DESCRIPTIONS) - {"active"} | {""}
