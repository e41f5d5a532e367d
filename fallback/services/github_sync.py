"""Fetches from GitHub what its webhook did not deliver: changed pull requests, their reviews, comments and checks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from fallback.models import GithubPullRequest, ProjectRepository
from fallback.models.choices import CommentKind, PullRequestState
from fallback.services.github import (
    apply_check_run,
    apply_comment,
    apply_pull_request,
    apply_review,
    moment,
    repository_path,
)
from fallback.services.pull_requests import is_at_github
from groups.github.client import GitHubClient
from groups.github.errors import GitHubBusy, GitHubError, GitHubUnavailable
from groups.models import Member
from missionsite.common.errors import DomainError

logger = logging.getLogger(__name__)

# Pages of 100 that are read of one list.
MOST_PAGES = 10
# Read again before the time of the last fetch, for clocks that differ.
OVERLAP = timedelta(minutes=10)
# Of a repository that was never fetched.
FIRST_PERIOD = timedelta(days=30)
_NEXT = 'rel="next"'


def reconcile_github(*, actor: Member, at: datetime | None = None) -> dict[str, int]:
    """Fetch what was missed of all repositories of active projects. Returns how many were fetched and how many failed.

    Does nothing without a secret of the webhook. An error is stored at its repository; a rate limit ends the run.
    """
    numbers = {"fetched": 0, "failed": 0}
    if not settings.FALLBACK_GITHUB_WEBHOOK_SECRETS:
        return numbers
    repositories = ProjectRepository.objects.filter(project__status="active").select_related("project")
    for repository in repositories.order_by("synced_at", "pk"):
        if not is_at_github(repository):
            continue
        try:
            reconcile_repository(actor=actor, repository=repository, at=at or timezone.now())
            numbers["fetched"] += 1
        except (GitHubError, DomainError, KeyError, TypeError, ValueError) as error:
            numbers["failed"] += 1
            reason = error if isinstance(error, GitHubError) else GitHubUnavailable()
            ProjectRepository.objects.filter(pk=repository.pk).update(sync_error=str(reason)[:1000])
            logger.warning("repository %s not fetched: %s", repository.pk, type(error).__name__)
            if isinstance(error, GitHubBusy):
                break
    return numbers


def reconcile_repository(*, actor: Member, repository: ProjectRepository, at: datetime) -> int:
    """Fetch the pull requests of a repository that changed since the last time. Returns how many belong to missions."""
    root = f"/repos/{repository_path(repository)}"
    since = repository.synced_at - OVERLAP if repository.synced_at else at - FIRST_PERIOD
    numbers = []
    for data in _rows(f"{root}/pulls?state=all&sort=updated&direction=desc"):
        changed_at = moment(data["updated_at"])
        if changed_at and changed_at < since:
            break
        if apply_pull_request(actor=actor, repository=repository, data=data):
            numbers.append(int(data["number"]))
    linked = GithubPullRequest.objects.filter(repository=repository)
    for each in linked.filter(number__in=numbers) | linked.filter(needs_sync=True) | _unfinished(linked):
        _fetch_parts(actor, root, each)
    ProjectRepository.objects.filter(pk=repository.pk).update(synced_at=at, sync_error="")
    return len(numbers)


def _unfinished(linked: Any) -> Any:
    """Open pull requests: their checks change without the pull request being changed."""
    return linked.filter(state=PullRequestState.OPEN)


def _fetch_parts(actor: Member, root: str, pull_request: GithubPullRequest) -> None:
    number = pull_request.number
    for data in _rows(f"{root}/pulls/{number}/reviews"):
        apply_review(actor=actor, pull_request=pull_request, data=data)
    for kind, path in ((CommentKind.CONVERSATION, "issues"), (CommentKind.LINE, "pulls")):
        for data in _rows(f"{root}/{path}/{number}/comments"):
            apply_comment(actor=actor, pull_request=pull_request, kind=kind, data=data)
    if pull_request.head_sha:
        for data in _rows(f"{root}/commits/{pull_request.head_sha}/check-runs", inside="check_runs"):
            apply_check_run(actor=actor, pull_request=pull_request, data=data)
    GithubPullRequest.objects.filter(pk=pull_request.pk, head_sha=pull_request.head_sha).update(needs_sync=False)


def _rows(path: str, *, inside: str = "") -> Iterator[dict]:
    """The rows of a list, page by page. inside: the name of the list in an object."""
    path = f"{path}{'&' if '?' in path else '?'}per_page=100"
    for number in range(1, MOST_PAGES + 1):
        with closing(GitHubClient()) as client:
            response = client.get(f"{path}&page={number}")
        rows = response.data[inside] if inside else response.data
        if not isinstance(rows, list):
            raise GitHubUnavailable("GitHub's answer cannot be read.")
        yield from rows
        if _NEXT not in response.headers.get("Link", ""):
            return
