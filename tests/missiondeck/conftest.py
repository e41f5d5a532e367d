"""Fixtures for the pages of client missions."""

import pytest
from django.test import Client

from groups.models import Member
from missiondeck.models import DeckMission
from tests.missiondeck.workspace_helpers import make_mission
from tests.support.admin import client_of, staff


@pytest.fixture
def dora() -> Member:
    """A delivery lead."""
    return staff("Delivery Lead", display_name="Dora")


@pytest.fixture
def lead(dora) -> Client:
    return client_of(dora)


@pytest.fixture
def mission() -> DeckMission:
    return make_mission()
