"""A thousand guesses at each entry point: how many are evaluated, and that the owner logs in meanwhile."""

from collections import Counter
from datetime import timedelta

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.totp.internal.auth import yield_hotp_counters_from_time as counters
from django.test import Client

from missionsite.common import passwords
from missionsite.common.accounts.delays import prune_delays
from tests.common.test_password_limit import EMAIL, FORMS, PASSWORD, Clock, attempt
from tests.portal.helpers import entry
from tests.support.factories.groups import MemberFactory
from tests.support.sample import asks_all, share

pytestmark = pytest.mark.django_db
# A thousand guesses in as many seconds; a build makes fewer in the same time.
GUESSES = 1000 if asks_all() else 40
SECONDS = 1000
# Five at once, then after one, two, four and eight minutes.
MOST = 9
CODES = ["/account/2fa/authenticate/", "/account/2fa/reauthenticate/"]
ENTRIES = [*FORMS, *CODES, "/account/reauthenticate/", "/account/password/reset/"]
ELSEWHERE = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture
def clock(monkeypatch, settings):
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 5
    clock = Clock()
    clock.set(monkeypatch)
    return clock


@pytest.fixture
def ana():
    person = MemberFactory(email=EMAIL, password=PASSWORD, is_staff=True)
    entry(person=person)
    return person


def log_in_elsewhere(secret: str = "") -> bool:
    browser = Client(**ELSEWHERE)
    browser.post("/login/", {"username": EMAIL, "password": PASSWORD})
    if secret:
        code = format_hotp_value(hotp_value(secret, next(iter(counters()))))
        browser.post("/account/2fa/authenticate/", {"code": code})
    return browser.get("/me/").status_code == 200


def guess_with(place: str, person, browser: Client, number: int, email: str = EMAIL):
    if place in CODES:
        return browser.post(place, {"code": f"{number:06}"})
    if place == "/account/reauthenticate/":
        return browser.post(place, {"password": "wrong"})
    if place == "/account/password/reset/":
        return browser.post(place, {"email": email})
    if place.endswith("/login/"):
        return attempt(place, "wrong", client=browser, email=email)
    return browser.post(place, {"old_password": "wrong", "new_password1": "x", "new_password2": "x"})


def guess_on(clock, place: str, person, browser: Client, email: str = EMAIL) -> list[tuple[float, int]]:
    """Guess at regular times; return the second and the status of each guess."""
    began, found = clock.now, []
    for number in range(GUESSES):
        clock.now = began + timedelta(seconds=number * SECONDS / GUESSES)
        answer = guess_with(place, person, browser, number, email)
        found.append(((clock.now - began).total_seconds(), answer.status_code))
    return found


def evaluated(found: list[tuple[float, int]]) -> list[float]:
    assert {status for _second, status in found} <= {200, 302, 429}
    return [second for second, status in found if status != 429]


@pytest.mark.parametrize("place", ENTRIES)
def test_guesses_are_delayed_and_owner_logs_in(ana, clock, place):
    secret, browser = "", Client()
    if place in CODES:
        secret = generate_totp_secret()
        TOTP.activate(ana, secret)
    if place == CODES[0]:
        browser.post("/login/", {"username": EMAIL, "password": PASSWORD})
    elif not place.endswith("/login/") and "reset" not in place:
        browser.force_login(ana)
    times = evaluated(guess_on(clock, place, ana, browser))
    assert 5 <= len(times) <= MOST
    assert max(Counter(int(second) // 60 for second in times).values()) <= 5
    assert log_in_elsewhere(secret)


def test_without_delay_more_is_evaluated(ana, clock, monkeypatch):
    monkeypatch.setattr(passwords, "count_failure", lambda *args: 0)
    assert len(evaluated(guess_on(clock, "/login/", ana, Client()))) > 3 * MOST


@pytest.mark.parametrize("place", ["/login/", "/account/password/reset/"])
def test_unknown_account_is_delayed_alike(ana, clock, place):
    answers = [
        guess_on(clock, place, ana, Client(**network), email)
        for email, network in (
            (EMAIL, {"REMOTE_ADDR": "198.51.100.1"}),
            ("nobody@example.org", {"REMOTE_ADDR": "198.51.100.2"}),
        )
    ]
    assert answers[0] == answers[1]


def test_log_in_ends_delay(ana, clock):
    browser = Client()
    for _ in range(4):
        attempt("/login/", "wrong", client=browser)
    assert attempt("/login/", PASSWORD, client=browser).status_code == 302
    clock.now += timedelta(minutes=5)
    assert [attempt("/login/", "wrong").status_code for _ in range(6)] == [200] * 5 + [429]


def test_right_password_does_not_end_delay_of_codes(ana, clock):
    """Someone who knows the password must not get five codes for each time they enter it."""
    TOTP.activate(ana, generate_totp_secret())
    statuses = []
    for number in range(40):
        browser = Client()
        attempt("/login/", PASSWORD, client=browser)
        statuses.append(browser.post(CODES[0], {"code": f"{number:06}"}).status_code)
        clock.now += timedelta(seconds=25)
    assert statuses.count(200) <= MOST


def test_delay_is_forgotten_after_a_day(ana, clock):
    for _ in range(6):
        attempt("/login/", "wrong")
    clock.now += timedelta(minutes=30)
    assert [attempt("/login/", "wrong").status_code for _ in range(2)] == [200, 429]
    clock.now += timedelta(days=1, seconds=1)
    assert [attempt("/login/", "wrong").status_code for _ in range(6)] == [200] * 5 + [429]
    assert prune_delays() == 0


ADDRESSES = 50 if asks_all() else 8
# From all networks: twenty in a minute, then one of each network; of each network as without a proxy.
MOST_IN_A_MINUTE = 20 + ADDRESSES


@pytest.mark.parametrize("place", share(ENTRIES, of=3))
def test_fifty_addresses_do_not_lock_out_owner(ana, clock, settings, place):
    """A thousand guesses from fifty addresses behind one proxy, in a thousand seconds."""
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    secret, browsers = "", [Client(HTTP_X_FORWARDED_FOR=f"198.51.100.{number}") for number in range(ADDRESSES)]
    if place in CODES:
        secret = generate_totp_secret()
        TOTP.activate(ana, secret)
    for browser in browsers:
        if place == CODES[0]:
            browser.post("/login/", {"username": EMAIL, "password": PASSWORD})
        elif not place.endswith("/login/") and "reset" not in place:
            browser.force_login(ana)
    began, found = clock.now, []
    for number in range(GUESSES):
        clock.now = began + timedelta(seconds=number * SECONDS / GUESSES)
        answer = guess_with(place, ana, browsers[number % ADDRESSES], number)
        found.append(((clock.now - began).total_seconds(), answer.status_code))
    times = evaluated(found)
    assert max(Counter(int(second) // 60 for second in times).values()) <= MOST_IN_A_MINUTE
    assert len(times) <= ADDRESSES * MOST
    assert log_in_elsewhere(secret)


def test_burst_of_fifty_addresses_is_limited(ana, clock, settings):
    settings.TRUSTED_PROXIES = ["127.0.0.1"]

    def from_address(number: int, password: str) -> int:
        return attempt("/login/", password, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}").status_code

    statuses = [from_address(number, "wrong") for number in range(50) for _ in range(4)]
    # Twenty for the account, then one for each further address.
    assert statuses.count(200) == 20 + 45
    assert from_address(99, PASSWORD) == 302
