"""A client for public profiles and pull requests in GitHub's REST API.

It is independent of this site's models. The settings GITHUB_API_URL, GITHUB_TOKEN and GITHUB_TIMEOUT are read at each
call. Failures raise GitHubError, whose message contains no account and no response, so it can be logged.

Source: GitHub REST API documentation, version 2022-11-28: users, repositories, search, pulls, commits, rate limits.
"""

from groups.github.errors import (
    GitHubBusy,
    GitHubError,
    GitHubNameInvalid,
    GitHubNotAPerson,
    GitHubRejected,
    GitHubUnavailable,
    GitHubUserUnknown,
)
from groups.github.profile import Profile, fetch_profile
from groups.github.pull_requests import PullRequestState, fetch_pull_request

__all__ = [
    "GitHubBusy",
    "GitHubError",
    "GitHubNameInvalid",
    "GitHubNotAPerson",
    "GitHubRejected",
    "GitHubUnavailable",
    "GitHubUserUnknown",
    "Profile",
    "PullRequestState",
    "fetch_profile",
    "fetch_pull_request",
]
