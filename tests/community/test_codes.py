"""Guessing codes: every kind of bad one is answered the same, and nobody may guess often."""

import re
import time
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
from missionsite.community.logs import HideCodes
from tests import sample
from tests.community.cast import bad_codes, invitation, seen, typed

pytestmark = pytest.mark.django_db
# One median may be this much above another before a kind of code counts as told by its time.
NOISE = 1.6


@pytest.fixture
def kinds() -> dict[str, str]:
    return {kind: f"/join/{quote(code, safe='/')}/" for kind, code in bad_codes().items()}


@pytest.mark.parametrize("language", ["en", "pt-BR"])
def test_every_kind_of_bad_code_gets_the_same_page(client, kinds, language):
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


def test_what_is_wrong_with_a_form_is_not_said_before_the_code_is_right(client, kinds):
    page = client.post(kinds["used"], typed(email="no", password="1")).content.decode()
    assert "valid email" not in page
    assert CommunityMember.objects.filter(name="Ana Souza").count() == 1


def medians(client, targets: dict[str, str], method: str) -> dict[str, float]:
    """Seconds each target takes, measured in turn so that what else the machine does falls on all of them."""
    times: dict[str, list[float]] = {kind: [] for kind in targets}
    form = typed(telegram_id="no number")
    for _turn, (kind, target) in product(range(15), targets.items()):
        began = time.perf_counter()
        client.get(target) if method == "get" else client.post(target, form)
        times[kind].append(time.perf_counter() - began)
    return {kind: median(each) for kind, each in times.items()}


@pytest.mark.parametrize("method", ["get", "post"])
def test_time_tells_no_kind_of_bad_code_from_another(client, kinds, method):
    """A difference that is there is there every time; what a busy machine adds falls on another kind each time."""
    client.get(kinds["unknown"])
    for _attempt in range(5):
        measured = medians(client, kinds, method)
        if max(measured.values()) / min(measured.values()) < NOISE:
            return
    pytest.fail(f"told apart five times in a row: {measured}")


@pytest.mark.parametrize("method", ["get", "post"])
def test_time_of_a_page_that_takes_another_way_is_noticed(client, kinds, method):
    """Negative control: the same measure tells a code that is open."""
    targets = {"unknown": kinds["unknown"], "open": f"/join/{invitation().invitation_code}/"}
    told = []
    for _attempt in range(5):
        measured = medians(client, targets, method)
        told.append(measured["open"] / measured["unknown"])
    # A busy machine may hide it once.
    assert max(told) > NOISE


# --- The limit ------------------------------------------------------------------------------------


def test_address_that_knocks_too_often_waits_and_its_code_is_not_looked_at(client, settings, kinds):
    settings.JOIN_ATTEMPTS_PER_MINUTE = 4
    good = f"/join/{invitation().invitation_code}/"
    assert [client.get("/join/").status_code, client.post("/join/", {}).status_code] == [200, 200]
    assert [client.get(good).status_code, client.post(kinds["unknown"]).status_code] == [200, 404]
    told = set()
    for target, method in product([good, *kinds.values()], ("get", "post", "head")):
        with CaptureQueriesContext(connection) as queries:
            answer = getattr(client, method)(target, typed() if method == "post" else None)
        assert answer.status_code == 429
        assert 1 <= int(answer["Retry-After"]) <= 120
        assert [query["sql"] for query in queries if "count_request" not in query["sql"]] == []
        if method != "head":
            told.add(re.sub(r"Wait \d+ second", "Wait", seen(answer)[1]))
    assert len(told) == 1
    assert "Too many attempts" in told.pop()


def test_limit_counts_an_address_and_no_other(client, settings):
    settings.JOIN_ATTEMPTS_PER_MINUTE = 1
    assert [client.get("/join/").status_code for _ in range(2)] == [200, 429]
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9"}
    assert client.get("/join/", headers=forged).status_code == 429
    assert client.get("/join/", REMOTE_ADDR="203.0.113.9").status_code == 200
    assert client.get("/login/").status_code == 200


def test_addresses_of_one_ipv6_network_are_one(client, settings):
    settings.JOIN_ATTEMPTS_PER_MINUTE = 1
    for address, status in (("2001:db8:1:2::1", 200), ("2001:db8:1:2:ff::9", 429), ("2001:db8:1:3::1", 200)):
        assert client.get("/join/", REMOTE_ADDR=address).status_code == status


@pytest.mark.django_db(transaction=True)
def test_thousands_of_guesses_are_limited_and_teach_nothing(settings, rf):
    """The limiter counts for real, each guess in a transaction of its own; a code that is open is among them.

    Two thousand guesses in a build, ten thousand where everything is asked.

    The page is asked as the resolver finds it: what lies before it looks at no code, and takes most of the time.
    """
    settings.JOIN_ATTEMPTS_PER_MINUTE = 10
    codes = [*bad_codes().values(), invitation().invitation_code]
    page = resolve("/join/x/").func
    began, refused = time.monotonic(), set()
    for turn in range(10_000 if sample.ALL else 2_000):
        request = rf.get("/join/")
        request.user = AnonymousUser()
        answer = page(request, code=codes[turn % len(codes)])
        if turn >= 10 and answer.status_code == 429:
            refused.add(re.sub(rb"Wait \d+ seconds?", b"Wait", answer.content))
        elif turn >= 10:
            refused.add(turn)
    minutes = (time.monotonic() - began) / 60
    heard = [each for each in refused if isinstance(each, int)]
    # Ten a minute are heard, however many are asked.
    assert len(heard) <= 10 * minutes + 2
    # The rest are told the seconds to wait, and nothing else.
    assert len(refused) - len(heard) == 1


def test_code_in_an_address_stays_out_of_the_log(client, settings, caplog):
    caplog.handler.addFilter(HideCodes())
    code = invitation().spelled_code
    settings.JOIN_ATTEMPTS_PER_MINUTE = 1
    client.get(f"/join/{code}/")
    client.get(f"/join/{code}/")
    Client(enforce_csrf_checks=True).post(f"/join/{code.replace('-', ' ')}/")
    assert caplog.text.count("/join/…") == 2
    assert code[-4:] not in caplog.text
    assert "hide_codes" in settings.LOGGING["handlers"]["console"]["filters"]
