"""Sign-in with GitHub, whose answers come from a small server beside the test."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from django.test import Client

from tests.portal.helpers import entry
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
EMAIL = "ana@example.org"


class GitHub(BaseHTTPRequestHandler):
    """What the test sets is who signs in."""

    number = 7
    verified = True

    def do_GET(self) -> None:
        if self.path == "/user/emails":
            self.answer([{"email": EMAIL, "primary": True, "verified": GitHub.verified}])
        else:
            self.answer({"id": GitHub.number, "login": "ana", "name": "Ana", "email": EMAIL})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer({"access_token": "a", "token_type": "bearer", "scope": "read:user"})

    def answer(self, document) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def github(settings, monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
    Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    for name, path in (("access_token_url", "/token"), ("profile_url", "/user"), ("emails_url", "/user/emails")):
        monkeypatch.setattr(GitHubOAuth2Adapter, name, base + path)
    settings.SOCIALACCOUNT_PROVIDERS = {"github": {"APPS": [{"client_id": "c", "secret": "s", "key": ""}]}}
    GitHub.number, GitHub.verified = 7, True
    yield GitHub
    server.shutdown()


@pytest.fixture
def ana():
    return entry(person=MemberFactory(email=EMAIL)).person


def is_logged_in(state: str = "") -> bool:
    """Whether who signs in with GitHub is logged in."""
    client = Client()
    there = urlsplit(client.post("/account/github/login/?process=login")["Location"])
    assert there.netloc == "github.com"
    client.get("/account/github/login/callback/", {"code": "c", "state": state or parse_qs(there.query)["state"][0]})
    return client.get("/me/").status_code == 200


def test_verified_address_opens_account_and_links_number(github, ana):
    assert is_logged_in()
    assert list(SocialAccount.objects.values_list("user", "provider", "uid")) == [(ana.pk, "github", "7")]


def test_unverified_address_and_wrong_state_open_nothing(github, ana):
    assert not is_logged_in(state="forged")
    github.verified = False
    assert not is_logged_in()
    assert not SocialAccount.objects.exists()


def test_another_account_with_the_address_opens_nothing(github, ana):
    assert is_logged_in()
    github.number = 8
    assert not is_logged_in()


def test_without_setting_there_is_no_such_page():
    assert Client().post("/account/github/login/?process=login").status_code == 404
