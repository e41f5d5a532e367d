"""Client missions as the tests of their workspace need them, made as people make them."""

import json
from datetime import timedelta
from io import BytesIO

from django.urls import reverse
from django.utils import timezone

from missiondeck.models import DeckMission, DodItem, TestRun
from missiondeck.services.checklist import add_item, tick_item
from missiondeck.services.missions import create_mission, move_mission
from missiondeck.services.runs import import_report

PASSING = b'<testsuite name="pytest"><testcase classname="shop" name="test_pays" time="0.5"/></testsuite>'
FAILING = b"""<testsuite name="pytest">
<testcase classname="shop" name="test_opens" time="0.1"/>
<testcase classname="shop" name="test_pays" time="0.5"><failure message="KeyError: 'total'">Traceback
  shop.py, line 12</failure></testcase>
<testcase classname="shop" name="test_sleeps"><skipped message="not today"/></testcase>
</testsuite>"""


def make_mission(*, days: float = 10, **fields) -> DeckMission:
    """A client mission with a deadline in so many days and an hour."""
    values = {"title": "Shop", "client": "Acme", "budget": 1200, "assigned_to": "ana@example.org"} | fields
    return create_mission(deadline=timezone.now() + timedelta(days=days, hours=1), **values)


def make_item(mission: DeckMission, text: str = "It pays", *, done: bool = False, **fields) -> DodItem:
    item = add_item(mission=mission, text=text, **fields)
    return tick_item(item=item, done=True, actor=None) if done else item


def take_in(mission: DeckMission, report: bytes = PASSING, *, logs: bytes | None = None, actor=None) -> TestRun:
    return import_report(mission=mission, file=BytesIO(report), logs=BytesIO(logs) if logs else None, actor=actor).run


def numbered(number: int, *, failed: bool = False) -> bytes:
    """A report like no other of another number."""
    status = {"status": "failed", "error": "It broke"} if failed else {"status": "passed"}
    return json.dumps([{"name": f"test_{number}", **status}]).encode()


def complete(mission: DeckMission, actor, *, reason: str = "") -> DeckMission:
    """Bring a mission to its end; with a reason, whatever is missing."""
    if mission.status == "active":
        mission = move_mission(mission=mission, to="qa", actor=actor)
    return move_mission(mission=mission, to="complete", actor=actor, reason=reason, override=bool(reason))


def address(mission: DeckMission, name: str = "", *args) -> str:
    return reverse(f"admin:missiondeck_workspace{name}", args=[mission.pk, *args])
