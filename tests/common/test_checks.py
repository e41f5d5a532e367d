"""System checks of the database connection."""

import pytest
from django.core.checks import run_checks
from django.db import connection

from missionsite.common.checks import database_connection_is_encrypted, roles_have_time_limits, services_are_encrypted


@pytest.mark.parametrize(
    ("host", "mode", "warned"),
    [
        ("", None, False),
        ("/run/postgresql", None, False),
        ("localhost", None, False),
        ("127.0.0.1", None, False),
        ("::1", None, False),
        ("db.example.org", None, True),
        ("10.0.0.7", "prefer", True),
        ("db.example.org", "require", True),
        ("db.example.org", "verify-ca", True),
        ("db.example.org", "verify-full", False),
    ],
)
def test_check_warns_of_unchecked_connection(settings, monkeypatch, host, mode, warned):
    options = {"sslmode": mode} if mode else {}
    monkeypatch.setitem(settings.DATABASES, "default", {"HOST": host, "OPTIONS": options})
    assert [warning.id for warning in database_connection_is_encrypted(None)] == ["missionsite.W010"] * warned


@pytest.mark.parametrize(
    ("name", "plain", "encrypted"),
    [
        ("ENGAGEMENT_WEBHOOK_URL", "http://gateway.example.org/", "https://gateway.example.org/"),
        ("GITHUB_API_URL", "http://github.example.org", "http://127.0.0.1:9000"),
        ("EMAIL_USE_TLS", False, True),
        ("SOCIALACCOUNT_PROVIDERS", "http://id.example.org", "https://id.example.org"),
    ],
)
def test_check_warns_of_unencrypted_service(settings, name, plain, encrypted):
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "mail.example.org"
    settings.EMAIL_USE_TLS = True
    for value, warned in ((plain, True), (encrypted, False)):
        if name == "SOCIALACCOUNT_PROVIDERS":
            value = {"openid_connect": {"APPS": [{"settings": {"server_url": value}}]}}
        setattr(settings, name, value)
        assert [warning.id for warning in services_are_encrypted(None)] == ["missionsite.W012"] * warned


@pytest.mark.django_db
def test_check_warns_of_missing_time_limit():
    assert roles_have_time_limits(None, ["default"]) == []
    assert [each for each in run_checks(databases=["default"]) if each.id == "missionsite.W011"] == []
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0")
    [warning] = roles_have_time_limits(None, ["default"])
    assert (warning.id, "no lock_timeout" in warning.msg) == ("missionsite.W011", True)
