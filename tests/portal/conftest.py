"""The tests of the members' pages knock more often than a person; a test of the limits switches them on again."""

import pytest
from django.test import Client


@pytest.fixture(autouse=True)
def no_limits(settings):
    settings.JOIN_ATTEMPTS_PER_MINUTE = 0
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 0


@pytest.fixture
def as_member():
    """A browser in which the account of an entry is logged in."""

    def browser(entry) -> Client:
        client = Client()
        client.force_login(entry.person)
        return client

    return browser
