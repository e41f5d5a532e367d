"""Public profiles. Every value of a response is checked."""

from __future__ import annotations

import re
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from groups.github.client import GitHubClient
from groups.github.errors import GitHubNameInvalid, GitHubNotAPerson, GitHubUnavailable

# GitHub's own rule: letters, digits and single hyphens between them, 39 characters at most.
_USERNAME = re.compile(r"(?=.{1,39}\Z)[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_WEB_ADDRESS = re.compile(r"https?://[!-~]{1,240}")
_TOO_MANY = 10**12  # of anything
MAX_PAGES = 30  # of a hundred repositories
# The public texts that a person can edit.
_PUBLIC_TEXTS = ("bio", "company", "blog", "location")


@dataclass(frozen=True)
class Profile:
    """The public profile of a person on GitHub.

    login: as GitHub spells it. data: public_repos, followers, total_stars, contributions_last_year (commits, issues and
    pull requests), html_url, created_at, fetched_at (ISO 8601), and incomplete, the names of figures that are too low
    because GitHub returned no more. code_found: whether a public text contains the verification code.
    """

    login: str
    data: dict[str, Any]
    code_found: bool


def fetch_profile(username: str, *, code: str | None = None) -> Profile:
    """Fetch a person's public profile.

    code: the verification code to look for in bio, company, blog and location, in any case; not found if left out.
    Takes GITHUB_TIMEOUT seconds at most, plus the time to resolve the host's name.
    Raises GitHubUserUnknown, GitHubNameInvalid, GitHubNotAPerson, GitHubBusy (carries retry_at), GitHubUnavailable,
    GitHubRejected.
    """
    if not _USERNAME.fullmatch(username):
        raise GitHubNameInvalid
    now = datetime.now(UTC)
    with closing(GitHubClient()) as github:
        user = github.get(f"/users/{username}").data
        if _read(user, "type", str) != "User":
            raise GitHubNotAPerson
        # The current name: an old name redirects to the renamed account.
        login = _text(user, "login", _USERNAME)
        incomplete: list[str] = []
        data = {
            "public_repos": _count(user, "public_repos"),
            "followers": _count(user, "followers"),
            "html_url": _text(user, "html_url", _WEB_ADDRESS),
            "created_at": _instant(user, "created_at"),
            "fetched_at": now.isoformat(timespec="seconds"),
            "incomplete": incomplete,
        }
        code_found = _contains_code(code, user)
        for name, (figure, is_whole) in (
            ("total_stars", _stars(github, login)),
            ("contributions_last_year", _contributions(github, login, since=now - timedelta(days=365))),
        ):
            data[name] = figure
            if not is_whole:
                incomplete.append(name)
    return Profile(login=login, data=data, code_found=code_found)


def _stars(github: GitHubClient, login: str) -> tuple[int, bool]:
    """Return the stars of all repositories of an account, and whether all pages were read."""
    here = f"/users/{login}/repos?{urlencode({'per_page': 100, 'type': 'owner'})}"
    # By id: a repository that moves to the next page meanwhile is counted once.
    stars = {}
    for _page in range(MAX_PAGES):
        answer = github.get(here)
        if not isinstance(answer.data, list):
            raise GitHubUnavailable("GitHub's list of repositories is not a list.")
        for repository in answer.data:
            stars[_count(repository, "id")] = _count(repository, "stargazers_count")
        here = github.next_page(answer)
        if not here:
            return sum(stars.values()), True
    return sum(stars.values()), False


def _contributions(github: GitHubClient, login: str, *, since: datetime) -> tuple[int, bool]:
    """Return the number of public commits, issues and pull requests since a day, and whether it is complete."""
    # GitHub searches for issues or for pull requests, and rejects a search for both.
    searches = (
        ("commits", f"author:{login} author-date:>={since:%Y-%m-%d}"),
        ("issues", f"author:{login} created:>={since:%Y-%m-%d} is:issue"),
        ("issues", f"author:{login} created:>={since:%Y-%m-%d} is:pull-request"),
    )
    total, all_counted = 0, True
    for kind, terms in searches:
        answer = github.get(f"/search/{kind}?{urlencode({'q': terms, 'per_page': 1})}", accept=(200, 422))
        # 422: the person hides their activity from searches.
        if answer.status == 422:
            all_counted = False
            continue
        total += _count(answer.data, "total_count")
        all_counted = all_counted and not _read(answer.data, "incomplete_results", bool)
    return total, all_counted


def _contains_code(code: str | None, user: dict) -> bool:
    # Always read, so that a text of another type raises.
    texts = [_read(user, name, str) for name in _PUBLIC_TEXTS if user.get(name) is not None]
    if not code:
        return False
    pattern = re.compile(rf"(?<![A-Za-z0-9]){re.escape(code)}(?![A-Za-z0-9])", re.IGNORECASE)
    return any(pattern.search(text) for text in texts)


def _read(data: Any, name: str, kind: type) -> Any:
    value = data.get(name) if isinstance(data, dict) else None
    # The exact type: in Python, True is an int.
    if type(value) is not kind:
        raise GitHubUnavailable(f"GitHub's answer has no usable {name}.")
    return value


def _count(data: Any, name: str) -> int:
    value = _read(data, name, int)
    if not 0 <= value < _TOO_MANY:
        raise GitHubUnavailable(f"GitHub's answer has no usable {name}.")
    return value


def _text(data: Any, name: str, form: re.Pattern) -> str:
    value = _read(data, name, str)
    if not form.fullmatch(value):
        raise GitHubUnavailable(f"GitHub's answer has no usable {name}.")
    return value


def _instant(data: Any, name: str) -> str:
    with suppress(ValueError):
        value = datetime.fromisoformat(_read(data, name, str))
        if value.tzinfo:
            return value.isoformat()
    raise GitHubUnavailable(f"GitHub's answer has no usable {name}.")
