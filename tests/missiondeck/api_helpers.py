"""Helpers for API tests: users with different permissions, and requests."""

from dataclasses import dataclass

from django.contrib.auth.models import Group as DjangoGroup
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from groups.models import Member
from missiondeck.models import DeckMission
from tests.support.factories.groups import MemberFactory, StaffFactory
from tests.support.factories.missiondeck import DeckMissionFactory
from tests.support.factories.tokens import api_client

UNKNOWN_ID = "78166a2d-86b2-5aa2-b90b-868e1bed74c6"


def with_role(role: str, **values) -> Member:
    """Staff with a role of the back office."""
    member = StaffFactory(**values)
    member.groups.add(DjangoGroup.objects.get(name=role))
    return member


@dataclass
class ApiUsers:
    """A mission and users: a delivery lead, an auditor, the assignee, and staff and a member who may not view it."""

    mission: DeckMission
    people: dict[str, Member]

    def client(self, name: str, *scopes: str) -> Client:
        return api_client(self.people[name], *scopes)

    def at(self, rest: str = "") -> str:
        return at(self.mission, rest)


def create_users() -> ApiUsers:
    deliverer = MemberFactory(email="noor@example.org")
    people = {
        "lead": with_role("Delivery Lead"),
        "auditor": with_role("Auditor"),
        "deliverer": deliverer,
        "colleague": with_role("Community Manager"),
        "stranger": MemberFactory(),
    }
    mission = DeckMissionFactory(title="Telegram Notifier", client="Acme Corp", assigned_to=deliverer.email)
    return ApiUsers(mission, people)


def at(mission: DeckMission, rest: str = "") -> str:
    return f"/api/deck/missions/{mission.number}{rest}"


def post(client: Client, address: str, /, key: str | None = None, **body):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(address, body, content_type="application/json", headers=headers)


def patch(client: Client, address: str, /, **body):
    return client.patch(address, body, content_type="application/json")


def upload(client: Client, address: str, report: bytes | None, *, logs: bytes | None = None, name: str = "report.xml"):
    """Send a report as multipart/form-data."""
    files = {"report": report and SimpleUploadedFile(name, report), "logs": logs and SimpleUploadedFile("logs", logs)}
    return client.post(address, {name: file for name, file in files.items() if file})


def rejected(answer, status: int, code: str, *pointers: str) -> dict:
    """Check the problem document and return it."""
    document = answer.json()
    assert (answer.status_code, document["code"]) == (status, code), document
    assert answer["Content-Type"] == "application/problem+json"
    assert document["status"] == status
    assert document["request_id"] == answer["X-Request-ID"]
    assert len(document["detail"].split()) >= 3
    assert [each["pointer"] for each in document["errors"]] == list(pointers), document
    return document


def read_all_pages(client: Client, address: str) -> tuple[list[dict], int]:
    """All rows of a list, following its cursors, and the number of pages."""
    rows, pages = [], 0
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, answer.content
        page = answer.json()
        assert (f'<{page["next"]}>; rel="next"' == answer.headers.get("Link")) == bool(page["next"])
        rows, address, pages = rows + page["items"], page["next"], pages + 1
    return rows, pages
