"""The background check of a GitHub account: retries, requests and real workers, with no names in logs."""

from datetime import datetime, timedelta
from functools import partial
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from groups.github import GitHubRejected
from groups.models import CommunityMember, Member
from groups.services import verification
from groups.services.verification import request_github_check, verification_code
from groups.tasks import verify_on_github
from tests.common.test_worker import running_worker, status_of, until
from tests.groups.github_checks import check_of, entry_of, is_unverified, look_up, proven, put_off, time_passes
from tests.groups.github_requests import TOKEN
from tests.support.errors import violates
from tests.support.github_server import (
    failing,
    rate_limited,
    secondary_limit,
    unauthorized,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_queue():
    """Empty procrastinate's tables, which no fixture does."""
    with connection.cursor() as cursor:
        for table in ("periodic_defers", "events", "jobs", "workers"):
            cursor.execute(f"DELETE FROM procrastinate_{table}")


# --- Retries -------------------------------------------------------------------------------------


def test_rate_limit_postpones_job(server):
    entry = entry_of()
    resets_at = (timezone.now() + timedelta(minutes=40)).replace(microsecond=0)
    server.on("/users/octocat", rate_limited(resets_at))
    assert put_off(entry) == resets_at
    assert is_unverified(entry)
    check = check_of(entry)
    assert (check["outcome"], datetime.fromisoformat(check["again_at"])) == ("busy", resets_at)


def test_postponed_job_sends_no_request_early(server):
    entry = entry_of()
    resets_at = (timezone.now() + timedelta(minutes=40)).replace(microsecond=0)
    server.on("/users/octocat", rate_limited(resets_at))
    assert [put_off(entry), put_off(entry)] == [resets_at, resets_at]
    assert len(server.requests) == 1


def test_unstated_limit_backs_off(server):
    entry = entry_of()
    server.on("/users/octocat", secondary_limit(None))
    pauses = []
    for _ in range(4):
        pauses.append(put_off(entry) - timezone.now())
        time_passes(entry)
    assert [round(pause.total_seconds() / 60) for pause in pauses] == [1, 2, 4, 8]


def test_endless_limit_gives_up(server, monkeypatch):
    monkeypatch.setattr(verification, "MAX_WAITS", 3)
    entry = entry_of()
    server.on("/users/octocat", secondary_limit(5))
    for _ in range(2):
        put_off(entry)
        time_passes(entry)
    assert look_up(entry) == "gave_up"
    assert check_of(entry)["outcome"] == "gave_up"


def test_outage_backs_off_and_gives_up(server):
    entry = entry_of()
    server.on("/users/octocat", failing(500))
    pauses = []
    for _ in range(verification.MAX_TRIES - 1):
        pauses.append((put_off(entry) - timezone.now()).total_seconds() / 60)
        assert check_of(entry)["outcome"] == "unavailable"
        time_passes(entry)
    for pause, minutes in zip(pauses, (2, 4, 8, 16, 32), strict=True):
        assert 0.74 * minutes < pause < 1.26 * minutes
    assert look_up(entry) == "gave_up"
    assert is_unverified(entry)
    assert set(check_of(entry)) == {"at", "outcome"}
    # A new request starts from the beginning.
    put_off(entry)
    assert check_of(entry)["tries"] == 1


def test_limit_does_not_count_as_attempt(server, monkeypatch):
    monkeypatch.setattr(verification, "MAX_TRIES", 2)
    entry = entry_of()
    down, limited = failing(500), secondary_limit(5)
    server.on("/users/octocat", limited, limited, limited, down, down, down, limited, down, down, down)
    for outcome in ("busy", "busy", "busy", "unavailable", "busy"):
        put_off(entry)
        assert check_of(entry)["outcome"] == outcome
        time_passes(entry)
    assert look_up(entry) == "gave_up"


def test_short_outage_ends_verified(server):
    entry = entry_of()
    proven(server, entry)
    fine = server.answer("/users/octocat")
    down = failing(500)
    server.on("/users/octocat", down, down, down, fine)
    put_off(entry)
    time_passes(entry)
    assert look_up(entry) == "verified"
    assert set(check_of(entry)) == {"at", "outcome"}


# --- Requests -----------------------------------------------------------------------------


def test_request_queues_one_job_with_number(server):
    entry = entry_of()
    assert [
        request_github_check(actor=Member.objects.system(), entry=entry),
        request_github_check(actor=Member.objects.system(), entry=entry),
    ] == [True, False]
    job = ProcrastinateJob.objects.get()
    assert (job.task_name, job.args, job.status) == ("verify_on_github", {"member_id": entry.member_id}, "todo")
    entry.refresh_from_db()
    assert check_of(entry)["outcome"] == "queued"
    assert server.requests == []


def test_rolled_back_request_queues_nothing(server):
    with transaction.atomic():
        assert request_github_check(actor=Member.objects.system(), entry=entry_of())
        transaction.set_rollback(True)
    assert not ProcrastinateJob.objects.exists()


@pytest.mark.parametrize("fields", [{"username": None}, {"deleted_at": timezone.now()}])
def test_request_rejects_entry_without_github_name(fields):
    entry = entry_of(**fields)
    with violates("community_members_verified_fits"):
        request_github_check(actor=Member.objects.system(), entry=entry)
    assert not ProcrastinateJob.objects.exists()


def test_job_is_retried_after_other_errors_but_not_after_rejection():
    decide = partial(verify_on_github.retry_strategy.get_retry_decision, job=Mock(attempts=0))
    later = timezone.now() + timedelta(hours=1)
    assert decide(exception=verification.RetryLater(later)).retry_at == later
    assert decide(exception=OperationalError()).retry_at < later
    assert decide(exception=GitHubRejected()) is None


# --- Real workers ---------------------------------------------------------------------------


@pytest.fixture
def worker_asks(server, monkeypatch):
    """Point workers at this server."""
    monkeypatch.setenv("GITHUB_API_URL", server.url)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    return server


def said_by(worker, entry: CommunityMember) -> str:
    """Return the worker's log, after checking that it contains no names."""
    said = worker.stderr.read()
    for secret in ("octocat", "Mona", verification_code(member_id=entry.member_id), TOKEN, entry.person.email):
        assert secret.lower() not in said.lower()
    return said


def test_worker_verifies_and_logs_no_names(worker_asks):
    entry = entry_of()
    proven(worker_asks, entry, followers=5)
    request_github_check(actor=Member.objects.system(), entry=entry)
    job = ProcrastinateJob.objects.get().pk
    with running_worker() as worker:
        until(lambda: status_of(job)[0] == "succeeded", "the job")
        worker.terminate()
        said = said_by(worker, entry)
    assert f"member_id='{entry.member_id}'" in said
    entry.refresh_from_db()
    assert (entry.github_verified, entry.reputation_score) == (True, 15)


@pytest.mark.seed("003 GitHub")
@pytest.mark.long
def test_worker_retries_when_limit_is_over(worker_asks):
    entry = entry_of()
    proven(worker_asks, entry)
    limits = []

    def limited(call):
        # Relative to the worker's request, however long it takes to start.
        limits.append((timezone.now() + timedelta(seconds=3)).replace(microsecond=0))
        rate_limited(limits[0])(call)

    worker_asks.on("/users/octocat", limited, worker_asks.answer("/users/octocat"))
    request_github_check(actor=Member.objects.system(), entry=entry)
    job = ProcrastinateJob.objects.get()
    with running_worker() as worker:
        until(lambda: limits, "the first try")
        until(lambda: status_of(job.pk)[0] == "succeeded", "the second try")
        worker.terminate()
        said_by(worker, entry)
    job.refresh_from_db()
    assert (job.scheduled_at, job.attempts) == (limits[0], 2)
    asked = [request.at for request in worker_asks.requests if request.path == "/users/octocat"]
    assert len(asked) == 2
    assert asked[1] >= limits[0].timestamp()
    entry.refresh_from_db()
    assert entry.github_verified


def test_wrong_token_job_is_listed_as_failed(worker_asks):
    entry = entry_of()
    worker_asks.on("/users/octocat", unauthorized)
    request_github_check(actor=Member.objects.system(), entry=entry)
    job = ProcrastinateJob.objects.get().pk
    with running_worker() as worker:
        until(lambda: status_of(job)[0] == "failed", "the job")
        worker.terminate()
        assert "GitHub does not accept the site's token." in said_by(worker, entry)
