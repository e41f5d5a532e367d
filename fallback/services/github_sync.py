"""Fetches from GitHub what its webhook did not deliver: changed pull requests, their reviews, comments and checks."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from fallback.models import GithubPullRequest, ProjectRepository
from fallback.models.choices import CommentKind, PullRequestState
from fallback.services.github import (
    apply_check_run,
    apply_comment,
    apply_pull_request,
    apply_review,
    repository_path,
)
from fallback.services.github_values import UNREADABLE, moment
from fallback.services.pull_requests import is_at_github
from groups.github.client import GitHubClient
from groups.github.errors import GitHubBusy, GitHubError, GitHubUnavailable
from groups.models import Member
from missionsite.common.errors import DomainError

logger = logging.getLogger(__name__)

# Pages of 100 that are read of one list.
MOST_PAGES = 100
# Bytes of one page: a pull request has up to 25,000 without its text, a comment up to 65,536 characters.
MOST_BYTES = 50_000_000
# Read again before the time of the last fetch, for clocks that differ.
OVERLAP = timedelta(minutes=10)
# Of a repository that was never fetched.
FIRST_PERIOD = timedelta(days=30)


def reconcile_github(*, actor: Member, at: datetime | None = None) -> dict[str, int]:
    """Fetch what was missed of all repositories of active projects. Returns how many were fetched and how many failed.

    Only of organisations with a webhook: all if the site has one. An error is stored at its repository. A rate limit,
    which is one of the site's token, ends the run, and there is no other before it ends.
    """
    at = at or timezone.now()
    numbers = {"fetched": 0, "failed": 0}
    repositories = ProjectRepository.objects.filter(project__status="active").select_related("project")
    if ProjectRepository.objects.filter(sync_retry_at__gt=at).exists():
        return numbers
    if not settings.FALLBACK_GITHUB_WEBHOOK_SECRETS:
        repositories = repositories.filter(project__organization__github_secret_version__gt=0)
    for repository in repositories.order_by(F("synced_at").asc(nulls_first=True), "pk"):
        if not is_at_github(repository):
            continue
        try:
            reconcile_repository(actor=actor, repository=repository, at=at)
            numbers["fetched"] += 1
        except (GitHubError, DomainError, *UNREADABLE) as error:
            numbers["failed"] += 1
            reason = error if isinstance(error, GitHubError) else GitHubUnavailable()
            ProjectRepository.objects.filter(pk=repository.pk).update(
                sync_error=str(reason)[:1000], sync_retry_at=error.retry_at if isinstance(error, GitHubBusy) else None
            )
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
    ProjectRepository.objects.filter(pk=repository.pk).update(synced_at=at, sync_error="", sync_retry_at=None)
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
    """The rows of a list, page by page, as GitHub links them. inside: the name of the list in an object."""
    here = f"{path}{'&' if '?' in path else '?'}per_page=100"
    for _page in range(MOST_PAGES):
        # One client a page, because its time limit is that of all its requests.
        with closing(GitHubClient(max_body=MOST_BYTES)) as client:
            response = client.get(here)
            here = client.next_page(response)
        rows = response.data[inside] if inside else response.data
        if not isinstance(rows, list):
            raise GitHubUnavailable("GitHub's answer cannot be read.")
        yield from rows
        if not here:
            return
    raise GitHubUnavailable(f"GitHub's list has more than {MOST_PAGES} pages.")
