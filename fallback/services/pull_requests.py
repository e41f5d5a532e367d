"""Pull requests of missions. Other apps call missionsite.common.interfaces.link_pull_request()."""

from __future__ import annotations

import re
from typing import NamedTuple

from django.db.models import Q

from fallback.errors import MissionOfPullRequestNotFound, PullRequestUrlInvalid, RepositoryNotFound
from fallback.models import GithubPullRequest, Mission, ProjectRepository
from fallback.services.locks import lock_rows
from groups.models import Member
from missionsite.common.audit.events import audit
from missionsite.common.errors import violated
from missionsite.common.transactions import service

# Names of owners and repositories, and the number, which an integer column takes.
# Source: GitHub documentation, "About pull requests"; the rest of the address (files, commits) does not matter.
_ADDRESS = re.compile(
    r"https://github\.com/(?P<owner>[A-Za-z0-9-]{1,39})/(?P<name>[A-Za-z0-9._-]{1,100})/pull/(?P<number>[1-9]\d{0,8})"
    r"(?:[/?#].*)?"
)


class PullRequest(NamedTuple):
    """A pull request of GitHub. repository: `owner/name`."""

    repository: str
    number: int

    @property
    def url(self) -> str:
        return f"https://github.com/{self.repository}/pull/{self.number}"


def parse_pull_request(url: str) -> PullRequest:
    """Return the pull request of an address such as https://github.com/acme/site/pull/7, or raise
    PullRequestUrlInvalid.
    """
    found = _ADDRESS.fullmatch(url.strip())
    if found is None:
        raise PullRequestUrlInvalid
    return PullRequest(f"{found['owner']}/{found['name']}", int(found["number"]))


def address_of(repository: ProjectRepository, number: int) -> str:
    """The address of a pull request of a repository at GitHub. Raises PullRequestUrlInvalid for one elsewhere."""
    root = repository.url.rstrip("/") if repository.url else f"https://github.com/{repository.name}"
    return parse_pull_request(f"{root.removesuffix('.git')}/pull/{number}").url


def is_at_github(repository: ProjectRepository) -> bool:
    """Whether pull requests of a repository have an address at GitHub."""
    try:
        return bool(address_of(repository, 1))
    except PullRequestUrlInvalid:
        return False


@service
def link_pull_request(
    *, actor: Member, url: str, mission: Mission | None = None, title: str = "", branch: str = ""
) -> GithubPullRequest:
    """Link a pull request to a mission, and return the link; do nothing if it is linked already.

    mission: by default the one that names this repository and number. Raises PullRequestUrlInvalid,
    MissionOfPullRequestNotFound, RepositoryNotFound if the project does not have the repository, and the error of the
    constraint if another mission has the pull request.
    """
    given = parse_pull_request(url)
    lock_rows()
    if mission is None:
        mission = Mission.objects.filter(
            is_repository(given.repository, "repository__"), github_pr_number=given.number
        ).first()
        if mission is None:
            raise MissionOfPullRequestNotFound
    # The lock makes links of a mission sequential, so that repeating one finds it.
    mission = Mission.objects.lock(mission.pk, "project", no_key=True)
    repository = ProjectRepository.objects.filter(is_repository(given.repository), project=mission.project).first()
    if repository is None:
        raise RepositoryNotFound
    linked = GithubPullRequest.objects.filter(repository=repository, number=given.number).first()
    if linked:
        if linked.mission_id != mission.pk:
            raise violated("github_pull_requests_once")
        return linked
    linked = GithubPullRequest.objects.create(
        mission=mission,
        repository=repository,
        number=given.number,
        title=title or f"{given.repository}#{given.number}",
        branch=branch,
        url=given.url,
    )
    audit(
        "pull_request.linked",
        actor=actor,
        project=mission.project,
        mission=mission.pk,
        title=mission.title,
        url=linked.url,
    )
    return linked


def is_repository(name: str, path: str = "") -> Q:
    """The filter of repositories by `owner/name`, which GitHub compares without case."""
    return Q(**{f"{path}name__iexact": name}) | Q(**{f"{path}url__iexact": f"https://github.com/{name}"})
