"""The background check of a GitHub account: results, retries, and no names in logs."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from groups.github import GitHubRejected, client
from groups.models import CommunityMember, Event, Member
from groups.models.directory import CommunityStatus, Tier
from groups.services import verification
from groups.services.directory import remove_entry, update_entry, verify_manually
from groups.services.verification import RetryLater, request_github_check, verification_code
from groups.tasks import verify_on_github
from tests.common.test_worker import running_worker, status_of, until
from tests.support.errors import violates
from tests.support.factories.groups import MemberFactory
from tests.support.github_server import (
    failing,
    github,
    moved,
    rate_limited,
    reply,
    secondary_limit,
    unauthorized,
)

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "token-of-the-site"


@pytest.fixture
def server(settings, monkeypatch):
    monkeypatch.setattr(client, "_FIRST_PAUSE", 0.01)
    with github() as running:
        settings.GITHUB_API_URL, settings.GITHUB_TOKEN, settings.GITHUB_TIMEOUT = running.url, TOKEN, 20
        yield running


@pytest.fixture(autouse=True)
def empty_queue():
    """Empty procrastinate's tables, which no fixture does."""
    with connection.cursor() as cursor:
        for table in ("periodic_defers", "events", "jobs", "workers"):
            cursor.execute(f"DELETE FROM procrastinate_{table}")


def entry_of(username: str | None = "octocat", **fields) -> CommunityMember:
    fields = {"person": MemberFactory(), "telegram_id": f"tg-{username}", "status": CommunityStatus.ACTIVE} | fields
    entry = CommunityMember.objects.create(
        name="Mona Lisa", primary_role="developer", github_username=username, **fields
    )
    entry.refresh_from_db()
    return entry


def proven(server, entry: CommunityMember, login: str = "octocat", **fields) -> None:
    server.person(login, **{"bio": f"Hello. {verification_code(member_id=entry.member_id)}"} | fields)


def look_up(entry: CommunityMember) -> str:
    """Run the job as the worker does; returns the entry and the outcome."""
    try:
        return verify_on_github(member_id=entry.member_id)
    finally:
        entry.refresh_from_db()


def put_off(entry: CommunityMember) -> datetime:
    with pytest.raises(RetryLater) as caught:
        look_up(entry)
    return caught.value.at


def check_of(entry: CommunityMember) -> dict:
    return entry.profile_data["github_check"]


def time_passes(entry: CommunityMember) -> None:
    """Move the clock to the next retry."""
    check = check_of(entry)
    check["again_at"] = (timezone.now() - timedelta(seconds=1)).isoformat()
    CommunityMember.objects.filter(pk=entry.pk).update(profile_data=entry.profile_data)


def is_unverified(entry: CommunityMember) -> bool:
    return (entry.github_verified, entry.github_verified_at, entry.github_profile_data, entry.reputation_score) == (
        False,
        None,
        None,
        0,
    )


# --- Verification code ----------------------------------------------------------------------------------


def test_code_is_unique_per_member_and_constant():
    words = {verification_code(member_id=f"#{number}") for number in range(1, 500)}
    assert len(words) == 499
    for word in words:
        prefix, _, letters = word.partition("-")
        assert (prefix, len(letters), letters.isalpha(), letters.islower()) == ("missionsite", 10, True, True)
    assert verification_code(member_id="#247") == verification_code(member_id="#247")


def test_code_depends_on_secret_key(settings):
    before = verification_code(member_id="#247")
    settings.SECRET_KEY = "another-site" * 5
    assert verification_code(member_id="#247") != before


# --- Verified -------------------------------------------------------------------------------------


def test_verified_account_is_stored(server):
    entry = entry_of(profile_data={"theme": "dark"})
    contributions = {"commits": 300, "issues": 100, "pull_requests": 100}
    proven(server, entry, "OctoCat", stars=[150, 50], public_repos=15, followers=50, **contributions)
    before = timezone.now()
    assert look_up(entry) == "verified"
    assert entry.github_username == "OctoCat"
    assert entry.github_verified
    assert before <= entry.github_verified_at <= timezone.now()
    figures = ("public_repos", "followers", "total_stars", "contributions_last_year")
    assert [entry.github_profile_data[name] for name in figures] == [15, 50, 200, 500]
    # 5 x 15 + 3 x 50 + 2 x 200 + 500
    assert (entry.reputation_score, entry.reputation_tier) == (1125, Tier.EXPERIENCED)
    assert check_of(entry)["outcome"] == "verified"
    assert before <= datetime.fromisoformat(check_of(entry)["at"]) <= timezone.now()
    assert entry.profile_data["theme"] == "dark"
    event = Event.objects.get()
    assert (event.type, event.actor, event.member) == ("directory.verified", Member.objects.system(), entry.person)
    assert event.payload == {"number": entry.member_id, "by": "github", "points": 1125}


def test_entry_without_account_is_verified(server):
    entry = entry_of(person=None)
    proven(server, entry)
    assert look_up(entry) == "verified"


def test_second_run_changes_nothing(server):
    entry = entry_of()
    proven(server, entry, followers=5)
    assert [look_up(entry), look_up(entry)] == ["verified", "verified"]
    assert entry.reputation_score == 15


def test_renamed_account_is_stored_with_new_name(server):
    entry = entry_of("OldName")
    proven(server, entry, "NewName")
    server.on("/users/OldName", moved("/users/NewName"))
    assert look_up(entry) == "verified"
    assert entry.github_username == "NewName"


def test_points_are_capped_at_column_maximum(server):
    entry = entry_of()
    proven(server, entry, followers=10**11)
    assert look_up(entry) == "verified"
    assert entry.reputation_score == 2**31 - 1


# --- Not verified ---------------------------------------------------------------------------------


def test_missing_code_verifies_nothing(server):
    entry = entry_of()
    server.person(bio="no word here", followers=50)
    assert look_up(entry) == "proof_missing"
    assert is_unverified(entry)
    assert check_of(entry)["outcome"] == "proof_missing"
    assert not Event.objects.exists()


def test_code_of_another_member_verifies_nothing(server):
    entry, other = entry_of(), entry_of("hubot")
    server.person("octocat", bio=verification_code(member_id=other.member_id))
    assert look_up(entry) == "proof_missing"
    assert is_unverified(entry)


@pytest.mark.parametrize(
    ("username", "answer", "outcome"),
    [
        ("octocat", reply({}, 404), "unknown"),
        ("octocat", reply({"type": "Organization"}), "not_a_person"),
        ("not--a--name", reply({}), "name_invalid"),
    ],
)
def test_invalid_account_outcome_is_stored(server, username, answer, outcome):
    entry = entry_of(username)
    server.on(f"/users/{username}", answer)
    assert look_up(entry) == outcome
    assert is_unverified(entry)
    assert check_of(entry)["outcome"] == outcome
    assert outcome in verification.OUTCOMES


def test_wrong_token_fails_job(server):
    entry = entry_of()
    server.on("/users/octocat", unauthorized)
    with pytest.raises(GitHubRejected):
        look_up(entry)
    assert is_unverified(entry)
    assert check_of(entry)["outcome"] == "rejected"


def test_account_is_verified_for_one_member(server):
    first, second = entry_of(telegram_id="1"), entry_of("OCTOCAT", telegram_id="2")
    words = " ".join(verification_code(member_id=entry.member_id) for entry in (first, second))
    user = server.person("octocat", bio=words)
    server.on("/users/OCTOCAT", reply(user))
    assert [look_up(first), look_up(second)] == ["verified", "taken"]
    first.refresh_from_db()
    assert first.github_verified
    assert is_unverified(second)
    assert check_of(second)["outcome"] == "taken"
    assert Event.objects.filter(type="directory.verified").count() == 1


def test_verified_entry_stays_verified_without_code(server):
    entry = entry_of()
    proven(server, entry, followers=5)
    look_up(entry)
    server.person("octocat", bio="", followers=500)
    verified_at = entry.github_verified_at
    assert look_up(entry) == "proof_missing"
    assert (entry.github_verified, entry.github_verified_at, entry.reputation_score) == (True, verified_at, 15)


def test_manual_verification_stays_without_code(server):
    entry = verify_manually(actor=Member.objects.system(), entry=entry_of(), how="met in person")
    server.person("octocat")
    assert look_up(entry) == "proof_missing"
    assert entry.github_verified


# --- Concurrent changes ---------------------------------------------------------------------------------


def meanwhile(server, do) -> None:
    """Run a function during the request to GitHub, on its own connection."""
    answer = server.answer("/search/commits")
    failures = []

    def act(call):
        try:
            do()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()
        answer(call)

    server.on("/search/commits", act)
    server.failures = failures


def test_name_changed_during_check_writes_nothing(server):
    entry = entry_of()
    proven(server, entry)
    meanwhile(server, lambda: update_entry(actor=Member.objects.system(), entry=entry, github_username="hubot"))
    assert look_up(entry) == "changed"
    assert server.failures == []
    assert entry.github_username == "hubot"
    assert is_unverified(entry)
    assert entry.profile_data is None


@pytest.mark.parametrize("bad", [failing(500), reply({}, 404), rate_limited(datetime(2100, 1, 1, tzinfo=UTC))])
def test_name_changed_during_check_is_not_retried(server, bad):
    entry = entry_of()
    proven(server, entry)
    meanwhile(server, lambda: update_entry(actor=Member.objects.system(), entry=entry, github_username="hubot"))
    server.search("issues", "is:issue", "octocat", bad)
    assert look_up(entry) == "changed"
    assert server.failures == []
    assert entry.profile_data is None


def test_entry_removed_during_check_is_unchanged(server):
    entry = entry_of()
    proven(server, entry)
    meanwhile(server, lambda: remove_entry(actor=Member.objects.system(), entry=entry))
    assert look_up(entry) == "changed"
    assert server.failures == []
    assert is_unverified(entry)


@pytest.mark.parametrize("fields", [{"username": None}, {"deleted_at": timezone.now()}])
def test_removed_entry_sends_no_request(server, fields):
    entry = entry_of(**fields)
    assert look_up(entry) == "gone"
    assert verify_on_github(member_id="#999999") == "gone"
    assert server.requests == []


def test_concurrent_profile_data_is_kept(server):
    entry = entry_of()
    proven(server, entry)
    meanwhile(
        server, lambda: CommunityMember.objects.filter(pk=entry.pk).update(profile_data={"theme": "dark"}, country="PE")
    )
    assert look_up(entry) == "verified"
    assert server.failures == []
    assert (entry.profile_data["theme"], entry.country) == ("dark", "PE")


def test_no_lock_is_held_during_request(server):
    entry = entry_of()
    proven(server, entry)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    states = []

    def watch():
        with connection.cursor() as cursor:
            cursor.execute("SELECT state FROM pg_stat_activity WHERE pid = %s", [pid])
            states.extend(cursor.fetchone())
        with transaction.atomic():
            CommunityMember.objects.select_for_update(nowait=True).get(pk=entry.pk)

    meanwhile(server, watch)
    assert look_up(entry) == "verified"
    assert server.failures == []
    assert states == ["idle"]
    # Negative control: an open transaction that locks the row.
    with transaction.atomic():
        CommunityMember.objects.select_for_update().get(pk=entry.pk)
        caught = []

        def look():
            try:
                watch()
            except OperationalError as error:
                caught.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert states[1:] == ["idle in transaction"]
    assert len(caught) == 1


def test_verify_rejects_open_transaction(server):
    entry = entry_of()
    server.person("octocat")
    with pytest.raises(RuntimeError), transaction.atomic():
        verify_on_github(member_id=entry.member_id)


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
