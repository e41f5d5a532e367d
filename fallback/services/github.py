"""Pull requests as GitHub reports them: by webhook deliveries, and by a job that fetches what was missed.

Both bring the same objects of GitHub's REST API, in any order and any number of times. Pull requests of a project are
changed under the lock of its board, one after the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from fallback.models import (
    GithubCheckRun,
    GithubDelivery,
    GithubPrComment,
    GithubPrReview,
    GithubPullRequest,
    Mission,
    ProjectRepository,
)
from fallback.models.choices import CommentKind, DeliveryOutcome, List, OnMerge, PrReviewState, PullRequestState
from fallback.services.locks import lock_board, lock_rows
from fallback.services.missions import move_mission
from fallback.services.pull_requests import is_repository
from groups.models import Member
from missionsite.common.audit.context import set_audit_context
from missionsite.common.audit.events import audit
from missionsite.common.transactions import service

# GitHub's own name for accounts that no longer exist. A row with it was erased, and stays so.
GHOST = "ghost"
# Characters of a comment or review: more than GitHub accepts (65,536).
BODY_LENGTH = 100_000
_KEY = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"
_TRAILER = re.compile(rf"^Mission-Id:[ \t]*({_KEY})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_IN_BRANCH = re.compile(rf"(?<![0-9A-Za-z])({_KEY})(?![0-9A-Za-z])", re.IGNORECASE)
# What PostgreSQL cannot store, and line breaks and other control characters.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029]+")


@service
def receive_delivery(*, actor: Member, delivery: str, event: str, payload: Mapping[str, Any]) -> str:
    """Apply a delivery of the webhook once. Returns its outcome: `applied`, `ignored`, or `repeated` without an effect.

    Raises KeyError, TypeError or ValueError for a payload without the documented fields; it can then be sent again.
    """
    set_audit_context(actor)
    with connection.cursor() as cursor:
        # A concurrent delivery of this ID waits for the end of this transaction.
        cursor.execute(
            "INSERT INTO github_deliveries (id, event, action, outcome) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (id) DO NOTHING RETURNING id",
            [delivery, event, line(payload.get("action"), 64), DeliveryOutcome.IGNORED],
        )
        if cursor.fetchone() is None:
            return "repeated"
    apply = _EVENTS.get(event)
    if apply is None or not apply(actor, payload):
        return DeliveryOutcome.IGNORED
    GithubDelivery.objects.filter(pk=delivery).update(outcome=DeliveryOutcome.APPLIED)
    return DeliveryOutcome.APPLIED


@service
def apply_pull_request(*, actor: Member, repository: ProjectRepository, data: Mapping[str, Any]) -> bool:
    """Store the state of a pull request, linked to its mission. Returns False if it belongs to no mission.

    A merge moves the mission once, as its project says. A state older than the stored one changes nothing.
    """
    set_audit_context(actor)
    lock_rows()
    lock_board(repository.project_id)
    number, changed_at = int(data["number"]), moment(data["updated_at"])
    values: dict[str, Any] = {
        "title": line(data["title"], 500) or f"#{number}",
        "branch": line(data["head"]["ref"], 255),
        "head_sha": line(data["head"]["sha"], 64),
        "author": login(data.get("user")),
        "is_draft": bool(data.get("draft")),
        "merged_at": moment(data.get("merged_at")),
        "state": state_of(data),
        "github_updated_at": changed_at,
    }
    found = GithubPullRequest.objects.filter(repository=repository, number=number).select_for_update().first()
    if found is None:
        mission = mission_of(repository, values["branch"], str(data.get("body") or ""))
        if mission is None:
            return False
        found = _link(actor, mission, repository, number, values)
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
        GithubPrReview.objects.filter(pull_request=pull_request, github_id=int(data["id"])),
        {"pull_request": pull_request, "github_id": int(data["id"])},
        values,
        keep=lambda row: {"state": row.state} if row.state == PrReviewState.DISMISSED else {},
    )


@service
def apply_comment(
    *, actor: Member, pull_request: GithubPullRequest, kind: str, data: Mapping[str, Any], deleted: bool = False
) -> GithubPrComment:
    """Store a comment, or that it was deleted. kind: of CommentKind. A deleted one does not come back."""
    key = {"pull_request": pull_request, "kind": kind, "github_id": int(data["id"])}
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

    return _store(GithubPrComment.objects.filter(**key), key, values, keep=keep)


@service
def apply_check_run(*, actor: Member, pull_request: GithubPullRequest, data: Mapping[str, Any]) -> GithubCheckRun:
    """Store a check. A completed one is only replaced by a later result."""
    key = {"pull_request": pull_request, "github_id": int(data["id"])}
    values: dict[str, Any] = {
        "name": line(data["name"], 255),
        "status": line(data["status"], 64),
        "conclusion": line(data.get("conclusion"), 64),
        "head_sha": line(data["head_sha"], 64),
        "url": line(data.get("html_url"), 500),
        "started_at": moment(data.get("started_at")),
        "completed_at": moment(data.get("completed_at")),
    }

    def keep(row: GithubCheckRun) -> dict[str, Any]:
        done, now = row.completed_at, values["completed_at"]
        return {name: getattr(row, name) for name in values} if done and (now is None or now < done) else {}

    return _store(GithubCheckRun.objects.filter(**key), key, values, keep=keep)


def mission_of(repository: ProjectRepository, branch: str, body: str) -> Mission | None:
    """The mission of a pull request: by the trailer `Mission-Id` of its text, its ID in the branch, or its branch."""
    missions = Mission.objects.filter(project=repository.project_id)
    for keys in (_TRAILER.findall(body), _IN_BRANCH.findall(branch)):
        if keys and (found := missions.filter(pk=keys[-1].upper()).first()):
            return found
    named = list(missions.filter(pr_branch_name=branch, repository=repository)[:2]) if branch else []
    return named[0] if len(named) == 1 else None


def repositories_of(name: str) -> QuerySet[ProjectRepository]:
    """The repositories of active projects with this `owner/name`."""
    return ProjectRepository.objects.filter(is_repository(name), project__status="active").select_related("project")


def state_of(data: Mapping[str, Any]) -> PullRequestState:
    if data.get("merged") or data.get("merged_at"):
        return PullRequestState.MERGED
    return PullRequestState.OPEN if data["state"] == "open" else PullRequestState.CLOSED


# --- Events of the webhook ---------------------------------------------------------------------


def _repositories(payload: Mapping[str, Any]) -> list[ProjectRepository]:
    return list(repositories_of(str(payload["repository"]["full_name"])).order_by("pk"))


def _pull_requests(payload: Mapping[str, Any], number: int) -> list[GithubPullRequest]:
    rows = GithubPullRequest.objects.filter(repository__in=_repositories(payload), number=number)
    return list(rows.order_by("pk"))


def _on_pull_request(actor: Member, payload: Mapping[str, Any]) -> bool:
    found = [
        apply_pull_request(actor=actor, repository=repository, data=payload["pull_request"])
        for repository in _repositories(payload)
    ]
    return any(found)


def _on_review(actor: Member, payload: Mapping[str, Any]) -> bool:
    _on_pull_request(actor, payload)
    found = _pull_requests(payload, int(payload["pull_request"]["number"]))
    for each in found:
        apply_review(actor=actor, pull_request=each, data=payload["review"])
    return bool(found)


def _on_comment(actor: Member, payload: Mapping[str, Any]) -> bool:
    if "pull_request" in payload:
        _on_pull_request(actor, payload)
        number, kind = payload["pull_request"]["number"], CommentKind.LINE
    elif payload["issue"].get("pull_request"):
        number, kind = payload["issue"]["number"], CommentKind.CONVERSATION
    else:
        return False
    found = _pull_requests(payload, int(number))
    for each in found:
        deleted = payload["action"] == "deleted"
        apply_comment(actor=actor, pull_request=each, kind=kind, data=payload["comment"], deleted=deleted)
    return bool(found)


def _on_check_run(actor: Member, payload: Mapping[str, Any]) -> bool:
    data = payload["check_run"]
    numbers = [int(each["number"]) for each in data.get("pull_requests") or ()]
    rows = GithubPullRequest.objects.filter(repository__in=_repositories(payload))
    # Without numbers for a pull request from a fork.
    rows = rows.filter(number__in=numbers) if numbers else rows.filter(head_sha=str(data["head_sha"]))
    found = list(rows.order_by("pk"))
    for each in found:
        apply_check_run(actor=actor, pull_request=each, data=data)
    return bool(found)


_EVENTS: dict[str, Callable[[Member, Mapping[str, Any]], bool]] = {
    "pull_request": _on_pull_request,
    "pull_request_review": _on_review,
    "pull_request_review_comment": _on_comment,
    "issue_comment": _on_comment,
    "check_run": _on_check_run,
}


# --- Parts -------------------------------------------------------------------------------------


def _link(
    actor: Member, mission: Mission, repository: ProjectRepository, number: int, values: Mapping[str, Any]
) -> GithubPullRequest:
    linked = GithubPullRequest.objects.create(
        mission=mission,
        repository=repository,
        number=number,
        title=values["title"],
        branch=values["branch"],
        url=f"https://github.com/{repository_path(repository)}/pull/{number}",
    )
    missing = {"pr_branch_name": values["branch"], "github_pr_number": number}
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


def _store(rows: QuerySet[Any], key: Mapping[str, Any], values: dict[str, Any], *, keep: Callable[[Any], dict]) -> Any:
    """Add or change the row of an object of GitHub. keep: returns the values of the row that stay."""
    lock_rows()
    model = rows.model
    # Serialises deliveries about one pull request.
    GithubPullRequest.objects.lock(key["pull_request"].pk, no_key=True)
    row = rows.first()
    if row is None:
        return model.objects.create(**key, **values)
    values |= keep(row)
    if getattr(row, "author", "") == GHOST:
        values |= {"author": GHOST, "body": row.body}
    for name, value in values.items():
        setattr(row, name, value)
    row.save(update_fields=list(values))
    return row


def moment(value: Any) -> datetime | None:
    """A time of GitHub, such as 2026-11-20T09:30:00Z; None for none. Raises ValueError for anything else."""
    if value is None:
        return None
    found = parse_datetime(str(value))
    if found is None or timezone.is_naive(found):
        raise ValueError("not a time")
    return found


def line(value: Any, longest: int) -> str:
    """A text of GitHub as one line that can be stored."""
    return _CONTROL.sub(" ", _UNSTORABLE.sub("\ufffd", str(value or "")))[:longest].strip()


def text(value: Any) -> str:
    """A text of GitHub that can be stored."""
    return _UNSTORABLE.sub("\ufffd", str(value or ""))[:BODY_LENGTH]


def login(user: Any) -> str:
    """The name of an account; GitHub sends none for a deleted one."""
    return line(user.get("login"), 255) if isinstance(user, Mapping) else GHOST
