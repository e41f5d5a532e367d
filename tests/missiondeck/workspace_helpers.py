"""Test missions for the workspace, created by the services."""

from datetime import UTC, datetime, timedelta
from io import BytesIO

from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from groups.models import Member
from missiondeck.models import ChatMessage, DeckMission, DodItem, TestRun
from missiondeck.services.checklist import add_item, tick_item
from missiondeck.services.missions import change_status, create_deck_mission
from missiondeck.services.runs import import_report
from tests.support.admin import client_of, staff

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
PASSING = b'<testsuite name="pytest"><testcase classname="shop" name="test_pays" time="0.5"/></testsuite>'
FAILING = b"""<testsuite name="pytest">
<testcase classname="shop" name="test_opens" time="0.1"/>
<testcase classname="shop" name="test_pays" time="0.5"><failure message="KeyError: 'total'">Traceback
  shop.py, line 12</failure></testcase>
<testcase classname="shop" name="test_sleeps"><skipped message="not today"/></testcase>
</testsuite>"""


def make_mission(*, days: float = 10, **fields) -> DeckMission:
    """A client mission with a deadline in a number of days and one hour."""
    values = {"title": "Shop", "client": "Acme", "budget": 1200, "assigned_to": "ana@example.org"} | fields
    return create_deck_mission(
        actor=Member.objects.system(), deadline=timezone.now() + timedelta(days=days, hours=1), **values
    )


def make_item(mission: DeckMission, text: str = "It pays", *, done: bool = False, **fields) -> DodItem:
    item = add_item(actor=Member.objects.system(), mission=mission, text=text, **fields)
    return tick_item(item=item, done=True, actor=Member.objects.system()) if done else item


def import_report_file(
    mission: DeckMission, report: bytes = PASSING, *, logs: bytes | None = None, actor=None
) -> TestRun:
    return import_report(mission=mission, file=BytesIO(report), logs=BytesIO(logs) if logs else None, actor=actor).run


def run_at(mission: DeckMission, minute: int, *, failed: bool = False, name: str = "test_sends") -> TestRun:
    """A run of one test with a given minute as its time; within one transaction all times would be equal."""
    result = {"name": name, "status": "failed", "error": "It broke"} if failed else {"name": name, "status": "passed"}
    created_at = NOON + timedelta(minutes=minute)
    return TestRun.objects.create(
        mission=mission, status=result["status"], results=[result], summary=None, created_at=created_at
    )


def create_message(mission: DeckMission, minute: int, message: str, *, citizen: str = "emma") -> ChatMessage:
    """A message with a given minute as its time."""
    return ChatMessage.objects.create(
        mission=mission, citizen=citizen, sender="user", message=message, created_at=NOON + timedelta(minutes=minute)
    )


def complete(mission: DeckMission, actor, *, reason: str = "") -> DeckMission:
    """Complete a mission; with a reason, as an override."""
    if mission.status == "active":
        mission = change_status(mission=mission, to="qa", actor=actor)
    return change_status(mission=mission, to="complete", actor=actor, reason=reason, override=bool(reason))


def address(mission: DeckMission, name: str = "", *args) -> str:
    return reverse(f"admin:missiondeck_workspace{name}", args=[mission.pk, *args])


def who_may(*permissions: str) -> Client:
    """A staff member with the view permission and these permissions."""
    member = staff(display_name="Someone")
    wanted = ("view_deckmission", *permissions)
    member.user_permissions.add(*Permission.objects.filter(codename__in=wanted, content_type__app_label="missiondeck"))
    return client_of(member)


def state() -> list:
    """What the actions of a workspace change, to compare before and after."""
    return [
        list(DeckMission.objects.order_by("pk").values_list("pk", "status")),
        list(DodItem.objects.order_by("pk").values_list("pk", "text", "category", "completed", "position")),
        ChatMessage.objects.count(),
        TestRun.objects.count(),
    ]
