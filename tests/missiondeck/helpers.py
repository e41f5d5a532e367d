"""Test missions created by the services, and ways to insert rows (raw SQL, COPY)."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
from django.db import connection

from groups.models import Member
from missiondeck.models import DeckMission, DodItem, DodTemplate, TestRun
from missiondeck.services.checklist import add_item, tick_item
from missiondeck.services.missions import change_status, create_deck_mission
from missiondeck.services.runs import import_report
from missiondeck.services.templates import add_template
from tests.support.database import row
from tests.support.factories.groups import MemberFactory

DEADLINE = datetime(2026, 3, 2, 12, tzinfo=UTC)
PASSED = {"name": "test_a", "status": "passed"}
FAILED = {"name": "test_b", "status": "failed", "error": "KeyError"}


def mission(**values) -> DeckMission:
    """An active client mission without items and runs."""
    given = {"title": "Bot", "client": "Acme", "budget": 300, "deadline": DEADLINE, "assigned_to": "a@example.org"}
    return create_deck_mission(actor=Member.objects.system(), **(given | values))


def mission_in_qa(*, items: int = 2, done: bool = True, run: list[dict] | None = None, **values) -> DeckMission:
    """A mission in QA. items: their number, all done or all open. run: results of its test run; by default one that
    passed, no run for []."""
    made, actor = mission(**values), MemberFactory()
    for number in range(items):
        item = add_item(actor=Member.objects.system(), mission=made, text=f"Item {number}")
        if done:
            tick_item(item=item, done=True, actor=actor)
    if run is None or run:
        import_results(made, run or [PASSED])
    return change_status(mission=made, to="qa", actor=actor)


def complete_mission(**values) -> DeckMission:
    return change_status(mission=mission_in_qa(**values), to="complete", actor=MemberFactory())


def report(results: list[dict], **more) -> io.BytesIO:
    """A unique report in the JSON format."""
    return io.BytesIO(json.dumps({"results": results, "summary": {}, "name": str(uuid4())} | more).encode())


def import_results(of: DeckMission, results: list[dict]) -> TestRun:
    """Import a report with these results; returns the run."""
    return import_report(mission=of, file=report(results), actor=Member.objects.system()).run


def add_shop_template(actor: Member | None = None) -> DodTemplate:
    """A template with three items, one of them with evidence."""
    shop = [
        {"text": "It pays", "category": "functional", "evidence": [
            {"kind": "test", "value": "tests.shop \u203a test_pays*"}, {"kind": "sign_off", "value": "Delivery Lead"}]},
        {"text": "It is fast", "category": "non-functional", "evidence": []},
        {"text": "All pass", "category": "tests", "evidence": [{"kind": "suite", "value": "unit"}]},
    ]  # fmt: skip
    return add_template(actor=actor or Member.objects.system(), name=f"Shop {uuid4()}", items=shop)


def junit(*cases: str, name: str = "suite") -> io.BytesIO:
    return io.BytesIO(f'<testsuite name="{name}">{"".join(cases)}</testsuite>'.encode())


def items_of(of: DeckMission) -> list[DodItem]:
    return list(DodItem.objects.filter(mission=of))


def insert(table: str, **values) -> tuple:
    """Insert a row by raw SQL as the site role; returns its id."""
    names = ", ".join(values)
    marks = ", ".join(["%s"] * len(values))
    return row(f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING id", list(values.values()))[0]


def raw_mission(**values):
    """Insert a client mission by raw SQL; returns its id."""
    given = {"title": "Bot", "client": "Acme", "budget": 300, "deadline": DEADLINE, "assigned_to": "a@example.org"}
    return insert("deck_missions", **(given | values))


def copy_in(table: str, **values) -> None:
    """Insert a row by COPY as the site role, in the current transaction."""
    with connection.cursor() as cursor, cursor.cursor.copy(f"COPY {table} ({', '.join(values)}) FROM STDIN") as copy:
        copy.write_row(list(values.values()))


@contextmanager
def transaction_of(level: str = "READ COMMITTED") -> Iterator[psycopg.Connection]:
    """A connection of the site role with an open transaction, rolled back at the end unless the test commits."""
    site = connection.settings_dict
    with psycopg.connect(
        host=site["HOST"], port=site["PORT"], user=site["USER"], password=site["PASSWORD"], dbname=site["NAME"]
    ) as session:
        session.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
        yield session
        session.rollback()
