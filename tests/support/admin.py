"""Clients of the back office, each with the rights of one role."""

from django.contrib.auth.models import Group
from django.test import Client

from missionsite.common.admin.form_keys import FORM_KEY_FIELD, new_form_key
from tests.support.factories.groups import StaffFactory


class OfficeClient(Client):
    """A browser at the back office: what it submits carries a new form key, as each form of a page does.

    A test that is about the key gives its own as `form_key`; "" is a form without one.
    """

    def post(self, path, data=None, *args, **kwargs):
        if isinstance(data, dict | None) and path.startswith("/admin/"):
            data = {FORM_KEY_FIELD: new_form_key()} | (data or {})
        return super().post(path, data, *args, **kwargs)


def staff(role: str = "", **fields):
    """A member of staff with a role; without one they may log in and nothing else."""
    member = StaffFactory(**({"display_name": role or "No one"} | fields))
    if role:
        member.groups.add(Group.objects.get(name=role))
    return member


def client_of(member) -> Client:
    client = OfficeClient(raise_request_exception=True)
    client.force_login(member)
    return client


def client(role: str = "", **fields) -> Client:
    return client_of(staff(role, **fields))


def words(response) -> str:
    """The page as text with single blanks, for looking for a sentence."""
    from html import unescape

    return " ".join(unescape(response.content.decode()).split())


def links(response) -> list[str]:
    """Where the rows of a list link to."""
    import re

    return re.findall(r'href="(/admin/[^"]+/change/)[^"]*"', response.content.decode())
