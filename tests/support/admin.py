"""Test clients for the back office, each logged in with one role."""

from django.contrib.auth.models import Group
from django.test import Client

from missionsite.common.admin.form_keys import FORM_KEY_FIELD, new_form_key
from tests.support.factories.groups import StaffFactory


class OfficeClient(Client):
    """A client that adds a new form key to each POST, as the forms of the pages do.

    A test can pass its own `form_key`; "" sends a form without a key.
    """

    def post(self, path, data=None, *args, **kwargs):
        if isinstance(data, dict | None) and path.startswith("/admin/"):
            data = {FORM_KEY_FIELD: new_form_key()} | (data or {})
        return super().post(path, data, *args, **kwargs)


def staff(role: str = "", **fields):
    """A staff member with a role, or without any permission."""
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


def page_text(response) -> str:
    """The page as text with single spaces, to search for a sentence."""
    from html import unescape

    return " ".join(unescape(response.content.decode()).split())


def links(response) -> list[str]:
    """The links of the rows of a list."""
    import re

    return re.findall(r'href="(/admin/[^"]+/change/)[^"]*"', response.content.decode())
