"""Guessing of invitation codes: all invalid codes give the same response, and attempts are limited."""

import re
import time
from datetime import UTC, datetime
from functools import partial
from itertools import product
from statistics import median
from urllib.parse import quote

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import resolve

from groups.models import CommunityMember
from missionsite.common.api.limits import count_request
from missionsite.portal import codes, page
from missionsite.portal.logs import HideSecretsFilter
from tests.portal.helpers import bad_codes, entry, invitation, seen, typed
from tests.support import sample
from tests.support.factories.groups import MemberFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("within_minute")]
# Largest ratio of two median response times that counts as equal.
NOISE = 1.6


@pytest.fixture
def kinds() -> dict[str, str]:
    return {kind: f"/join/{quote(code, safe='/')}/" for kind, code in bad_codes().items()}


@pytest.mark.seed("003 Guessing", "003 Guessing codes")
@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_every_invalid_code_gets_same_page(client, kinds, language):
    headers = {"Accept-Language": language}
    answers = {kind: client.get(target, headers=headers) for kind, target in kinds.items()}
    for body in ({}, typed(), {"name": "x" * 5000, "email": "no"}):
        answers |= {(kind, len(body)): client.post(target, body, headers=headers) for kind, target in kinds.items()}
    assert len({seen(answer) for answer in answers.values()}) == 1
    (status, page) = seen(answers["unknown"])
    assert status == 404
    assert ("This code is not valid" if language == "en" else "Este código não é válido") in page
    headers = {frozenset((answer.headers.keys()) - {"Set-Cookie"}) for answer in answers.values()}
    assert len(headers) == 1


def test_form_errors_need_valid_code(client, kinds):
    shown = client.post(kinds["used"], typed(email="no", password="1")).content.decode()
    assert "valid e-mail" not in shown
    assert CommunityMember.objects.filter(name="Ana Souza").count() == 1


def medians(client, targets: dict[str, str], method: str) -> dict[str, float]:
    """The seconds of each target, measured in turn so that other load affects all of them equally."""
    times: dict[str, list[float]] = {kind: [] for kind in targets}
    form = typed(telegram_id="no number")
    for _turn, (kind, target) in product(range(15), targets.items()):
        began = time.perf_counter()
        client.get(target) if method == "get" else client.post(target, form)
        times[kind].append(time.perf_counter() - began)
    return {kind: median(each) for kind, each in times.items()}


@pytest.mark.seed("003 Guessing", "003 Guessing codes")
@pytest.mark.parametrize("method", ["get", "post"])
def test_response_time_is_equal_for_invalid_codes(client, kinds, method):
    """A real difference appears in every round; load affects a different kind each time."""
    client.get(kinds["unknown"])
    for _attempt in range(5):
        measured = medians(client, kinds, method)
        if max(measured.values()) / min(measured.values()) < NOISE:
            return
    pytest.fail(f"different five times in a row: {measured}")


@pytest.mark.long
@pytest.mark.parametrize("method", ["get", "post"])
def test_control_slower_page_is_detected(client, kinds, method):
    """Negative control: the same measure detects a valid code."""
    targets = {"unknown": kinds["unknown"], "open": f"/join/{invitation().code}/"}
    pages = []
    for _attempt in range(5):
        measured = medians(client, targets, method)
        pages.append(measured["open"] / measured["unknown"])
    # A busy machine may hide it once.
    assert max(pages) > NOISE


# --- The limit ------------------------------------------------------------------------------------


@pytest.fixture
def one_instant(monkeypatch):
    """All attempts have the same time, so no minute ends in between."""
    stopped = partial(count_request, at=datetime(2100, 1, 1, tzinfo=UTC))
    for module in (page, codes):
        monkeypatch.setattr(module, "count_request", stopped)


# Without the user names that others in these tests have: the page would ask whether they registered before.
OTHER_NAMES = {"telegram_username": "", "github_username": ""}


def test_network_above_limit_is_rejected_without_lookup(client, settings, kinds, one_instant):
    settings.JOIN_ATTEMPTS_PER_MINUTE = 4
    good = f"/join/{invitation().code}/"
    assert [client.get(kinds["unknown"]).status_code, client.post(kinds["used"]).status_code] == [404, 404]
    assert [client.get(kinds["expired"]).status_code, client.head(kinds["too long"]).status_code] == [404, 404]
    pages = set()
    for target, method in product([good, *kinds.values()], ("get", "post", "head")):
        with CaptureQueriesContext(connection) as queries:
            answer = getattr(client, method)(target, typed() if method == "post" else None)
        assert answer.status_code == 429
        assert 1 <= int(answer["Retry-After"]) <= 120
        assert [query["sql"] for query in queries if "count_request" not in query["sql"]] == []
        if method != "head":
            pages.add(re.sub(r"Wait \d+ second", "Wait", seen(answer)[1]))
    assert len(pages) == 1
    assert "Too many attempts" in pages.pop()


def test_viewing_join_pages_is_not_limited(client, settings):
    settings.JOIN_ATTEMPTS_PER_MINUTE = 2
    good = f"/join/{invitation().code}/"
    assert {client.get("/join/").status_code for _ in range(40)} == {200}
    assert {client.post("/join/", {"code": "ABCD"}).status_code for _ in range(40)} == {302}
    assert {Client().get(good).status_code for _ in range(40)} == {200}


@pytest.mark.seed("003 Guessing")
def test_thirty_members_can_register_from_one_network(settings, one_instant):
    """Within a minute, and nine of them enter a wrong code first."""
    settings.JOIN_ATTEMPTS_PER_MINUTE = 10
    statuses = []
    for number in range(30):
        browser, good = Client(), f"/join/{invitation().code}/"
        if number < 9:
            assert browser.get("/join/ABCDEFGH23456789/").status_code == 404
        statuses.append([browser.get(address).status_code for address in ("/join/", good)])
        statuses.append([browser.post(good, typed(**OTHER_NAMES)).status_code])
    assert statuses == [[200, 200], [302]] * 30
    assert CommunityMember.objects.filter(name="Ana Souza").count() == 30


def test_open_form_is_not_limited_by_others(client, settings, kinds, one_instant):
    settings.JOIN_ATTEMPTS_PER_MINUTE = 2
    good, other = (f"/join/{invitation().code}/" for _ in range(2))
    assert client.get(good).status_code == 200
    stranger = Client()
    assert [stranger.get(kinds["unknown"]).status_code for _ in range(3)] == [404, 404, 429]
    assert [stranger.get(good).status_code, client.get(other).status_code] == [429, 429]
    # A note of one's own making is none.
    stranger.cookies["code"] = client.cookies["code"].value[:-1] + "x"
    assert stranger.get(good).status_code == 429
    assert client.post(good, typed(email="no")).status_code == 200
    assert client.post(good, typed(**OTHER_NAMES)).status_code == 302
    cookie = client.cookies["code"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/", True, "Lax")


def test_registrations_per_code_are_limited(client, settings, one_instant):
    """Entered values are kept, and the page shows how long to wait."""
    settings.JOIN_ATTEMPTS_PER_MINUTE = 3
    good = f"/join/{invitation().code}/"
    taken = entry(person=MemberFactory(email="taken@example.org")).person.email
    answers = [client.post(good, typed(email=taken, country="Chile")) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429]
    page = answers[-1].content.decode()
    assert f"Too many attempts. Wait {answers[-1]['Retry-After']} second" in page
    assert 'value="Chile"' in page
    assert "taken@example.org" in page
    # From another address too: the code is the same.
    assert client.post(good, typed(email=taken), REMOTE_ADDR="203.0.113.9").status_code == 429


def test_limit_applies_per_network(client, settings, kinds, one_instant):
    settings.JOIN_ATTEMPTS_PER_MINUTE = 1
    wrong = kinds["unknown"]
    assert [client.get(wrong).status_code for _ in range(2)] == [404, 429]
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"}
    assert client.get(wrong, headers=forged).status_code == 429
    assert client.get(wrong, REMOTE_ADDR="203.0.113.9").status_code == 404
    assert client.get("/login/").status_code == 200


def test_clients_behind_proxy_have_separate_limits(client, settings, kinds, one_instant):
    settings.JOIN_ATTEMPTS_PER_MINUTE, settings.TRUSTED_PROXIES = 1, ["127.0.0.1"]
    good = f"/join/{invitation().code}/"
    stranger, guest = ({"X-Forwarded-For": address} for address in ("198.51.100.1", "203.0.113.9"))
    assert [client.get(kinds["used"], headers=stranger).status_code for _ in range(2)] == [404, 429]
    assert client.get(good, headers=stranger).status_code == 429
    assert client.get(good, headers=guest).status_code == 200


def test_ipv6_network_shares_limit(client, settings, kinds, one_instant):
    settings.JOIN_ATTEMPTS_PER_MINUTE = 1
    for address, status in (("2001:db8:1:2::1", 404), ("2001:db8:1:2:ff::9", 429), ("2001:db8:1:3::1", 404)):
        assert client.get(kinds["unknown"], REMOTE_ADDR=address).status_code == status


@pytest.mark.seed("003 Guessing", "003 Guessing codes")
@pytest.mark.django_db(transaction=True)
def test_many_guesses_are_limited_and_reveal_nothing(settings, rf):
    """Uses the real limiter, with each guess in its own transaction.

    Two thousand guesses in a build, ten thousand where everything is asked.

    The page is asked as the resolver finds it: what lies before it looks at no code, and takes most of the time.
    """
    settings.JOIN_ATTEMPTS_PER_MINUTE = 10
    guesses = [*bad_codes().values()]
    register = resolve("/join/x/").func
    began, rejected = time.monotonic(), set()
    for turn in range(10_000 if sample.asks_all() else 2_000):
        request = rf.get("/join/")
        request.user = AnonymousUser()
        answer = register(request, code=guesses[turn % len(guesses)])
        if turn >= 10 and answer.status_code == 429:
            rejected.add(re.sub(rb"Wait \d+ seconds?", b"Wait", answer.content))
        elif turn >= 10:
            rejected.add(turn)
    minutes = (time.monotonic() - began) / 60
    heard = [each for each in rejected if isinstance(each, int)]
    # Ten a minute are heard, however many are asked.
    assert len(heard) <= 10 * minutes + 2
    # The other responses contain only the seconds to wait.
    assert len(rejected) - len(heard) == 1


def test_code_is_not_logged(client, settings, caplog, one_instant):
    caplog.handler.addFilter(HideSecretsFilter())
    code = invitation().spelled_code
    settings.JOIN_ATTEMPTS_PER_MINUTE = 1
    client.get("/join/ABCDEFGH23456789/")
    client.get(f"/join/{code}/")
    Client(enforce_csrf_checks=True).post(f"/join/{code.replace('-', ' ')}/")
    assert caplog.text.count("/join/…") == 3
    assert code[-4:] not in caplog.text
    assert "hide_secrets" in settings.LOGGING["handlers"]["console"]["filters"]
