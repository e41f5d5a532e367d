"""The live page of reviews sends what happens in the reader's own projects."""

import pytest
from django.test import Client

from tests.fallback.intruder import build
from tests.support.factories.fallback import RunFactory


@pytest.mark.django_db(transaction=True)
def test_live_page_sends_own_projects_only():
    """A run in A comes first; the first event is of the run in B."""
    world = build()
    client = Client()
    client.force_login(world.people["project viewer"])
    answer = client.get("/admin/fallback/missionfallbackitem/review/events/")
    try:
        content = answer.streaming_content
        assert next(content).startswith(b"retry:")
        assert next(content).startswith(b"event: ready")
        for things in (world.a, world.b):
            RunFactory(project=things["project"])
        heard = next(content).decode()
    finally:
        answer.close()
    assert world.b["project"].pk in heard
    assert world.a["project"].pk not in heard
