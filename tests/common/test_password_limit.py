"""The limit of wrong passwords: shared by all forms, and no one can lock out another member."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from threading import Barrier

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client

from missionsite.common import passwords
from missionsite.common.accounts.delays import count_failure
from missionsite.common.api.limits import count_request
from missionsite.common.passwords import ACCOUNTS_PER_NETWORK, NETWORKS_PER_ACCOUNT
from tests.portal.helpers import entry
from tests.support.factories.groups import MemberFactory
from tests.support.sample import share

pytestmark = pytest.mark.usefixtures("within_minute")

PASSWORD = "a long and odd one"
NEW = "another long and odd one"
EMAIL = "ana@example.org"
FORMS = ["/login/", "/admin/login/", "/me/password/", "/admin/password_change/"]


class CountingHasher(MD5PasswordHasher):
    """Counts the password checks."""

    algorithm = "counting"
    evaluated = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.evaluated += 1
        return super().encode(password, salt)


class Clock:
    """The time of all limits of passwords, which goes on only when the test says so."""

    def __init__(self) -> None:
        self.now = datetime(2100, 1, 1, tzinfo=UTC)

    def set(self, monkeypatch) -> None:
        for name, function in (("count_request", count_request), ("count_failure", count_failure)):
            monkeypatch.setattr(passwords, name, lambda *args, of=function: of(*args, at=self.now))


@pytest.fixture(autouse=True)
def few_attempts(settings, monkeypatch):
    """Three attempts at the same time, so that no minute ends in between."""
    Clock().set(monkeypatch)
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 3
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]


@pytest.fixture
def ana(db):
    person = MemberFactory(email=EMAIL, password=PASSWORD, is_staff=True)
    entry(person=person)
    CountingHasher.evaluated = 0
    return person


@pytest.fixture
def no_counts(transactional_db):
    """Empties the table of counts, which no other fixture does."""

    def forget() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM api_request_counts")
            cursor.execute("DELETE FROM password_delays")

    forget()
    yield
    forget()


def attempt(form: str, password: str, *, person=None, email: str = EMAIL, client: Client | None = None, **meta):
    """Send a form with a password, logged in for a password change."""
    client = client or Client()
    if form.endswith("/login/"):
        return client.post(form, {"username": email, "password": password}, **meta)
    client.force_login(person)
    return client.post(form, {"old_password": password, "new_password1": NEW, "new_password2": NEW}, **meta)


@pytest.mark.parametrize("form", share(FORMS, of=2))
def test_form_rejects_above_limit_without_checking(ana, form):
    assert [attempt(form, "wrong", person=ana).status_code for _ in range(3)] == [200] * 3
    evaluated = CountingHasher.evaluated
    assert evaluated >= 3
    answers = [attempt(form, password, person=ana) for password in ("wrong", PASSWORD, "wrong again")]
    assert [answer.status_code for answer in answers] == [429] * 3
    assert CountingHasher.evaluated == evaluated
    for answer in answers:
        assert 1 <= int(answer["Retry-After"]) <= 120
        page = answer.content.decode()
        assert f"Too many attempts. Wait {answer['Retry-After']} second" in page
        # The form itself, with what was typed but for the passwords.
        assert 'name="csrfmiddlewaretoken"' in page
        assert PASSWORD not in page
        if form.endswith("/login/"):
            assert f'value="{EMAIL}"' in page
        else:
            assert 'name="old_password"' in page


@pytest.mark.parametrize("form", FORMS)
def test_correct_password_from_other_network_works(ana, form):
    for _ in range(5):
        attempt(form, "wrong", person=ana)
    assert attempt(form, PASSWORD, person=ana).status_code == 429
    assert attempt(form, PASSWORD, person=ana, REMOTE_ADDR="203.0.113.9").status_code == 302


def test_all_forms_share_limit(ana):
    assert [attempt(form, "wrong", person=ana).status_code for form in FORMS] == [200] * 3 + [429]


def test_correct_passwords_are_not_counted(ana):
    assert [attempt("/login/", PASSWORD).status_code for _ in range(20)] == [302] * 20
    assert [attempt("/login/", "wrong").status_code for _ in range(4)] == [200] * 3 + [429]


def test_form_without_password_is_not_counted(ana):
    assert [attempt("/admin/login/", "").status_code for _ in range(5)] == [200] * 5
    assert attempt("/admin/login/", PASSWORD).status_code == 302


def test_network_has_limit_for_all_accounts(ana):
    each = 3 * ACCOUNTS_PER_NETWORK
    answers = [attempt("/admin/login/", "wrong", email=f"n{turn}@example.org").status_code for turn in range(each + 1)]
    assert answers == [200] * each + [429]
    assert attempt("/login/", PASSWORD).status_code == 429
    assert attempt("/login/", PASSWORD, REMOTE_ADDR="203.0.113.9").status_code == 302


def test_rejected_attempts_are_not_counted(ana):
    for _ in range(60):
        attempt("/login/", "wrong")
    assert attempt("/login/", "wrong", email="bea@example.org").status_code == 200


def test_attacked_account_accepts_correct_password(ana):
    """Each further network has one attempt per minute, so the correct password works from a new network."""
    networks = [f"198.51.100.{number}" for number in range(NETWORKS_PER_ACCOUNT + 3)]
    calm, later = networks[:NETWORKS_PER_ACCOUNT], networks[NETWORKS_PER_ACCOUNT:]
    statuses = [
        [attempt("/admin/login/", "wrong", REMOTE_ADDR=network).status_code for _ in range(3)] for network in calm
    ]
    assert statuses == [[200, 200, 200]] * NETWORKS_PER_ACCOUNT
    for network in later:
        assert attempt("/admin/login/", "wrong", REMOTE_ADDR=network).status_code == 200
        assert attempt("/admin/login/", PASSWORD, REMOTE_ADDR=network).status_code == 429
    assert attempt("/admin/login/", PASSWORD, REMOTE_ADDR="203.0.113.9").status_code == 302
    assert attempt("/login/", PASSWORD, REMOTE_ADDR="203.0.113.9").status_code == 302


def test_back_office_log_in_limits_members_too(db):
    MemberFactory(email=EMAIL, password=PASSWORD)
    assert attempt("/admin/login/", PASSWORD)["Location"] == "/me/"
    assert [attempt("/admin/login/", "wrong").status_code for _ in range(4)] == [200] * 3 + [429]


def test_zero_disables_limit(ana, settings):
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 0
    assert [attempt("/admin/login/", "wrong").status_code for _ in range(8)] == [200] * 8


def test_clients_behind_proxy_have_separate_limits(ana, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    for form in ("/login/", "/admin/login/"):
        for _ in range(40):
            attempt(form, "wrong", HTTP_X_FORWARDED_FOR="198.51.100.1")
        # The header a caller writes changes nothing.
        forged = f"203.0.113.{len(form)}, 198.51.100.1"
        assert attempt(form, PASSWORD, HTTP_X_FORWARDED_FOR=forged).status_code == 429
        assert attempt(form, PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.9").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_concurrent_guesses_are_limited(no_counts, settings):
    MemberFactory(email=EMAIL, password=PASSWORD, is_staff=True)
    settings.LOGIN_ATTEMPTS_PER_MINUTE, CountingHasher.evaluated = 5, 0
    ready = Barrier(20)

    def guess(_) -> list[int]:
        with closing(connection):
            connection.ensure_connection()
            ready.wait()
            return [attempt("/admin/login/", "wrong").status_code for _ in range(3)]

    with ThreadPoolExecutor(20) as threads:
        statuses = [status for found in threads.map(guess, range(20)) for status in found]
    assert (statuses.count(200), statuses.count(429)) == (5, 55)
    assert CountingHasher.evaluated == 5
