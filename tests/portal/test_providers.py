"""Sign-in with an OpenID Connect provider of a package, which runs beside the test. Wrong tokens: test_id_tokens.py."""

from collections.abc import Callable, Iterator
from threading import Thread
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import urllib3
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.test import Client
from oidc_provider_mock import app
from werkzeug.serving import WSGIRequestHandler, make_server

from groups.models import Member
from missionsite.common.models import SecurityEvent
from tests.portal.helpers import PASSWORD, entry
from tests.support.factories.groups import MemberFactory

pytestmark = [
    pytest.mark.django_db,
    # Of the package.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib"),
]
LOG_IN = "/account/oidc/oidc/login/"
EMAIL = "ana@example.org"


class Quiet(WSGIRequestHandler):
    def log(self, *args) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of the provider."""
    provider = app(require_nonce=True, issue_refresh_token=False)
    running = make_server("127.0.0.1", 0, provider, threaded=True, request_handler=Quiet)
    Thread(target=running.serve_forever, args=[0.05], daemon=True).start()
    # The specification allows plain HTTP for this name only.
    yield f"http://localhost:{running.server_port}"
    running.shutdown()
    running.server_close()


@pytest.fixture
def provider(server, settings) -> str:
    known = {"provider_id": "oidc", "name": "Acme ID", "client_id": "missionsite", "secret": "s"}
    known["settings"] = {"server_url": server, "fetch_userinfo": True}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [known]}}
    return server


@pytest.fixture
def ana():
    return entry(person=MemberFactory(email=EMAIL, display_name="Ana", password=PASSWORD)).person


def unchanged(query: dict) -> dict:
    return query


def sign_in(
    provider: str,
    subject: str = "subject-1",
    *,
    client: Client | None = None,
    process: str = "login",
    asked: Callable[[dict], dict] = unchanged,
    brought: Callable[[dict], dict] = unchanged,
    **claims,
) -> Client:
    """Go to the provider, and come back as the subject with these claims.

    asked, brought: change the query on the way to the provider, and on the way back.
    """
    client = client or Client()
    claims = {"email": EMAIL, "email_verified": True, "name": "Ana"} | claims
    urllib3.request("PUT", f"{provider}/users/{subject}", json=claims)
    there = urlsplit(client.post(f"{LOG_IN}?process={process}")["Location"])
    query = asked(dict(parse_qsl(there.query)))
    url, body = f"{provider}{there.path}?{urlencode(query)}", urlencode({"sub": subject})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = urllib3.request("POST", url, body=body, headers=form, redirect=False)
    back = urlsplit(answer.headers["Location"])
    client.get(back.path, brought(dict(parse_qsl(back.query))))
    return client


def is_logged_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


def subjects() -> list[str]:
    return list(SocialAccount.objects.values_list("uid", flat=True))


def test_verified_address_opens_account_and_links_subject(provider, ana):
    assert "Log in with Acme ID" in Client().get("/login/").content.decode()
    assert is_logged_in(sign_in(provider))
    assert SocialAccount.objects.get(user=ana).uid == "subject-1"
    assert not SocialToken.objects.exists()
    assert SecurityEvent.objects.filter(type="session.started", member=ana).exists()
    # Afterwards the subject counts, not the address.
    assert is_logged_in(sign_in(provider, email="other@example.org"))


def test_unverified_address_opens_nothing(provider, ana):
    assert not is_logged_in(sign_in(provider, email_verified=False))
    assert subjects() == []


def test_member_links_subject_with_another_address(provider, ana):
    client = Client()
    client.post("/login/", {"username": EMAIL, "password": PASSWORD})
    sign_in(provider, client=client, process="connect", email="ana@elsewhere.example.org")
    assert subjects() == ["subject-1"]
    assert is_logged_in(sign_in(provider, email="ana@elsewhere.example.org"))
    # Another member cannot take the subject.
    bob = entry(person=MemberFactory(email="bob@example.org", password=PASSWORD)).person
    other = Client()
    other.post("/login/", {"username": bob.email, "password": PASSWORD})
    sign_in(provider, client=other, process="connect")
    assert SocialAccount.objects.get().user == ana


@pytest.mark.parametrize("verified", [True, False])
def test_changed_subject_with_same_address_opens_nothing(provider, ana, verified):
    sign_in(provider)
    assert not is_logged_in(sign_in(provider, "subject-2", email_verified=verified))
    assert subjects() == ["subject-1"]


def test_unknown_person_gets_no_account(provider):
    before = Member.objects.count()
    assert not is_logged_in(sign_in(provider, email="stranger@example.org"))
    assert Member.objects.count() == before


def test_second_factor_is_asked_after_the_provider(provider, ana):
    TOTP.activate(ana, generate_totp_secret())
    client = sign_in(provider)
    assert not is_logged_in(client)
    assert client.get("/account/2fa/authenticate/").status_code == 200


def test_nonce_of_another_log_in_is_rejected(provider, ana):
    nonces = []

    def replaced(query: dict) -> dict:
        nonces.append(query["nonce"])
        assert query["code_challenge_method"] == "S256"
        return query | {"nonce": "that-of-another-log-in"}

    assert not is_logged_in(sign_in(provider, asked=replaced))
    assert not is_logged_in(sign_in(provider, asked=replaced))
    assert subjects() == []
    assert len(set(nonces)) == 2
    # Negative control.
    assert is_logged_in(sign_in(provider))


def test_answer_of_another_browser_is_rejected(provider, ana):
    answers = []

    def kept(query: dict) -> dict:
        answers.append(query)
        return {}

    sign_in(provider, brought=kept)
    # The code and the state of the first browser, in another one that began to log in.
    assert not is_logged_in(sign_in(provider, brought=lambda _query: answers[0]))
    assert not is_logged_in(sign_in(provider, brought=lambda query: query | {"state": "forged"}))
    assert not is_logged_in(sign_in(provider, brought=lambda query: query | {"code": "forged"}))


def test_canonical_provider_sets_name_and_address(provider, ana, settings):
    settings.SOCIAL_CANONICAL_PROVIDER = "oidc"
    sign_in(provider)
    sign_in(provider, name="Ana Souza", email="ana@new.example.org")
    ana.refresh_from_db()
    assert (ana.display_name, ana.email) == ("Ana Souza", "ana@new.example.org")
    # Negative control: an address that the provider has not verified.
    sign_in(provider, email="ana@evil.example.org", email_verified=False)
    ana.refresh_from_db()
    assert ana.email == "ana@new.example.org"
