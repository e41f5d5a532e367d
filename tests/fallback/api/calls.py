"""Requests to the API, and what their responses must be."""

import json
from urllib.parse import quote

from fallback.models import Mission, MissionComment, MissionFallbackConfig, MissionFallbackItem, MissionFallbackRun
from fallback.services.projects import set_project_role
from groups.models import Member
from missionsite.api import api
from tests.support.factories.fallback import (
    MissionFactory,
)
from tests.support.factories.groups import MemberFactory

# A valid id of no row.
NO_ONE = "01JD3V9Q8M4X2T6R0B5N7C1KZE"


def person(project, role):
    member = MemberFactory()
    set_project_role(actor=Member.objects.system(), project=project, member=member, role=role)
    return member


def at(project, rest: str = "") -> str:
    return f"/api/projects/{project.pk}{rest}"


def post(client, address: str, /, key: str | None = None, **body):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(address, body, content_type="application/json", headers=headers)


def patch(client, address: str, /, **body):
    return client.patch(address, body, content_type="application/json")


def rejected(answer, status: int, code: str, *pointers: str) -> dict:
    """The problem document of a response, after a check of its shape."""
    document = answer.json()
    assert (answer.status_code, document["code"]) == (status, code), document
    assert answer["Content-Type"] == "application/problem+json"
    assert document["status"] == status
    assert document["request_id"] == answer["X-Request-ID"]
    assert len(document["detail"].split()) >= 3
    assert [each["pointer"] for each in document["errors"]] == list(pointers)
    return document


def read_pages(client, address: str) -> tuple[list[dict], int]:
    """All rows of a list, read page by page, and the number of pages."""
    rows, pages = [], 0
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, answer.content
        page = answer.json()
        assert (f'<{page["next"]}>; rel="next"' == answer.headers.get("Link")) == bool(page["next"])
        rows, address, pages = rows + page["items"], page["next"], pages + 1
    return rows, pages


# --- Operations -------------------------------------------------------------------------------

OPERATIONS = [
    (method.upper(), address, operation)
    for address, methods in api.get_openapi_schema(path_prefix="/api/")["paths"].items()
    if address.startswith("/api/projects")
    for method, operation in methods.items()
]
WITH_KEY = [
    (method, address)
    for method, address, operation in OPERATIONS
    if any(each["name"] == "Idempotency-Key" for each in operation.get("parameters", []))
]


def fallback_rows() -> dict[str, list]:
    """The number of rows of each table, and the configurations."""
    kinds = (Mission, MissionFallbackItem, MissionFallbackRun, MissionFallbackConfig)
    return {kind.__name__: list(kind.objects.order_by("pk").values_list()) for kind in kinds}


def keys_of(project, item) -> dict[str, str]:
    mission = Mission.objects.filter(project=project).first() or MissionFactory(project=project)
    template = project.fallback_templates.first()
    return {
        "project": project.pk,
        "mission": mission.pk,
        "item": item.pk,
        "run": item.run_id,
        "template": template.pk,
        "comment": NO_ONE,
    }


def with_comment(address: str, keys: dict[str, str], author: Member) -> dict[str, str]:
    """The keys for an address, with a comment of the author on its mission or proposal if it names one."""
    if "{comment}" not in address:
        return keys
    subject = {"item_id": keys["item"]} if "{item}" in address else {"mission_id": keys["mission"]}
    comment = MissionComment.objects.create(author=author, body="When?", **subject)
    return keys | {"comment": comment.pk}


def fill(address: str, keys: dict[str, str]) -> str:
    for name, value in keys.items():
        address = address.replace(f"{{{name}}}", quote(value, safe=""))
    return address


# A valid body for each operation.
BODIES = {
    "add_project_mission": {"title": "A mission"},
    "change_project_mission": {"title": "Another title"},
    "move_project_mission": {"list": "doing"},
    "save_mission_document": {"name": "solution.md", "content": "Done."},
    "assign_project_mission": {"kind": "work", "member": ""},
    "assign_fallback_item": {"member": ""},
    "add_mission_comment": {"body": "When?"},
    "add_item_comment": {"body": "When?"},
    "discard_fallback_item": {"reason": "unclear"},
    "snooze_fallback_item": {"until": "2999-01-01T00:00:00Z"},
}


def send(client, method: str, address: str, body, **headers):
    return client.generic(method, address, json.dumps(body), "application/json", headers=headers)
