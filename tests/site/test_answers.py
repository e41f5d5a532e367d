"""Headers of answers, secrets in files, and keys that are replaced."""

import json
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from engagement.services.unsubscribe import member_of, unsubscribe_url
from missionsite.common.accounts.adapter import FactorAdapter
from missionsite.environment import read_secret_files
from tests.portal.helpers import PASSWORD, entry, invitation
from tests.support.factories.engagement import PersonFactory
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.tokens import api_client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("address", ["/login/", "/admin/", "/me/", "/api/me", "/account/2fa/", "/static/nothing.css"])
def test_every_answer_has_headers(client, address):
    client.force_login(StaffFactory())
    answer = client.get(address)
    assert "camera=()" in answer["Permissions-Policy"]
    assert "publickey-credentials-get=(self)" in answer["Permissions-Policy"]
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert (answer["X-Content-Type-Options"], answer["Referrer-Policy"]) == ("nosniff", "same-origin")
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in answer
    assert "no-store" in answer["Cache-Control"]


def test_answer_of_api_is_not_stored():
    assert "no-store" in api_client(StaffFactory()).get("/api/me")["Cache-Control"]
    # Negative control: an answer to no one in particular.
    assert "Cache-Control" not in Client().get("/api/openapi.json")


def test_api_rejects_request_without_https(settings):
    settings.SECURE_SSL_REDIRECT = True
    client = api_client(StaffFactory())
    answer = client.get("/api/me")
    assert (answer.status_code, answer.json()["code"]) == (403, "https_required")
    # Pages are redirected, and HTTPS is answered.
    assert client.get("/login/")["Location"] == "https://testserver/login/"
    assert client.get("/api/me", secure=True).status_code == 200


def test_api_takes_no_session(client):
    client.force_login(StaffFactory(is_superuser=True))
    assert client.get("/api/me").status_code == 401


def test_json_with_a_name_twice_is_rejected():
    client = api_client(StaffFactory(is_superuser=True))
    body = '{"telegram_usernames": ["one"], "telegram_usernames": ["two"], "created_by": 1}'
    answer = client.post("/api/directory/invitations", body, content_type="application/json")
    assert (answer.status_code, "application/problem+json" in answer["Content-Type"]) == (400, True)


def test_secret_is_read_from_its_file(tmp_path):
    (tmp_path / "key").write_text("$ecret with = and #\n")
    environment = {"SECRET_KEY_FILE": str(tmp_path / "key")}
    read_secret_files(environment)
    assert environment["SECRET_KEY"] == "$ecret with = and #"
    with pytest.raises(ImproperlyConfigured, match="not both"):
        read_secret_files({"SECRET_KEY_FILE": str(tmp_path / "key"), "SECRET_KEY": "x"})
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE cannot be read"):
        read_secret_files({"SECRET_KEY_FILE": str(tmp_path / "missing")})


def test_links_and_factors_survive_a_change_of_the_key(settings):
    person = PersonFactory()
    token = unsubscribe_url(person.pk).rstrip("/").rpartition("/")[2]
    encrypted = FactorAdapter().encrypt("JBSWY3DPEHPK3PXP")
    old = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key" * 5, [old]
    assert member_of(token) == person
    assert FactorAdapter().decrypt(encrypted) == "JBSWY3DPEHPK3PXP"
    # Negative control: without the old key.
    settings.SECRET_KEY_FALLBACKS = []
    assert member_of(token) is None


def test_cookies_have_host_prefix_over_https(tmp_path):
    code = """
import json
import django
from django.conf import settings
django.setup()
from missionsite.common import language, messages
from missionsite.common.accounts import receivers
from missionsite.portal import codes
names = [settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, language.cookie_name()]
names += [receivers.DEVICE, codes.COOKIE]
names += [each.cookie_name for each in messages.MessageStorage.storage_classes if hasattr(each, "cookie_name")]
print(json.dumps([names, settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SECURE_HSTS_SECONDS,
    settings.DEBUG]))
"""
    environment = {
        "DJANGO_SETTINGS_MODULE": "missionsite.settings",
        "DATABASE_URL": "postgres://u:p@localhost/x",
        "SECRET_KEY": "k" * 50,
        "HTTPS": "on",
        "MISSIONSITE_VAR_DIR": str(tmp_path),
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    names, *secure = json.loads(done.stdout.splitlines()[-1])
    assert names == [
        f"__Host-{name}" for name in ("sessionid", "csrftoken", "missionsite_language", "device", "code", "messages")
    ]
    assert secure == [True, True, 365 * 24 * 3600, False]


def test_each_cookie_is_http_only_and_same_site(client):
    """Also of the paths that `__Host-` asks for."""
    member = MemberFactory(email="ana@example.org", password=PASSWORD)
    entry(person=member)
    answers = [
        client.get("/login/"),
        client.post("/language/", {"language": "pt-br"}),
        client.get(f"/join/{invitation().code}/"),
        client.post("/login/", {"username": member.email, "password": PASSWORD}),
        client.post("/logout/"),
    ]
    cookies = {}
    for answer in answers:
        # Those that are deleted have no value.
        cookies |= {
            name: (each["httponly"], each["samesite"], each["path"])
            for name, each in answer.cookies.items()
            if each.value
        }
    assert cookies.keys() >= {"sessionid", "csrftoken", "missionsite_language", "device", "code", "messages"}
    assert set(cookies.values()) == {(True, "Lax", "/")}
