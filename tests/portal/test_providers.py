"""Sign-in with an OpenID Connect provider: a small one that runs beside the test."""

import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from groups.models import Member
from missionsite.common.models import SecurityEvent
from tests.portal.helpers import entry
from tests.support.factories.groups import MemberFactory

pytestmark = pytest.mark.django_db
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CLIENT = "missionsite"


class Provider(BaseHTTPRequestHandler):
    """What the test sets in `claims` is what the provider says; `sign_with` is its key."""

    claims: dict = {}
    # What the user info says instead.
    about: dict = {}
    sign_with = KEY
    # A token endpoint that gives none.
    without_token = False

    def do_GET(self) -> None:
        base = f"http://127.0.0.1:{self.server.server_port}"
        match urlsplit(self.path).path:
            case "/.well-known/openid-configuration":
                self.answer(
                    {
                        "issuer": base,
                        "authorization_endpoint": f"{base}/authorize",
                        "token_endpoint": f"{base}/token",
                        "userinfo_endpoint": f"{base}/userinfo",
                        "jwks_uri": f"{base}/jwks",
                    }
                )
            case "/jwks":
                key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
                self.answer({"keys": [key | {"kid": "1", "alg": "RS256", "use": "sig"}]})
            case "/userinfo":
                self.answer({name: value for name, value in (self.claims | self.about).items() if name != "nonce"})
            case _:
                self.send_error(404)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        base = f"http://127.0.0.1:{self.server.server_port}"
        claims = {"iss": base, "aud": CLIENT, "iat": int(time.time()), "exp": int(time.time()) + 60} | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        algorithm = "HS256" if isinstance(Provider.sign_with, str) else "RS256"
        token = jwt.encode(claims, Provider.sign_with, algorithm=algorithm, headers={"kid": "1"})
        answer = {"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": token}
        if self.without_token:
            del answer["id_token"]
        self.answer(answer)

    def answer(self, document: dict) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def provider(settings):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    Thread(target=server.serve_forever, daemon=True).start()
    app = {"provider_id": "oidc", "name": "Acme ID", "client_id": CLIENT, "secret": "s"}
    app["settings"] = {"server_url": f"http://127.0.0.1:{server.server_port}", "fetch_userinfo": True}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    Provider.claims, Provider.about, Provider.sign_with, Provider.without_token = {}, {}, KEY, False
    yield Provider
    server.shutdown()


@pytest.fixture
def ana():
    return entry(person=MemberFactory(email="ana@example.org", display_name="Ana")).person


def sign_in(claims: dict, client: Client | None = None, state: str = "") -> Client:
    """Go to the provider and come back as the person of these claims."""
    client = client or Client()
    answer = client.post("/account/oidc/oidc/login/?process=login")
    asked = parse_qs(urlsplit(answer["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    Provider.claims = {"nonce": asked["nonce"][0]} | claims
    client.get("/account/oidc/oidc/login/callback/", {"code": "c", "state": state or asked["state"][0]})
    return client


def is_logged_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


def claims(**more) -> dict:
    return {"sub": "subject-1", "email": "ana@example.org", "email_verified": True, "name": "Ana"} | more


def test_verified_address_opens_account_and_links_subject(provider, ana):
    assert "Log in with Acme ID" in Client().get("/login/").content.decode()
    assert is_logged_in(sign_in(claims()))
    assert SocialAccount.objects.get(user=ana).uid == "subject-1"
    assert SecurityEvent.objects.filter(type="session.started", member=ana).exists()
    # Afterwards the subject counts, not the address.
    assert is_logged_in(sign_in(claims(email="other@example.org")))


def test_unverified_address_opens_nothing(provider, ana):
    assert not is_logged_in(sign_in(claims(email_verified=False)))
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("verified", [True, False])
def test_changed_subject_with_same_address_opens_nothing(provider, ana, verified):
    sign_in(claims())
    assert not is_logged_in(sign_in(claims(sub="subject-2", email_verified=verified)))
    assert list(SocialAccount.objects.values_list("uid", flat=True)) == ["subject-1"]


def test_unknown_person_gets_no_account(provider):
    before = Member.objects.count()
    assert not is_logged_in(sign_in(claims(email="stranger@example.org")))
    assert Member.objects.count() == before


def test_wrong_state_is_rejected(provider, ana):
    assert not is_logged_in(sign_in(claims(), state="forged"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "that of another log-in"},
        {"nonce": None},
        {"aud": "another client"},
        {"aud": [CLIENT, "another client"]},
        {"iss": "https://evil.example.org"},
        {"exp": 1},
        {"sub": ""},
    ],
    ids=str,
)
def test_wrong_id_token_is_rejected(provider, ana, wrong):
    assert not is_logged_in(sign_in(claims(**wrong)))
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("wrong", ["signature", "algorithm", "no token", "user info"])
def test_id_token_of_someone_else_is_rejected(provider, ana, wrong):
    if wrong == "signature":
        provider.sign_with = OTHER_KEY
    elif wrong == "algorithm":
        provider.sign_with = "a secret that is no key of the provider, but long enough"
    elif wrong == "no token":
        provider.without_token = True
    else:
        provider.about = {"sub": "subject-2"}
    assert not is_logged_in(sign_in(claims()))
    assert not SocialAccount.objects.exists()


def test_nonce_differs_each_time(provider, ana):
    def nonce() -> str:
        answer = Client().post("/account/oidc/oidc/login/?process=login")
        return parse_qs(urlsplit(answer["Location"]).query)["nonce"][0]

    assert len({nonce() for _ in range(5)}) == 5


def test_canonical_provider_sets_name_and_address(provider, ana, settings):
    settings.SOCIAL_CANONICAL_PROVIDER = "oidc"
    sign_in(claims())
    sign_in(claims(name="Ana Souza", email="ana@new.example.org"))
    ana.refresh_from_db()
    assert (ana.display_name, ana.email) == ("Ana Souza", "ana@new.example.org")
    # Negative control: an address that the provider has not verified.
    sign_in(claims(email="ana@evil.example.org", email_verified=False))
    ana.refresh_from_db()
    assert ana.email == "ana@new.example.org"
