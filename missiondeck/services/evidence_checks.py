"""Checks of evidence outside of the site: pull requests on GitHub, and addresses that must answer."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from groups.github import GitHubError, GitHubUserUnknown, fetch_pull_request
from missiondeck.models import DeckMission, DeckStatus, Evidence, EvidenceKind, Observation
from missiondeck.rules import EVIDENCE_CHECK_MINUTES
from missionsite.common.outbound import OutboundError, request
from missionsite.common.transactions import service

_PULL_REQUEST = re.compile(r"https://github\.com/(?P<repository>[^/]+/[^/]+)/pull/(?P<number>[0-9]+)")
_REDIRECTS = 3
# Checks of one run of the job.
BATCH = 100
# The job that checks the pull requests of a repository, when GitHub reports a change.
REPOSITORY_TASK = "check_deck_repository"
# The details are message ids; what follows the colon is not translated.
MERGED, REVERTED = gettext_noop("Merged"), gettext_noop("Reverted")
NOT_MERGED, NOT_FOUND = gettext_noop("Not merged"), gettext_noop("Not found")
NO_ANSWER = gettext_noop("Does not answer")


def check_due_evidence() -> int:
    """Check the evidence of missions that are not complete if its last check is old; returns how many were checked."""
    before = timezone.now() - timedelta(minutes=EVIDENCE_CHECK_MINUTES) + timedelta(seconds=30)
    due = _open_evidence().filter(kind__in=(EvidenceKind.PULL_REQUEST, EvidenceKind.ADDRESS))
    due = due.exclude(observed_at__gt=before).order_by("observed_at", "pk")
    keys = list(due.values_list("pk", flat=True)[:BATCH])
    for key in keys:
        check_evidence(key=key)
    return len(keys)


def request_checks(*, repository: str) -> bool:
    """Let a job check the pull requests of a repository now; returns whether any are evidence of an open mission."""
    if not _pull_requests_of(repository).exists():
        return False
    lock = f"{REPOSITORY_TASK}:{repository.lower()}"
    # One job that has not begun sees this change too.
    if not ProcrastinateJob.objects.filter(task_name=REPOSITORY_TASK, lock=lock, status="todo").exists():
        app.configure_task(REPOSITORY_TASK, allow_unknown=False, lock=lock).defer(repository=repository)
    return True


def check_repository(*, repository: str) -> int:
    """Check the pull requests of a repository that are evidence; returns how many were checked."""
    keys = list(_pull_requests_of(repository).order_by("observed_at", "pk").values_list("pk", flat=True)[:BATCH])
    for key in keys:
        check_evidence(key=key)
    return len(keys)


def _pull_requests_of(repository: str) -> QuerySet[Evidence]:
    return _open_evidence().filter(
        kind=EvidenceKind.PULL_REQUEST, value__istartswith=f"https://github.com/{repository}/pull/"
    )


def _open_evidence() -> QuerySet[Evidence]:
    """Evidence of missions that are not complete."""
    return Evidence.objects.filter(removed_at=None).exclude(item__mission__status=DeckStatus.COMPLETE)


def check_evidence(*, key: UUID) -> str:
    """Check one piece of evidence and record what was found; returns that, "" if the check itself was not possible.

    The request is made outside of a transaction.
    """
    found = Evidence.objects.filter(pk=key, removed_at=None).first()
    if found is None:
        return ""
    observed, detail = _look_at_address(found) if found.kind == EvidenceKind.ADDRESS else _look_at_request(found)
    if observed:
        _record(key=key, value=found.value, observed=observed, detail=detail)
    return observed


@service
def _record(*, key: UUID, value: str, observed: str, detail: str) -> None:
    mission = Evidence.objects.values_list("item__mission", flat=True).get(pk=key)
    DeckMission.objects.lock(mission, no_key=True)
    Evidence.objects.filter(pk=key, value=value, removed_at=None).update(
        observed=observed, observed_at=timezone.now(), detail=detail
    )


def _look_at_address(evidence: Evidence) -> tuple[str, str]:
    """A second try, so that a lost connection does not reopen an item."""
    detail = NO_ANSWER
    for _try in range(2):
        try:
            answer = request(evidence.value, redirects=_REDIRECTS)
        except OutboundError as error:
            detail = f"{NO_ANSWER}: {error}"
            continue
        if answer.is_ok:
            return Observation.MET, str(answer.status)
        detail = f"{NO_ANSWER}: {answer.status}"
    return Observation.FAILED, detail


def _look_at_request(evidence: Evidence) -> tuple[str, str]:
    """What GitHub states; nothing if it cannot be reached, because then nothing is known."""
    parts = _PULL_REQUEST.match(evidence.value)
    if parts is None:
        return "", ""
    try:
        state = fetch_pull_request(parts["repository"], int(parts["number"]))
    except GitHubUserUnknown:
        return Observation.FAILED, NOT_FOUND
    except GitHubError:
        return "", ""
    if not state.is_merged:
        return Observation.FAILED, NOT_MERGED
    if state.reverted_by:
        return Observation.FAILED, f"{REVERTED}: {state.reverted_by[:10]}"
    return Observation.MET, f"{MERGED}: {state.head[:10]}"
