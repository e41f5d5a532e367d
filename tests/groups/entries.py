"""Entries of the directory for tests."""

from django.utils import timezone

from tests.support.factories.groups import EntryFactory


def verified(**fields):
    return EntryFactory(
        **{
            "github_username": "ana-h",
            "github_verified": True,
            "github_verified_at": timezone.now(),
            "github_profile_data": {"public_repos": 15},
            "reputation_score": 1125,
        }
        | fields
    )
