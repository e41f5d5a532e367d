"""Notices of client missions: what happened is told to people by notifications, and to other systems by deliveries."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext

from groups.models import Member
from missiondeck.models import (
    DeckMission,
    DeckStatus,
    Delivery,
    DeliveryChannel,
    Notice,
    NoticeKind,
    RunStatus,
    TestRun,
    Webhook,
)
from missiondeck.rules import DEADLINE_NEAR, FLAKY_TESTS, TESTER, repository_of
from missionsite.common.interfaces import notify
from missionsite.common.rendering import mentioned_people
from missionsite.common.transactions import service

# Notices of one run of the job.
BATCH = 200
# Notices that are only for other systems.
_SILENT = (NoticeKind.RUN_STARTED, NoticeKind.RUN_PASSED)
_OF_RUNS = (NoticeKind.RUN_STARTED, NoticeKind.RUN_PASSED, NoticeKind.RUN_FAILED)

# Keys of a payload that name the page of a mention: a chat, the comments on an item, or the page of clients.
_PLACES = ("citizen", "comments", "client")
# The permission of those who are told about all missions.
_DELIVER = "missiondeck.change_deckmission_status"


def record_deadline_notices(*, at: datetime | None = None) -> int:
    """Record deadlines that are near or passed, each once; returns how many. at: aware datetime; now by default."""
    now = at or timezone.now()
    made: list[Notice] = []
    due = DeckMission.objects.filter(deadline__lt=now + DEADLINE_NEAR).exclude(status=DeckStatus.COMPLETE)
    for mission in due.only("deadline"):
        kind = NoticeKind.DEADLINE_PASSED if mission.deadline <= now else NoticeKind.DEADLINE_NEAR
        made.append(Notice(mission=mission, kind=kind, subject=mission.deadline.isoformat()))
    before = Notice.objects.count() if made else 0
    Notice.objects.bulk_create(made, ignore_conflicts=True)
    return Notice.objects.count() - before if made else 0


def record_mentions(*, actor: Member, mission: DeckMission, text: str, subject: str, payload: dict) -> list[Notice]:
    """Record who is mentioned in a text, by name or member ID after an @; not the actor.

    subject: the key of the message or comment. payload: the page that shows it, see `path_of`.
    """
    if "@" not in text:
        return []
    found = mentioned_people(text, [member for member in people_of(mission) if member.pk != actor.pk])
    return Notice.objects.bulk_create(
        Notice(
            mission=mission,
            kind=NoticeKind.MENTION,
            subject=f"{subject} {member.pk}",
            payload={"member": str(member.pk), **payload},
        )
        for member in found
    )


def people_of(mission: DeckMission) -> list[Member]:
    """Who is told about a mission: its assignee, and the staff who may change its status by a role of theirs."""
    leads = Q(is_staff=True) & (Q(groups__permissions__in=_permissions()) | Q(user_permissions__in=_permissions()))
    return list(Member.objects.filter(leads | Q(pk=mission.assignee_id), is_active=True).distinct().order_by("pk"))


def _permissions() -> QuerySet:
    app, _dot, codename = _DELIVER.partition(".")
    return Permission.objects.filter(content_type__app_label=app, codename=codename).values("pk")


def process_notices() -> int:
    """Make the notifications and deliveries of new notices; returns how many notices."""
    number = 0
    while number < BATCH and _process_next():
        number += 1
    return number


@service
def _process_next() -> bool:
    waiting = Notice.objects.select_for_update(skip_locked=True, of=("self",)).filter(processed_at=None)
    notice = waiting.select_related("mission", "mission__assignee").order_by("pk").first()
    if notice is None:
        return False
    run = _run_of(notice)
    if notice.kind == NoticeKind.RUN_FAILED and run is not None and len(run.flaky_tests) >= FLAKY_TESTS:
        Notice.objects.bulk_create(
            [
                Notice(
                    mission=notice.mission,
                    kind=NoticeKind.RUN_FLAKY,
                    subject=str(run.pk),
                    payload=notice.payload | {"tests": len(run.flaky_tests)},
                )
            ],
            ignore_conflicts=True,
        )
    if notice.kind not in _SILENT:
        _notify(notice)
    _make_deliveries(notice, run)
    Notice.objects.filter(pk=notice.pk).update(processed_at=timezone.now())
    return True


def _run_of(notice: Notice) -> TestRun | None:
    if not (key := notice.payload.get("run")):
        return None
    return TestRun.objects.only("status", "commit", "flaky_tests").filter(pk=UUID(key)).first()


def _notify(notice: Notice) -> None:
    people = people_of(notice.mission)
    if notice.kind == NoticeKind.MENTION:
        people = [member for member in people if str(member.pk) == notice.payload["member"]]
    for member in people:
        notify(
            actor=Member.objects.system(),
            member=member,
            kind=f"deck.{notice.kind}",
            title=text_of(notice)[:500],
            payload={"url": path_of(notice)},
        )


def _make_deliveries(notice: Notice, run: TestRun | None) -> None:
    if notice.kind == NoticeKind.RUN_STARTED and (run is None or run.status != RunStatus.RUNNING):
        # It ended already, as with a single report.
        return
    now = timezone.now()
    body = json.dumps(body_of(notice), ensure_ascii=False)
    made = [
        Delivery(notice=notice, channel=DeliveryChannel.WEBHOOK, webhook=webhook, body=body, next_at=now)
        for webhook in Webhook.objects.filter(mission=notice.mission, revoked_at=None)
        if notice.kind != NoticeKind.MENTION
    ]
    if notice.kind in _OF_RUNS and run is not None and run.commit:
        channel = {"github.com": DeliveryChannel.GITHUB, "gitlab.com": DeliveryChannel.GITLAB}
        host, _path = repository_of(notice.mission.github_url)
        if host in channel:
            made.append(Delivery(notice=notice, channel=channel[host], next_at=now))
    Delivery.objects.bulk_create(made)


def body_of(notice: Notice) -> dict:
    """What a webhook receives."""
    mission = notice.mission
    return {
        "id": notice.pk,
        "kind": notice.kind,
        "at": notice.created_at.isoformat(),
        "mission": {"number": mission.number, "title": mission.title, "status": mission.status},
        "text": text_of(notice),
        "link": f"{settings.SITE_URL}{path_of(notice)}",
        **{name: value for name, value in notice.payload.items() if name not in ("member", *_PLACES)},
    }


def path_of(notice: Notice) -> str:
    """The page that shows what a notice is about."""
    if notice.kind in (NoticeKind.BUDGET_NEAR, NoticeKind.BUDGET_OVER):
        return reverse("admin:missiondeck_workspace_budget", args=[notice.mission_id])
    if notice.payload.get("client"):
        return reverse("admin:missiondeck_workspace_clients", args=[notice.mission_id])
    query = {name: notice.payload.get(name, "") for name in ("citizen", "comments")}
    if run := notice.payload.get("run"):
        query = {"citizen": TESTER, "run": run}
    shown = urlencode({name: value for name, value in query.items() if value})
    return reverse("admin:missiondeck_workspace", args=[notice.mission_id]) + (f"?{shown}" if shown else "")


def text_of(notice: Notice) -> str:
    """One line in the active language."""
    values = {
        "mission": str(notice.mission),
        "suite": notice.payload.get("suite") or gettext("test run"),
        "item": notice.payload.get("item", ""),
        "count": notice.payload.get("tests", 0),
        "percent": notice.payload.get("percent", 0),
        "budget": f"{notice.subject}.00",
        "at": f"{timezone.localtime(notice.mission.deadline):%Y-%m-%d %H:%M %Z}",
    }
    match notice.kind:
        case NoticeKind.RUN_STARTED:
            text = gettext("%(mission)s: %(suite)s started")
        case NoticeKind.RUN_PASSED:
            text = gettext("%(mission)s: %(suite)s passed")
        case NoticeKind.RUN_FAILED:
            text = gettext("%(mission)s: %(suite)s failed")
        case NoticeKind.RUN_FLAKY:
            text = gettext("%(mission)s: %(count)s flaky tests failed in %(suite)s")
        case NoticeKind.ITEM_REOPENED:
            text = gettext("%(mission)s: reopened by its evidence: %(item)s")
        case NoticeKind.COMPLETED:
            text = gettext("%(mission)s is complete")
        case NoticeKind.DEADLINE_NEAR:
            text = gettext("%(mission)s is due on %(at)s")
        case NoticeKind.DEADLINE_PASSED:
            text = gettext("%(mission)s is overdue since %(at)s")
        case NoticeKind.BUDGET_NEAR:
            text = gettext("%(mission)s: %(percent)s%% of the budget of %(budget)s is used")
        case NoticeKind.BUDGET_OVER:
            text = gettext("%(mission)s: the budget of %(budget)s is exceeded")
        case _:
            text = gettext("%(mission)s: you are mentioned in a message or comment")
    return text % values
