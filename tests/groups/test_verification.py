"""The background check of a GitHub account: results, and changes during the check."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from groups.github import GitHubRejected
from groups.models import CommunityMember, Event, Member
from groups.models.directory import Tier
from groups.services import verification
from groups.services.directory import remove_entry, update_entry, verify_manually
from groups.services.verification import verification_code
from groups.tasks import verify_on_github
from tests.groups.github_checks import check_of, entry_of, is_unverified, look_up, proven
from tests.support.github_server import (
    failing,
    moved,
    rate_limited,
    reply,
    unauthorized,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def empty_queue():
    """Empty procrastinate's tables, which no fixture does."""
    with connection.cursor() as cursor:
        for table in ("periodic_defers", "events", "jobs", "workers"):
            cursor.execute(f"DELETE FROM procrastinate_{table}")


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
