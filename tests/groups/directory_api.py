"""Requests to the API of the directory."""

from django.contrib.auth.models import Permission

from groups.models import Member
from tests.support.factories.groups import StaffFactory

MEMBERS = "/api/directory/members"
INVITATIONS = "/api/directory/invitations"
REGISTER = "/api/directory/register"
PARTICIPATION = "/api/participation"
REJECTED = "This invitation code is not valid. Ask the person who invited you for a new one."


def post(client, address: str, body: dict | None = None, **headers):
    return client.post(address, body or {}, content_type="application/json", headers=headers)


def staff(*codenames: str) -> Member:
    member = StaffFactory(display_name="Carol")
    member.user_permissions.add(*Permission.objects.filter(codename__in=codenames, content_type__app_label="groups"))
    return member


def names(answer) -> list[str]:
    assert answer.status_code == 200, answer.json()
    return [row["name"] for row in answer.json()["items"]]


def said(answer, *numbers: str) -> str:
    """Return an error body without the parts that name the request."""
    body = answer.json()
    for name in ("request_id", "instance"):
        body.pop(name, None)
    text = str(body)
    for each in numbers:
        text = text.replace(each, "N")
    return text


def number(entry) -> str:
    return entry.member_id[1:]
