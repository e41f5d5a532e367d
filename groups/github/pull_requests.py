"""Pull requests: whether one was merged, with which head, and whether it was reverted since."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from groups.github.client import GitHubClient
from groups.github.errors import GitHubUnavailable

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
# Written by `git revert`, and by the button "Revert" of GitHub.
_REVERTS_COMMIT = re.compile(r"This reverts commit ([0-9a-f]{7,64})")
_REVERTS_REQUEST = re.compile(r"Reverts (?P<repository>[A-Za-z0-9-]+/[A-Za-z0-9._-]+)?#(?P<number>[1-9][0-9]*)\b")
# Commits that are searched for a revert: three pages of a hundred.
_PAGES = 3


@dataclass(frozen=True)
class PullRequestState:
    """is_merged, head: the head commit. reverted_by: the commit that reverted it since; "" if none did."""

    is_merged: bool
    head: str
    reverted_by: str = ""


def fetch_pull_request(repository: str, number: int) -> PullRequestState:
    """The state of a pull request. repository: `owner/name`.

    A commit that reverts the revert is followed. Raises GitHubUserUnknown if the site cannot see it, GitHubBusy,
    GitHubUnavailable, GitHubRejected.
    """
    with closing(GitHubClient()) as github:
        found = github.get(f"/repos/{repository}/pulls/{number}").data
        head = _sha(_object(found, "head").get("sha"))
        if _object(found).get("merged") is not True:
            return PullRequestState(is_merged=False, head=head)
        merged = _sha(found.get("merge_commit_sha"))
        base, since = _text(_object(found, "base").get("ref")), _text(found.get("merged_at"))
        messages: list[tuple[str, str]] = []
        for page in range(1, _PAGES + 1):
            query = urlencode({"sha": base, "since": since, "per_page": 100, "page": page})
            rows = github.get(f"/repos/{repository}/commits?{query}").data
            if not isinstance(rows, list):
                raise GitHubUnavailable("GitHub's answer cannot be read.")
            messages += [(_sha(row.get("sha")), _text(_object(row, "commit").get("message"))) for row in rows]
            if len(rows) < 100:
                break
        return PullRequestState(True, head, reverted_by(repository, number, (merged, head), messages[::-1]))


def reverted_by(repository: str, number: int, commits: tuple[str, str], messages: list[tuple[str, str]]) -> str:
    """The commit that undid a pull request. commits: of the merge and of its head. messages: later ones, by commit,
    oldest first.
    """
    undone = ""
    for commit, message in messages:
        shas = _REVERTS_COMMIT.findall(message)
        if undone:
            if any(undone.startswith(sha) for sha in shas):
                undone = ""
            continue
        requests = _REVERTS_REQUEST.findall(message)
        is_request = any(
            int(found) == number and (not of or of.lower() == repository.lower()) for of, found in requests
        )
        if is_request or any(each.startswith(sha) for each in commits for sha in shas):
            undone = commit
    return undone


def _object(value: Any, name: str = "") -> dict:
    found = value.get(name) if name and isinstance(value, dict) else value
    if not isinstance(found, dict):
        raise GitHubUnavailable("GitHub's answer cannot be read.")
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise GitHubUnavailable("GitHub's answer cannot be read.")
    return value


def _sha(value: Any) -> str:
    if not isinstance(value, str) or not _SHA.fullmatch(value):
        raise GitHubUnavailable("GitHub's answer cannot be read.")
    return value
