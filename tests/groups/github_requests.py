"""Requests of the GitHub client, and the errors they raise."""

import traceback
from datetime import UTC, datetime, timedelta

import pytest

from groups.github import (
    GitHubError,
    GitHubUnavailable,
    fetch_profile,
)

TOKEN = "token-of-the-site"
WORD = "missionsite-abcdefghij"


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def rejection(kind: type[GitHubError], username: str = "octocat") -> GitHubError:
    """Return the error of a request, after checking that it contains no account name."""
    with pytest.raises(GitHubError) as caught:
        fetch_profile(username, code=WORD)
    assert type(caught.value) is kind or (kind is GitHubUnavailable and isinstance(caught.value, kind))
    printed = "".join(traceback.format_exception(caught.value))
    for secret in (username, WORD, TOKEN):
        assert not secret or secret not in printed
    assert caught.value.message.endswith(".")
    return caught.value
