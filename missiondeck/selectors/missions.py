"""What is missing to complete a client mission."""

from __future__ import annotations

import json

from django.db import connection

from missiondeck.models import DeckMission


def missing_of(mission: DeckMission) -> list[dict]:
    """What is missing to complete a mission, from the database; errors.missing_sentences formats it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT deck_mission_missing(%s)", [mission.pk])
        return json.loads(cursor.fetchone()[0])
