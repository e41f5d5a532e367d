"""Switches off the rate limits; tests of the limits switch them on again."""

import pytest
from django.test import Client


@pytest.fixture(autouse=True)
def no_limits(settings):
    settings.JOIN_ATTEMPTS_PER_MINUTE = 0
    settings.LOGIN_ATTEMPTS_PER_MINUTE = 0


@pytest.fixture
def as_member():
    """Returns a client logged in as the member of an entry."""

    def browser(entry) -> Client:
        client = Client()
        client.force_login(entry.person)
        return client

    return browser
