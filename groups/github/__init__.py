"""What GitHub's REST API says of a person.

It knows nothing of this site's tables. The settings GITHUB_API_URL, GITHUB_TOKEN and GITHUB_TIMEOUT are read when it is
called. What goes wrong is a GitHubError; its sentence names no account and quotes no answer, so it can be logged.

Source: GitHub REST API documentation, version 2022-11-28: users, repositories, search, rate limits.
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

__all__ = [
    "GitHubBusy",
    "GitHubError",
    "GitHubNameInvalid",
    "GitHubNotAPerson",
    "GitHubRejected",
    "GitHubUnavailable",
    "GitHubUserUnknown",
    "Profile",
    "fetch_profile",
]
