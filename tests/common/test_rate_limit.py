"""Rate limits, counted in the database for all processes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection

from missionsite.common.api.limits import (
    KEEP_COUNTS_FOR,
    REJECTIONS_PER_MINUTE,
    count_request,
    prune_counts,
    uncount_request,
)
from tests.support.factories.groups import MemberFactory
from tests.support.factories.tokens import api_client

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def allowed(caller: str, at: datetime, limit: int = 10) -> bool:
    return count_request(caller, limit, at=at).allowed


@pytest.fixture
def no_counts():
    """Empties the table of counts, which no other fixture does."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM api_request_counts")


@pytest.mark.django_db
class TestOneCaller:
    def test_limit_is_exact(self):
        assert [allowed("a", after(0)) for _ in range(12)] == [True] * 10 + [False] * 2

    def test_callers_are_counted_separately(self):
        assert all(allowed("a", after(0)) for _ in range(10))
        assert allowed("b", after(0))

    def test_remaining_counts_down_to_zero(self):
        assert [count_request("a", 3, at=after(0)).remaining for _ in range(4)] == [2, 1, 0, 0]

    def test_window_slides_across_minutes(self):
        """Ten requests at the end of a minute use up the limit at the start of the next one."""
        assert all(allowed("a", after(59)) for _ in range(10))
        assert sum(allowed("a", after(61)) for _ in range(10)) == 1
        assert sum(allowed("a", after(90)) for _ in range(10)) == 4

    def test_full_limit_returns_after_two_idle_minutes(self):
        assert all(allowed("a", after(0)) for _ in range(10))
        assert all(allowed("a", after(120)) for _ in range(10))

    @pytest.mark.parametrize("second", [0, 0.5, 17, 30, 59, 59.9])
    def test_request_after_retry_after_is_allowed(self, second):
        while (answer := count_request("a", 10, at=after(second))).allowed:
            pass
        assert not allowed("a", after(second + answer.retry_after - 2)) or answer.retry_after < 3
        assert allowed("a", after(second + answer.retry_after))

    def test_rejected_requests_do_not_extend_wait(self):
        for _ in range(10):
            allowed("a", after(0))
        wait = count_request("a", 10, at=after(0)).retry_after
        for second in range(0, wait, 5):
            allowed("a", after(second))
        assert allowed("a", after(wait + 5))

    def test_uncounted_request_may_be_repeated(self):
        for _ in range(10):
            allowed("a", after(0))
        uncount_request("a")
        assert [allowed("a", after(0)), allowed("a", after(0))] == [True, False]

    def test_uncount_in_next_minute_is_not_negative(self, no_counts):
        allowed("a", after(59))
        for _ in range(3):
            uncount_request("a")
            uncount_request("nobody")
        assert [allowed("a", after(61), limit=2) for _ in range(3)] == [True, True, False]

    def test_zero_means_no_limit(self):
        assert count_request("a", 0) is None

    def test_only_old_counts_are_pruned(self, no_counts):
        allowed("old", NOON)
        allowed("fresh", NOON + KEEP_COUNTS_FOR)
        assert prune_counts(now=NOON + KEEP_COUNTS_FOR + timedelta(minutes=1)) == 1
        assert not allowed("fresh", NOON + KEEP_COUNTS_FOR, limit=1)


def count_carelessly(caller: str, at_most: int, at: datetime) -> bool:
    """Negative control: check first, then count, without regard to concurrent processes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT hits FROM api_request_counts WHERE caller = %s", [caller])
        row = cursor.fetchone()
        if row and row[0] >= at_most:
            return False
        cursor.execute("SELECT pg_sleep(0.01)")
        cursor.execute(
            """
            INSERT INTO api_request_counts VALUES (%s, 0, 1, 0)
            ON CONFLICT (caller) DO UPDATE SET hits = api_request_counts.hits + 1
            """,
            [caller],
        )
        return True


def storm(count) -> int:
    """The number of allowed requests of 20 connections with 10 requests each, at a limit of 50."""
    ready = Barrier(20)

    def send(_) -> int:
        try:
            connection.ensure_connection()
            ready.wait()
            return sum(count() for _ in range(10))
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:
        return sum(threads.map(send, range(20)))


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_get_exactly_limit(no_counts):
    for round_ in range(5):
        assert storm(lambda caller=f"storm-{round_}": allowed(caller, NOON, limit=50)) == 50


@pytest.mark.django_db(transaction=True)
def test_control_check_before_count_exceeds_limit(no_counts):
    assert storm(lambda: count_carelessly("careless", 50, NOON)) > 50


@pytest.mark.django_db
class TestRequests:
    def test_token_above_limit_gets_retry_after(self, settings):
        settings.API_REQUESTS_PER_MINUTE = 3
        alice, bob = api_client(MemberFactory()), api_client(MemberFactory())
        answers = [alice.get("/api/me") for _ in range(4)]
        assert [answer.status_code for answer in answers[:3]] == [200] * 3
        assert [answer["RateLimit-Remaining"] for answer in answers[:3]] == ["2", "1", "0"]
        # The turn of a minute may fall between two of them; then one more fits.
        last = answers[3] if answers[3].status_code == 429 else [alice.get("/api/me") for _ in range(4)][-1]
        assert last.status_code == 429
        assert last["Content-Type"] == "application/problem+json"
        assert last.json()["code"] == "too_many_requests"
        assert 1 <= int(last["Retry-After"]) <= 121
        assert bob.get("/api/me").status_code == 200

    def test_zero_disables_limit(self, settings):
        settings.API_REQUESTS_PER_MINUTE = 0
        answer = api_client(MemberFactory()).get("/api/me")
        assert answer.status_code == 200
        assert "RateLimit-Limit" not in answer

    def test_wrong_tokens_limit_only_their_network(self, client):
        neighbour = api_client(MemberFactory())
        codes = [client.get("/api/me").status_code for _ in range(2 * REJECTIONS_PER_MINUTE + 2)]
        assert codes[0] == 401
        assert codes[-1] == 429
        assert set(codes) == {401, 429}
        assert client.get("/api/me", REMOTE_ADDR="198.51.100.7").status_code == 401
        assert neighbour.get("/api/me").status_code == 200
