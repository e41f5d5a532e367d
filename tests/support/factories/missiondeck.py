"""Factories of the missiondeck app. Each creates a minimal valid row; the status of a run fits its results."""

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO

import factory
from django.utils import timezone

from groups.models import Member
from missiondeck.models import ChatMessage, ChatSender, DeckMission, DodItem, TestRun
from missiondeck.services.missions import change_status
from missiondeck.services.runs import import_report

# The time of the first run; each further one is a minute later.
FIRST_RUN = datetime(2020, 1, 1, tzinfo=UTC)


class DeckMissionFactory(factory.django.DjangoModelFactory):
    """An active mission that is due in ten days; number and assignee come from the database."""

    class Meta:
        model = DeckMission

    title = factory.Sequence(lambda n: f"Client mission {n}")
    client = factory.Sequence(lambda n: f"Client {n}")
    budget = 300
    deadline = factory.LazyFunction(lambda: timezone.now() + timedelta(days=10))
    assigned_to = factory.Sequence(lambda n: f"deliverer{n}@example.org")

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        made = super()._create(model_class, *args, **kwargs)
        made.refresh_from_db()
        return made


class DodItemFactory(factory.django.DjangoModelFactory):
    """An open item."""

    class Meta:
        model = DodItem

    mission = factory.SubFactory(DeckMissionFactory)
    text = factory.Sequence(lambda n: f"Item {n} is true")

    class Params:
        done = factory.Trait(completed=True, completed_at=factory.LazyFunction(timezone.now))


class ChatMessageFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = ChatMessage

    mission = factory.SubFactory(DeckMissionFactory)
    citizen = "rafael"
    sender = ChatSender.USER
    message = factory.Sequence(lambda n: f"Message {n}")


class RunFactory(factory.django.DjangoModelFactory):
    """A finished run of one passed test. failed=True: a failed test. running=True: a running run.

    Each is a minute later than the one made before.
    """

    class Meta:
        model = TestRun

    class Params:
        failed = factory.Trait(status="failed", results=[{"name": "test_it", "status": "failed", "error": "1 != 2"}])
        running = factory.Trait(status="running", results=None)

    mission = factory.SubFactory(DeckMissionFactory)
    status = "passed"
    results = factory.LazyFunction(lambda: [{"name": "test_it", "status": "passed"}])
    created_at = factory.Sequence(lambda n: FIRST_RUN + timedelta(minutes=n))


def report_of(*results: tuple[str, str], **more) -> bytes:
    """A report in JSON with these tests: ("name", "passed")."""
    return json.dumps({"results": [{"name": name, "status": status} for name, status in results], **more}).encode()


def junit_of(*results: tuple[str, str], output: str = "") -> bytes:
    """A JUnit report with these tests: ("name", "passed"). output: what the suite printed, plain text."""
    inside = {
        "passed": "",
        "failed": '<failure message="1 != 2">test.py:3</failure>',
        "error": '<error message="no database">test.py:1</error>',
        "skipped": "<skipped/>",
    }
    cases = "".join(
        f'<testcase classname="tests" name="{name}" time="0.1">{inside[status]}</testcase>' for name, status in results
    )
    printed = f"<system-out>{output}</system-out>" if output else ""
    return f'<testsuite name="pytest">{cases}{printed}</testsuite>'.encode()


def run_from(mission: DeckMission, report: bytes, *, logs: bytes | None = None, actor: Member | None = None) -> TestRun:
    """Import a report; returns the run."""
    return import_report(mission=mission, file=BytesIO(report), logs=logs and BytesIO(logs), actor=actor).run


def make_ready(mission: DeckMission) -> DeckMission:
    """Make an active mission ready to be completed: in QA, with one done item and a passed run."""
    DodItemFactory(mission=mission, done=True)
    RunFactory(mission=mission)
    return change_status(mission=mission, to="qa", actor=Member.objects.system())
