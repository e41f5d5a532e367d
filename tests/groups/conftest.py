"""What several tests of this app use."""

import pytest

from groups.github import client
from tests.groups.github_requests import TOKEN
from tests.support.github_server import github


@pytest.fixture
def server(settings, monkeypatch):
    """A local GitHub that the site asks, without pauses between attempts."""
    monkeypatch.setattr(client, "_FIRST_PAUSE", 0.01)
    with github() as running:
        settings.GITHUB_API_URL, settings.GITHUB_TOKEN, settings.GITHUB_TIMEOUT = running.url, TOKEN, 20
        yield running
