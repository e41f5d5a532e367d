"""Deliveries of notices to webhooks, and commit statuses to GitHub and GitLab, with retries."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop

from groups.models import Member
from missiondeck.errors import TooManyWebhooks
from missiondeck.models import (
    DeckMission,
    Delivery,
    DeliveryChannel,
    DeliveryStatus,
    Notice,
    RunStatus,
    TestRun,
    Webhook,
)
from missiondeck.rules import DELIVERY_PAUSES, MAX_WEBHOOKS, repository_of
from missiondeck.services.notices import path_of
from missionsite.common.api import signatures
from missionsite.common.audit.events import audit
from missionsite.common.outbound import Answer, OutboundError, request
from missionsite.common.transactions import service

BATCH = 100
# A delivery that another process has taken is not due in this time.
_LEASE = timedelta(minutes=2)
NO_TOKEN = gettext_noop("The site has no token for this host.")
REVOKED = gettext_noop("The webhook was revoked.")
# States of commits by the status of a run. Sources: GitHub REST API, "Create a commit status"; GitLab API, "Commits".
_GITHUB = {RunStatus.RUNNING: "pending", RunStatus.PASSED: "success", RunStatus.FAILED: "failure"}
_GITLAB = {RunStatus.RUNNING: "running", RunStatus.PASSED: "success", RunStatus.FAILED: "failed"}


class _NotSent(Exception):
    """The delivery cannot be sent now or at all. is_final: a retry would not help."""

    def __init__(self, answer: str, *, is_final: bool = False) -> None:
        self.answer, self.is_final = answer, is_final
        super().__init__(answer)


@service
def create_webhook(*, actor: Member, mission: DeckMission, url: str) -> Webhook:
    """Add a webhook to a mission. Raises TooManyWebhooks, ConstraintViolated (webhook_url_invalid, webhook_taken)."""
    DeckMission.objects.lock(mission.pk, no_key=True)
    if Webhook.objects.filter(mission=mission, revoked_at=None).count() >= MAX_WEBHOOKS:
        raise TooManyWebhooks
    made = Webhook.objects.create(mission=mission, url=url.strip(), created_by=actor)
    audit("deck_webhook.created", actor=actor, client_mission=mission.number, webhook=str(made.pk))
    return Webhook.objects.get(pk=made.pk)


@service
def revoke_webhook(*, actor: Member, webhook: Webhook) -> Webhook:
    """Send nothing to a webhook any more."""
    if Webhook.objects.filter(pk=webhook.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit("deck_webhook.revoked", actor=actor, client_mission=webhook.mission.number, webhook=str(webhook.pk))
    webhook.refresh_from_db()
    return webhook


@service
def resend_delivery(*, actor: Member, delivery: Delivery) -> Delivery:
    """Send a delivery again, with new retries."""
    current = Delivery.objects.lock(delivery.pk)
    current.status, current.attempts, current.next_at = DeliveryStatus.PENDING, 0, timezone.now()
    current.save(update_fields=["status", "attempts", "next_at"])
    number = current.notice.mission.number
    audit("deck_delivery.resent", actor=actor, client_mission=number, delivery=str(current.pk))
    return current


def send_due_deliveries(*, at: datetime | None = None) -> int:
    """Send the deliveries that are due; returns how many were sent. at: aware datetime; now by default.

    Several processes can run it at the same time. Each request is made outside of a transaction.
    """
    at = at or timezone.now()
    sent = 0
    for key in _claim(at):
        sent += _send(key, at)
    return sent


@service
def _claim(at: datetime) -> list[UUID]:
    due = Delivery.objects.filter(status=DeliveryStatus.PENDING, next_at__lte=at).order_by("next_at", "pk")
    keys = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH])
    Delivery.objects.filter(pk__in=keys).update(next_at=at + _LEASE)
    return keys


def _send(key: UUID, at: datetime) -> bool:
    delivery = Delivery.objects.select_related("notice", "notice__mission", "webhook").get(pk=key)
    attempts = delivery.attempts + 1
    try:
        answer = _request(delivery)
    except (_NotSent, OutboundError) as error:
        is_final = isinstance(error, _NotSent) and error.is_final
        _record(key, attempts, _next_attempt(attempts, at, is_final=is_final), str(error))
        return False
    if answer.is_ok:
        Delivery.objects.filter(pk=key).update(
            status=DeliveryStatus.SENT, attempts=attempts, next_at=None, answer=str(answer.status), sent_at=at
        )
        return True
    _record(key, attempts, _next_attempt(attempts, at), str(answer.status))
    return False


def _next_attempt(attempts: int, at: datetime, *, is_final: bool = False) -> datetime | None:
    return None if is_final or attempts > len(DELIVERY_PAUSES) else at + DELIVERY_PAUSES[attempts - 1]


def _record(key: UUID, attempts: int, next_at: datetime | None, answer: str) -> None:
    status = DeliveryStatus.PENDING if next_at else DeliveryStatus.FAILED
    Delivery.objects.filter(pk=key).update(
        status=status, attempts=attempts, next_at=next_at, answer=" ".join(answer.split())[:300]
    )


def _request(delivery: Delivery) -> Answer:
    if delivery.channel != DeliveryChannel.WEBHOOK:
        return _send_commit_status(delivery.notice, delivery.channel)
    webhook = delivery.webhook
    if webhook is None or webhook.revoked_at:
        raise _NotSent(REVOKED, is_final=True)
    content = delivery.body.encode()
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": str(delivery.pk),
        signatures.HEADER: signatures.sign(content, webhook.secret),
    }
    return request(webhook.url, method="POST", body=content, headers=headers)


def _send_commit_status(notice: Notice, channel: str) -> Answer:
    """The state of the run as it is now: a retry must not overwrite a newer state by an older one."""
    run = TestRun.objects.only("status", "commit", "job").filter(pk=UUID(notice.payload["run"])).first()
    _host, path = repository_of(notice.mission.github_url)
    if run is None or not path:
        raise _NotSent("", is_final=True)
    link = f"{settings.SITE_URL}{path_of(notice)}"
    name = f"missionsite/{run.job}" if run.job else "missionsite"
    if channel == DeliveryChannel.GITHUB:
        root, token = settings.GITHUB_API_URL.rstrip("/"), settings.GITHUB_TOKEN.strip()
        url = f"{root}/repos/{path}/statuses/{run.commit}"
        body = {"state": _GITHUB[RunStatus(run.status)], "target_url": link, "context": name}
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    else:
        root, token = settings.GITLAB_API_URL.rstrip("/"), settings.GITLAB_TOKEN.strip()
        url = f"{root}/projects/{quote(path, safe='')}/statuses/{run.commit}"
        body = {"state": _GITLAB[RunStatus(run.status)], "target_url": link, "name": name}
        headers = {"PRIVATE-TOKEN": token}
    if not token:
        raise _NotSent(NO_TOKEN, is_final=True)
    headers["Content-Type"] = "application/json"
    # The address is a setting, and may be a server in the site's own network.
    return request(
        url,
        method="POST",
        body=json.dumps(body).encode(),
        headers=headers,
        schemes=("https", "http"),
        is_trusted=True,
    )
