"""Verification of GitHub accounts, and reputation from their public figures.

A member adds a verification code, which only this site knows, to their public GitHub profile. If it is there, the
account is verified.
"""

import secrets
from datetime import datetime, timedelta
from string import ascii_lowercase
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from groups.github import GitHubBusy, GitHubError, GitHubRejected, GitHubUnavailable, Profile, fetch_profile
from groups.models import CommunityMember, Member
from groups.rules import MAX_REPUTATION
from groups.services.directory import reputation_of
from missionsite.common.audit.context import changeset
from missionsite.common.audit.events import audit
from missionsite.common.errors import constraint_of, violated
from missionsite.common.transactions import service

TASK = "verify_on_github"
MAX_TRIES = 6  # while GitHub cannot be reached; takes about an hour
MAX_WAITS = 24  # for GitHub's rate limits
_FIRST_PAUSE = timedelta(minutes=2)  # before the second try; each further one is twice as long

# Results of a check, as shown to staff. Keys are codes of GitHubError and of this module.
OUTCOMES = {
    "queued": _("The check is queued."),
    "verified": _("The public profile contains the code. The account is verified."),
    "proof_missing": _("The account exists, but its public profile does not contain the code."),
    "taken": _("Another member has verified this account."),
    "name_invalid": _("The GitHub name is not valid."),
    "unknown": _("There is no such account on GitHub."),
    "not_a_person": _("The account is an organisation's or a program's, not a person's."),
    "rejected": _("GitHub does not accept this site's requests. An administrator must check the token."),
    "busy": _("GitHub's rate limit is reached. The check is repeated automatically."),
    "unavailable": _("GitHub could not be reached. The check is repeated automatically."),
    "gave_up": _("GitHub could not be reached after several attempts. Try again later."),
}


class RetryLater(Exception):
    """The check must be repeated. at: aware datetime, the earliest time."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        super().__init__(at.isoformat())


def verification_code(*, member_id: str) -> str:
    """Return the code a member adds to their public profile. It depends on SECRET_KEY.

    member_id: their number, #247.
    """
    number = int.from_bytes(salted_hmac("groups.github_proof", member_id, algorithm="sha256").digest())
    letters = []
    for _letter in range(10):
        number, place = divmod(number, len(ascii_lowercase))
        letters.append(ascii_lowercase[place])
    return f"missionsite-{''.join(letters)}"


@service
def request_github_check(*, actor: Member, entry: CommunityMember) -> bool:
    """Queue a check of a member's GitHub account.

    Returns False if a check is already queued. Raises ConstraintViolated without a GitHub name.
    """
    current = _lock_entry(entry.member_id)
    if current is None or not current.github_username:
        raise violated("community_members_verified_fits")
    # Not a queueing lock: with a newer job in the queue, the worker could not requeue a job for a retry.
    lock = f"{TASK}:{current.member_id}"
    if ProcrastinateJob.objects.filter(task_name=TASK, lock=lock, status="todo").exists():
        return False
    _save_check(current, "queued", timezone.now())
    app.configure_task(TASK, allow_unknown=False, lock=lock).defer(member_id=current.member_id)
    return True


def verify_on_github(*, actor: Member, member_id: str) -> str:
    """Check a member's account and store the result; returns the outcome, a key of OUTCOMES.

    "gone" and "changed": the member was removed or their GitHub name changed meanwhile, and nothing was written.
    Must not run in a transaction: no lock is held during the requests. Raises RetryLater, and GitHubRejected, so that
    a wrong token shows up as a failed job.
    """
    with changeset(user=str(actor.pk)):
        return _check_account(actor, member_id)


def _check_account(actor: Member, member_id: str) -> str:
    seen = (
        CommunityMember.objects.present()
        .filter(member_id=member_id)
        .values("github_username", "profile_data", now=Now())
        .first()
    )
    if seen is None or not seen["github_username"]:
        return "gone"
    username = seen["github_username"]
    before = (seen["profile_data"] or {}).get("github_check", {})
    # The worker may have stopped before it postponed the job. Compared by the database's clock, as jobs are.
    if (again_at := before.get("again_at")) and datetime.fromisoformat(again_at) > seen["now"]:
        raise RetryLater(datetime.fromisoformat(again_at))
    try:
        profile = fetch_profile(username, code=verification_code(member_id=member_id))
    except (GitHubBusy, GitHubUnavailable) as error:
        return _schedule_retry(member_id, username, before, error)
    except GitHubError as error:
        outcome = _write_outcome(member_id, username, error.code)
        if isinstance(error, GitHubRejected):
            raise
        return outcome
    if not profile.code_found:
        return _write_outcome(member_id, username, "proof_missing")
    try:
        return _write_profile(actor, member_id, username, profile)
    except IntegrityError as error:
        if constraint_of(error) != "community_members_github_once":
            raise
    return _write_outcome(member_id, username, "taken")


def _schedule_retry(member_id: str, username: str, before: dict, error: GitHubBusy | GitHubUnavailable) -> str:
    """Store a failed attempt and raise RetryLater, or give up after too many attempts."""
    is_busy = isinstance(error, GitHubBusy)
    waits, tries = before.get("waits", 0) + is_busy, before.get("tries", 0) + (not is_busy)
    if waits >= MAX_WAITS or tries >= MAX_TRIES:
        return _write_outcome(member_id, username, "gave_up")
    if not isinstance(error, GitHubBusy):
        # Random, so that the retries do not come all at once.
        pause = _FIRST_PAUSE * 2 ** (tries - 1) * secrets.SystemRandom().uniform(0.75, 1.25)
        again_at = timezone.now() + pause
    elif error.is_stated:
        again_at = error.retry_at
    else:
        again_at = timezone.now() + (error.retry_at - timezone.now()) * 2 ** min(waits - 1, 6)
    outcome = _write_outcome(member_id, username, error.code, again_at=again_at.isoformat(), waits=waits, tries=tries)
    if outcome != error.code:
        return outcome
    raise RetryLater(again_at) from None


@transaction.atomic(durable=True)
def _write_profile(actor: Member, member_id: str, username: str, profile: Profile) -> str:
    entry = _lock_entry(member_id)
    if entry is None or entry.github_username != username:
        return "changed"
    now = timezone.now()
    entry.github_username = profile.login
    entry.github_verified = True
    entry.github_verified_at = now
    entry.github_profile_data = profile.data
    entry.reputation_score = min(reputation_of(profile.data), MAX_REPUTATION)
    entry.save(
        update_fields=[
            "github_username",
            "github_verified",
            "github_verified_at",
            "github_profile_data",
            "reputation_score",
        ]
    )
    _save_check(entry, "verified", now)
    audit(
        "directory.verified",
        actor=actor,
        member=entry.person,
        number=entry.member_id,
        by="github",
        points=entry.reputation_score,
    )
    return "verified"


@transaction.atomic(durable=True)
def _write_outcome(member_id: str, username: str, outcome: str, **more: Any) -> str:
    entry = _lock_entry(member_id)
    if entry is None or entry.github_username != username:
        return "changed"
    _save_check(entry, outcome, timezone.now(), **more)
    return outcome


def _lock_entry(member_id: str) -> CommunityMember | None:
    """Lock and return the current row of an entry; None if it was removed."""
    rows = CommunityMember.objects.present().filter(member_id=member_id)
    return rows.select_for_update(of=("self",)).select_related("person").first()


def _save_check(entry: CommunityMember, outcome: str, at: datetime, **more: Any) -> None:
    entry.profile_data = (entry.profile_data or {}) | {
        "github_check": {"at": at.isoformat(), "outcome": outcome} | more
    }
    entry.save(update_fields=["profile_data"])
