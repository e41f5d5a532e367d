"""Errors of requests to GitHub. No message names an account."""

from datetime import datetime


class GitHubError(Exception):
    """GitHub returned an error."""

    code = "github_error"

    def __init__(self, message: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(self.message)


class GitHubUserUnknown(GitHubError):
    """There is no such account on GitHub."""

    code = "unknown"


class GitHubNameInvalid(GitHubUserUnknown):
    """A GitHub name has letters, digits and single hyphens between them, 39 characters at most."""

    code = "name_invalid"


class GitHubNotAPerson(GitHubUserUnknown):
    """This GitHub account is an organisation's or a program's, not a person's."""

    code = "not_a_person"


class GitHubBusy(GitHubError):
    """GitHub's rate limit is reached.

    retry_at: aware datetime, the earliest time of the next request. is_stated: False if GitHub named no time; repeated
    retries should then back off.
    """

    code = "busy"

    def __init__(self, retry_at: datetime, *, is_stated: bool = True) -> None:
        self.retry_at = retry_at
        self.is_stated = is_stated
        super().__init__(f"GitHub's rate limit is reached until {retry_at:%Y-%m-%d %H:%M:%S %Z}.")


class GitHubUnavailable(GitHubError):
    """GitHub cannot be reached or does not answer as it should."""

    code = "unavailable"


class GitHubRejected(GitHubError):
    """GitHub does not accept the site's token."""

    code = "rejected"
