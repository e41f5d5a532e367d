"""ID tokens that no correct provider gives, from a small one that runs beside the test; see also test_providers.py."""

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
    # Metadata of another issuer.
    issuer = ""
    header: dict = {"kid": "1"}
    # The user info is at another address.
    moved = False

    def do_GET(self) -> None:
        base = f"http://127.0.0.1:{self.server.server_port}"
        match urlsplit(self.path).path:
            case "/.well-known/openid-configuration":
                self.answer(
                    {
                        "issuer": self.issuer or base,
                        "authorization_endpoint": f"{base}/authorize",
                        "token_endpoint": f"{base}/token",
                        "userinfo_endpoint": f"{base}/userinfo",
                        "jwks_uri": f"{base}/jwks",
                    }
                )
            case "/jwks":
                key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
                self.answer({"keys": [key | {"kid": "1", "alg": "RS256", "use": "sig"}]})
            case "/userinfo" if self.moved:
                self.send_response(302)
                self.send_header("Location", f"{base}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()
            case "/userinfo" | "/elsewhere":
                self.answer({name: value for name, value in (self.claims | self.about).items() if name != "nonce"})
            case _:
                self.send_error(404)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        base = f"http://127.0.0.1:{self.server.server_port}"
        claims = {"iss": base, "aud": CLIENT, "iat": int(time.time()), "exp": int(time.time()) + 60} | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        algorithm = "HS256" if isinstance(Provider.sign_with, str) else "RS256" if Provider.sign_with else None
        token = jwt.encode(claims, Provider.sign_with, algorithm=algorithm, headers=self.header)
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
    Provider.issuer, Provider.header, Provider.moved = "", {"kid": "1"}, False
    yield Provider
    server.shutdown()


@pytest.fixture
def ana():
    return entry(person=MemberFactory(email="ana@example.org", display_name="Ana")).person


def sign_in(claims: dict) -> Client:
    """Go to the provider and come back as the person of these claims."""
    client = Client()
    answer = client.post("/account/oidc/oidc/login/?process=login")
    asked = parse_qs(urlsplit(answer["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    Provider.claims = {"nonce": asked["nonce"][0]} | claims
    client.get("/account/oidc/oidc/login/callback/", {"code": "c", "state": asked["state"][0]})
    return client


def is_logged_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


def claims(**more) -> dict:
    return {"sub": "subject-1", "email": "ana@example.org", "email_verified": True, "name": "Ana"} | more


def test_right_id_token_opens_account(provider, ana):
    assert is_logged_in(sign_in(claims()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": None},
        {"aud": "another client"},
        {"aud": [CLIENT, "another client"]},
        {"iss": "https://evil.example.org"},
        {"exp": 1},
        {"exp": None},
        # The year 2100.
        {"nbf": 4_102_444_800},
        {"sub": ""},
    ],
    ids=str,
)
def test_wrong_id_token_is_rejected(provider, ana, wrong):
    assert not is_logged_in(sign_in(claims(**wrong)))
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("wrong", ["signature", "key", "algorithm", "none", "no token", "user info"])
def test_id_token_of_someone_else_is_rejected(provider, ana, wrong):
    if wrong == "signature":
        provider.sign_with = OTHER_KEY
    elif wrong == "key":
        # The key that the token brings is not looked at.
        provider.sign_with = OTHER_KEY
        provider.header = {"kid": "2", "jwk": json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(OTHER_KEY.public_key()))}
    elif wrong == "none":
        provider.sign_with = None
    elif wrong == "algorithm":
        provider.sign_with = "a secret that is no key of the provider, but long enough"
    elif wrong == "no token":
        provider.without_token = True
    else:
        provider.about = {"sub": "subject-2"}
    assert not is_logged_in(sign_in(claims()))
    assert not SocialAccount.objects.exists()


def test_redirect_of_provider_is_not_followed(provider, ana):
    provider.moved = True
    assert not is_logged_in(sign_in(claims()))


def test_metadata_of_another_issuer_is_rejected(provider, ana):
    provider.issuer = "https://evil.example.org"
    answer = Client().post("/account/oidc/oidc/login/?process=login")
    assert (answer.status_code, "Location" in answer) == (401, False)


def test_unreachable_provider_is_reported_and_recorded(settings):
    app = {"provider_id": "oidc", "name": "Acme ID", "client_id": CLIENT, "secret": "s"}
    app["settings"] = {"server_url": "http://127.0.0.1:9"}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    assert Client().post("/account/oidc/oidc/login/?process=login").status_code == 401
    event = SecurityEvent.objects.get(type="session.failed")
    assert (event.member, event.payload) == (None, {"method": "oidc"})
