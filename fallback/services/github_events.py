"""Applies deliveries of GitHub's webhook, of the site or of one organisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from fallback.models import GithubDelivery, GithubPullRequest, Organization, ProjectRepository
from fallback.models.choices import CommentKind, DeliveryOutcome
from fallback.services.github import apply_check_run, apply_comment, apply_pull_request, apply_review
from fallback.services.github_values import commit, line, number
from fallback.services.pull_requests import is_repository
from groups.models import Member
from missionsite.common.audit.context import set_audit_context
from missionsite.common.interfaces import check_pull_requests
from missionsite.common.transactions import service


class Delivery(NamedTuple):
    """A delivery. organization: the only one whose projects it may change; None for all."""

    actor: Member
    payload: Mapping[str, Any]
    organization: Organization | None

    def repositories(self) -> list[ProjectRepository]:
        """The repositories of active projects that the delivery is about."""
        name = line(self.payload["repository"]["full_name"], 255)
        rows = ProjectRepository.objects.filter(is_repository(name), project__status="active")
        if self.organization:
            rows = rows.filter(project__organization=self.organization)
        return list(rows.select_related("project").order_by("pk"))

    def pull_requests(self) -> QuerySet[GithubPullRequest]:
        return GithubPullRequest.objects.filter(repository__in=self.repositories()).order_by("pk")


@service
def receive_delivery(
    *,
    actor: Member,
    delivery: str,
    event: str,
    payload: Mapping[str, Any],
    organization: Organization | None = None,
) -> str:
    """Apply a delivery of the webhook once. Returns its outcome: `applied`, `ignored`, or `repeated` without an effect.

    organization: the one whose secret signed it; None for the site's. Raises an error of github_values.UNREADABLE for
    a payload without the documented fields; it can then be sent again.
    """
    set_audit_context(actor)
    with connection.cursor() as cursor:
        # A concurrent delivery of this ID waits for the end of this transaction.
        cursor.execute(
            "INSERT INTO github_deliveries (id, event, action, outcome) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (id) DO NOTHING RETURNING id",
            [delivery, event, line(str(payload.get("action") or ""), 64), DeliveryOutcome.IGNORED],
        )
        if cursor.fetchone() is None:
            return "repeated"
    given, apply = Delivery(actor, payload, organization), _EVENTS.get(event)
    is_applied = apply is not None and apply(given)
    if event in _CHANGES and _check_evidence(given):
        is_applied = True
    if not is_applied:
        return DeliveryOutcome.IGNORED
    GithubDelivery.objects.filter(pk=delivery).update(outcome=DeliveryOutcome.APPLIED)
    return DeliveryOutcome.APPLIED


def _on_pull_request(given: Delivery) -> bool:
    data = given.payload["pull_request"]
    found = [
        apply_pull_request(actor=given.actor, repository=repository, data=data) for repository in given.repositories()
    ]
    return any(found)


def _on_review(given: Delivery) -> bool:
    _on_pull_request(given)
    found = list(given.pull_requests().filter(number=number(given.payload["pull_request"]["number"])))
    for each in found:
        apply_review(actor=given.actor, pull_request=each, data=given.payload["review"])
    return bool(found)


def _on_comment(given: Delivery) -> bool:
    payload = given.payload
    if "pull_request" in payload:
        _on_pull_request(given)
        subject, kind = payload["pull_request"], CommentKind.LINE
    elif payload["issue"].get("pull_request"):
        subject, kind = payload["issue"], CommentKind.CONVERSATION
    else:
        return False
    found = list(given.pull_requests().filter(number=number(subject["number"])))
    for each in found:
        deleted = payload["action"] == "deleted"
        apply_comment(actor=given.actor, pull_request=each, kind=kind, data=payload["comment"], deleted=deleted)
    return bool(found)


def _on_check_run(given: Delivery) -> bool:
    data = given.payload["check_run"]
    found = list(_checked(given, data))
    for each in found:
        apply_check_run(actor=given.actor, pull_request=each, data=data)
    return bool(found)


def _on_check_suite(given: Delivery) -> bool:
    """Let the job fetch the checks of a suite: a suite has none of them in it, and not every app reports each one."""
    return bool(_checked(given, given.payload["check_suite"]).update(needs_sync=True))


def _checked(given: Delivery, data: Mapping[str, Any]) -> QuerySet[GithubPullRequest]:
    """The pull requests of a check run or suite: those that it lists, and those with its commit.

    The list is empty for a pull request from a fork, and has pull requests of other repositories with the commit too,
    whose numbers mean something else.
    """
    own = given.payload["repository"].get("id")
    numbers = [
        number(each["number"])
        for each in data.get("pull_requests") or ()
        if own is None or ((each.get("base") or {}).get("repo") or {}).get("id", own) == own
    ]
    return given.pull_requests().filter(Q(number__in=numbers) | Q(head_sha=commit(data["head_sha"])))


def _check_evidence(given: Delivery) -> bool:
    """Let a merge or revert reach the evidence of client missions at once.

    The secret of an organisation is enough for the repositories of its projects only.
    """
    if given.organization and not given.repositories():
        return False
    return check_pull_requests(repository=line(given.payload["repository"]["full_name"], 255))


# Events after which a pull request may be merged or reverted.
_CHANGES = ("push", "pull_request")
_EVENTS: dict[str, Callable[[Delivery], bool]] = {
    "pull_request": _on_pull_request,
    "pull_request_review": _on_review,
    "pull_request_review_comment": _on_comment,
    "issue_comment": _on_comment,
    "check_run": _on_check_run,
    "check_suite": _on_check_suite,
}
