"""Pull requests as GitHub reports them: by webhook deliveries, and by a job that fetches what was missed.

Both bring the same objects of GitHub's REST API, in any order and any number of times. Pull requests of a project are
changed under the lock of its board, one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from fallback.models import (
    GithubCheckRun,
    GithubPrComment,
    GithubPrReview,
    GithubPullRequest,
    Mission,
    ProjectRepository,
)
from fallback.models.choices import List, OnMerge, PrReviewState, PullRequestState
from fallback.services.github_values import GHOST, address, commit, key, line, login, moment, number, state_of, text
from fallback.services.locks import lock_board, lock_rows
from fallback.services.missions import move_mission
from groups.models import Member
from missionsite.common.audit.context import set_audit_context
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service

_KEY = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"
_TRAILER = re.compile(rf"^Mission-Id:[ \t]*({_KEY})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_IN_BRANCH = re.compile(rf"(?<![0-9A-Za-z])({_KEY})(?![0-9A-Za-z])", re.IGNORECASE)


@service
def apply_pull_request(*, actor: Member, repository: ProjectRepository, data: Mapping[str, Any]) -> bool:
    """Store the state of a pull request, linked to its mission. Returns False if it belongs to no mission.

    A merge moves the mission once, as its project says. A state older than the stored one changes nothing.
    """
    set_audit_context(actor)
    lock_rows()
    lock_board(repository.project_id)
    own_number, changed_at = number(data["number"]), moment(data["updated_at"])
    values: dict[str, Any] = {
        "title": line(data["title"], 500) or f"#{own_number}",
        "branch": line(data["head"]["ref"], 255),
        "head_sha": commit(data["head"]["sha"]),
        "author": login(data.get("user")),
        "is_draft": bool(data.get("draft")),
        "merged_at": moment(data.get("merged_at")),
        "state": state_of(data),
        "github_updated_at": changed_at,
    }
    found = _lock_pull_request(repository, own_number)
    if found is None:
        mission = mission_of(repository, values["branch"], text(data.get("body")))
        if mission is None:
            return False
        found = _link(actor, mission, repository, own_number, values)
    elif found.author == GHOST:
        values |= {"author": GHOST, "title": found.title}
    was = found.state
    if found.github_updated_at and changed_at and changed_at < found.github_updated_at:
        return True
    if was == PullRequestState.MERGED:
        values |= {"state": was, "merged_at": found.merged_at}
    if found.head_sha != values["head_sha"]:
        found.needs_sync = True
    for name, value in values.items():
        setattr(found, name, value)
    found.save(update_fields=[*values, "needs_sync"])
    if found.state == PullRequestState.MERGED and was != found.state:
        _move_merged(actor, repository, found)
    return True


@service
def apply_review(*, actor: Member, pull_request: GithubPullRequest, data: Mapping[str, Any]) -> GithubPrReview:
    """Store a review. A dismissed one stays dismissed."""
    state = str(data["state"]).lower()
    values = {
        "author": login(data.get("user")),
        "state": state if state in PrReviewState.values else PrReviewState.COMMENTED,
        "body": text(data.get("body")),
        "submitted_at": moment(data.get("submitted_at")) or timezone.now(),
    }
    return _store(
        GithubPrReview.objects.filter(pull_request=pull_request, github_id=key(data["id"])),
        {"pull_request": pull_request, "github_id": key(data["id"])},
        values,
        keep=lambda row: {"state": row.state} if row.state == PrReviewState.DISMISSED else {},
    )


@service
def apply_comment(
    *, actor: Member, pull_request: GithubPullRequest, kind: str, data: Mapping[str, Any], deleted: bool = False
) -> GithubPrComment:
    """Store a comment, or that it was deleted. kind: of CommentKind. A deleted one does not come back."""
    row_key = {"pull_request": pull_request, "kind": kind, "github_id": key(data["id"])}
    changed_at = moment(data.get("updated_at"))
    values = {
        "author": login(data.get("user")),
        "body": "" if deleted else text(data.get("body")),
        "created_at": moment(data.get("created_at")) or timezone.now(),
        "github_updated_at": changed_at,
        "deleted_at": timezone.now() if deleted else None,
    }

    def keep(row: GithubPrComment) -> dict[str, Any]:
        if row.deleted_at:
            return {"body": "", "deleted_at": row.deleted_at}
        is_older = not deleted and row.github_updated_at and changed_at and changed_at < row.github_updated_at
        return {"body": row.body, "github_updated_at": row.github_updated_at} if is_older else {}

    return _store(GithubPrComment.objects.filter(**row_key), row_key, values, keep=keep)


@service
def apply_check_run(*, actor: Member, pull_request: GithubPullRequest, data: Mapping[str, Any]) -> GithubCheckRun:
    """Store a check. A completed one is only replaced by a later result, or once it was started again."""
    row_key = {"pull_request": pull_request, "github_id": key(data["id"])}
    values: dict[str, Any] = {
        "name": line(data["name"], 255) or "-",
        "status": line(data["status"], 64),
        "conclusion": line(data.get("conclusion"), 64),
        "head_sha": commit(data["head_sha"]),
        "url": address(data.get("html_url")),
        "started_at": moment(data.get("started_at")),
        "completed_at": moment(data.get("completed_at")),
    }

    def keep(row: GithubCheckRun) -> dict[str, Any]:
        done, now, started = row.completed_at, values["completed_at"], values["started_at"]
        is_older = done and (now is None or now < done) and not (now is None and started and started > done)
        return {name: getattr(row, name) for name in values} if is_older else {}

    return _store(GithubCheckRun.objects.filter(**row_key), row_key, values, keep=keep)


def mission_of(repository: ProjectRepository, branch: str, body: str) -> Mission | None:
    """The mission of a pull request: by the trailer `Mission-Id` of its text, its ID in the branch, or its branch."""
    missions = Mission.objects.filter(project=repository.project_id)
    for keys in (_TRAILER.findall(body), _IN_BRANCH.findall(branch)):
        if keys and (found := missions.filter(pk=keys[-1].upper()).first()):
            return found
    named = list(missions.filter(pr_branch_name=branch, repository=repository)[:2]) if branch else []
    return named[0] if len(named) == 1 else None


# --- Parts -------------------------------------------------------------------------------------


def _lock_pull_request(repository: ProjectRepository, own_number: int) -> GithubPullRequest | None:
    return GithubPullRequest.objects.filter(repository=repository, number=own_number).select_for_update().first()


def _link(
    actor: Member, mission: Mission, repository: ProjectRepository, own_number: int, values: Mapping[str, Any]
) -> GithubPullRequest:
    linked = GithubPullRequest.objects.create(
        mission=mission,
        repository=repository,
        number=own_number,
        title=values["title"],
        branch=values["branch"],
        url=f"https://github.com/{repository_path(repository)}/pull/{own_number}",
    )
    missing = {"pr_branch_name": values["branch"], "github_pr_number": own_number}
    changes = {name: value for name, value in missing.items() if not getattr(mission, name)}
    if changes:
        Mission.objects.filter(pk=mission.pk).update(**changes)
    audit(
        "pull_request.linked",
        actor=actor,
        project=repository.project,
        mission=mission.pk,
        title=mission.title,
        url=linked.url,
    )
    return linked


def repository_path(repository: ProjectRepository) -> str:
    """`owner/name` of a repository at GitHub."""
    root = repository.url.removeprefix("https://github.com/").strip("/").removesuffix(".git")
    return root if repository.url.startswith("https://github.com/") else repository.name


def _move_merged(actor: Member, repository: ProjectRepository, merged: GithubPullRequest) -> None:
    """Move the mission of a merged pull request as its project says, unless another one of it is open."""
    project = repository.project
    mission = Mission.objects.lock(merged.mission_id, no_key=True)
    audit("pull_request.merged", actor=actor, project=project, mission=mission.pk, title=mission.title, url=merged.url)
    if project.on_merge == OnMerge.NOTHING or mission.list == List.DONE:
        return
    if mission.pull_requests.filter(state=PullRequestState.OPEN).exists():
        return
    needs_review = mission.requires_review and mission.review_status != "approved"
    to = List.REVIEW if needs_review or project.on_merge == OnMerge.REVIEW else List.DONE
    if mission.list != to:
        move_mission(actor=actor, mission=mission, to=to)


def _store(
    rows: QuerySet[Any], row_key: Mapping[str, Any], values: dict[str, Any], *, keep: Callable[[Any], dict]
) -> Any:
    """Add or change the row of an object of GitHub. keep: returns the values of the row that stay."""
    lock_rows()
    model = rows.model
    # Serialises deliveries about one pull request.
    GithubPullRequest.objects.lock(row_key["pull_request"].pk, no_key=True)
    row = rows.first()
    if row is None:
        return model.objects.create(**row_key, **values)
    values |= keep(row)
    if getattr(row, "author", "") == GHOST:
        values |= {"author": GHOST, "body": row.body}
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))
    return row
