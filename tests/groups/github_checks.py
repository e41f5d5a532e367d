"""Background checks of GitHub accounts: entries, outcomes and retries."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from groups.models import CommunityMember
from groups.models.directory import CommunityStatus
from groups.services.verification import RetryLater, verification_code
from groups.tasks import verify_on_github
from tests.support.factories.groups import MemberFactory


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
